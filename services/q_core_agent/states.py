"""The agent's state on its subject: once a second, and at every transition."""

import asyncio
from contextlib import suppress

import nats.errors
import structlog
from nats.aio.client import Client

from q_core_agent.inputs import Inputs
from q_core_agent.metrics import STATE
from qiki.agent.agent import Agent
from qiki.contracts import topics
from qiki.contracts.enums import FSMState
from qiki.runtime.clock import now

PERIOD_S = 1.0
log = structlog.get_logger()


class States:
    """Publishes the agent's state."""

    def __init__(self, agent: Agent, inputs: Inputs, client: Client) -> None:
        self._agent = agent
        self._inputs = inputs
        self._client = client
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
