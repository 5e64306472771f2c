"""Checks that do as they are told, and messages."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from qiki.botspec import generate, load_spec
from qiki.contracts import topics
from qiki.contracts.agent import AgentState, FsmSnapshot
from qiki.contracts.enums import FSMState
from qiki.contracts.fields import Payload
from qiki.contracts.models import SimState, TelemetrySnapshot
from qiki.world.scenario import load_scenario
from qiki.world.snapshots import telemetry as told_by
from qiki.world.world import World
from qiki_harness.smoke.check import Check
from qiki_harness.smoke.inbox import Message
from qiki_harness.smoke.target import Target

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def target() -> Target:
    return Target("the native stack 'default'", "nats://127.0.0.1:1", "127.0.0.1:2", "http://127.0.0.1:3")


@pytest.fixture
def make_check() -> Callable[..., Check]:
    """A check that gives a text, or raises."""

    def make(name: str, *needs: str, outcome: str | Exception = "fine") -> Check:
        async def run(_: Any) -> str:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return Check(name, f"that {name} is well", run, needs)

    return make


@pytest.fixture
def message() -> Callable[..., Message]:
    """A message with a payload or bytes for its body."""

    def make(
        subject: str, body: Payload | bytes = b"", headers: Mapping[str, str] | None = None, sequence: int = 0
    ) -> Message:
        return Message(subject, body if isinstance(body, bytes) else body.to_json(), headers or {}, sequence)

    return make


@pytest.fixture
def state(message: Callable[..., Message]) -> Callable[..., Message]:
    """The agent's word of itself."""

    def make(
        tick: int, life: int = 1, fsm: FSMState = FSMState.IDLE, causes: tuple[str, ...] = (), *, bios_ok: bool = True
    ) -> Message:
        snapshot = FsmSnapshot(
            snapshot_id=UUID(int=9), timestamp=NOON, current_state=fsm, history=(), fsm_instance_id=UUID(int=life),
            attempt_count=1,
        )  # fmt: skip
        said = AgentState(
            timestamp=NOON, conduct="live", tick=tick, run_id="", fsm=snapshot, causes=causes, good_checks=0,
            inputs={}, bios_ok=bios_ok, engines={}, tracks=0, alerts=0,
        )  # fmt: skip
        return message(topics.AGENT_STATE.subject, said)

    return make


@pytest.fixture(scope="session")
def telemetry() -> TelemetrySnapshot:
    """Of a running simulation with the platform's own bot."""
    bot = generate(load_spec()).hardware_profile.parameters
    world = World(load_scenario("empty"), bot, 1, UUID(int=1))
    return told_by(
        world, SimState(running=True, paused=False, speed=1.0, tick=0, run_id=str(UUID(int=1)), behind_s=0.0)
    )
