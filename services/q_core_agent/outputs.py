"""The agent's outputs: its state on its subject, at once after a transition, and its events, which are logged too."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import nats.errors
import structlog
from nats.aio.client import Client

from q_core_agent.inputs import Inputs
from q_core_agent.metrics import STATE
from qiki.agent.agent import Agent
from qiki.contracts import topics
from qiki.contracts.enums import FSMState
from qiki.contracts.events import BiosStatus, Decision, EventKind, EventPayload, SystemMode
from qiki.runtime.clock import now
from qiki.runtime.events import Events

PERIOD_S = 1.0
WORSE = frozenset({"WARNING", "ERROR", "CRITICAL"})
log = structlog.get_logger()


class States:
    """Publishes the agent's state."""

    def __init__(self, agent: Agent, inputs: Inputs, client: Client) -> None:
        self._agent, self._inputs, self._client = agent, inputs, client
        self._last: FSMState | None = None
        self._waits_for: tuple[str, ...] = ()

    async def run(self) -> None:
        """Publish once a second, for ever."""
        while True:
            await self.publish()
            await asyncio.sleep(PERIOD_S)

    async def changed(self) -> None:
        """After a tick, publish a transition, and log what a boot waits for."""
        if self._agent.waits_for != self._waits_for:
            self._waits_for = self._agent.waits_for
            log.info("boot", waits_for=self._waits_for)
        if self._agent.fsm_state is not self._last:
            await self.publish()

    async def publish(self) -> None:
        """Publish now; without a connection, nothing is sent."""
        self._last = self._agent.fsm_state
        STATE.set(self._last)
        if self._client.is_connected:
            telemetry = self._inputs.telemetry
            state = self._agent.state(telemetry.timestamp if telemetry else now())
            with suppress(nats.errors.Error):  # the connection was lost just now
                await self._client.publish(topics.AGENT_STATE.subject, state.to_json())


def emit_and_log(events: Events, kind: EventKind, body: EventPayload, *when: Any) -> None:
    """Emit as `Events.emit`, and log one line."""
    write = log.warning if kind.severity in WORSE else log.info
    write(kind.name, **_fields(body))
    events.emit(kind, body, *when)


def _fields(body: EventPayload) -> Mapping[str, Any]:
    match body:
        case SystemMode():
            return {"mode": body.mode, "trigger": body.trigger, "reasons": list(body.reasons)}
        case Decision():
            fields = {"engine": body.source, "decision": body.status.name, "why": body.justification}
            return fields | ({"reason": body.reason} if body.reason else {})
        case BiosStatus():
            return {"all_systems_go": body.all_systems_go, "health_score": round(body.health_score, 2)}
    return {}
