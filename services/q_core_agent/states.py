"""The agent's state on its subject: once a second, and at every change of it."""

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
    """Publishes what the agent says of itself."""

    def __init__(self, agent: Agent, inputs: Inputs, client: Client) -> None:
        self._agent = agent
        self._inputs = inputs
        self._client = client
        self._last: FSMState | None = None
        self._waits_for: tuple[str, ...] = ()

    async def run(self) -> None:
        """Once a second, for ever."""
        while True:
            await self.publish()
            await asyncio.sleep(PERIOD_S)

    async def changed(self) -> None:
        """After a tick: publish if it changed the state, and say what a boot waits for."""
        if self._agent.waits_for != self._waits_for:
            self._waits_for = self._agent.waits_for
            log.info("boot", waits_for=self._waits_for)
        if self._agent.fsm_state is not self._last:
            await self.publish()

    async def publish(self) -> None:
        """Now; without a connection nobody is told."""
        self._last = self._agent.fsm_state
        STATE.set(self._last)
        if self._client.is_connected:
            telemetry = self._inputs.telemetry
            state = self._agent.state(telemetry.timestamp if telemetry else now())
            with suppress(nats.errors.Error):  # it has gone just now
                await self._client.publish(topics.AGENT_STATE.subject, state.to_json())
