"""Checks with a given outcome, and messages."""

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
from qiki.contracts.telemetry import SimState, TelemetrySnapshot
from qiki.world.scenario import load_scenario
from qiki.world.snapshots import telemetry as told_by
from qiki.world.world import SimWorld
from qiki_harness.smoke.check import Check
from qiki_harness.smoke.target import Target
from qiki_harness.twin import ForeignStack, Record
from qiki_harness.twin.history import Ledger
from qiki_harness.twin.watcher import Moment, Watcher
from qiki_harness.twin.wire import Wire

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOWHERE = "nats://127.0.0.1:1"


class PastOnly(Watcher):
    """Histories filled by hand: to a check, all of it comes from now on."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        super().__init__(ForeignStack({"NATS_URL": NOWHERE}), self.ledger, Wire(NOWHERE, self.ledger))

    def now(self) -> Moment:
        return dict.fromkeys(super().now(), 0)


@pytest.fixture
def watcher() -> PastOnly:
    return PastOnly()


@pytest.fixture
def take(watcher: PastOnly) -> Callable[..., None]:
    """Let messages pass."""

    def add(*records: Record[Any]) -> None:
        for record in records:
            watcher.ledger.add(record.subject, record.body, record.headers, record.sequence)

    return add


@pytest.fixture
def target() -> Target:
    return Target(
        "the native stack 'default'", ForeignStack({"NATS_URL": "nats://127.0.0.1:1", "QSIM_GRPC": "nowhere"})
    )


@pytest.fixture
def make_check() -> Callable[..., Check]:
    """A check that gives a text, or raises."""

    def make(name: str, *needs: str, outcome: str | Exception = "fine") -> Check:
        def run(_: Any) -> str:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return Check(name, f"that {name} is well", run, needs)

    return make


@pytest.fixture
def message() -> Callable[..., Record[Any]]:
    """A message with a payload or bytes for its body."""

    def make(
        subject: str, body: Payload | bytes = b"", headers: Mapping[str, str] | None = None, sequence: int = 0
    ) -> Record[Any]:
        topic = next(topic for topic in topics.TOPICS if topic.covers(subject))
        return Record(subject, body if isinstance(body, bytes) else body.to_json(), headers or {}, sequence, topic)

    return make


@pytest.fixture
def state(message: Callable[..., Record[Any]]) -> Callable[..., Record[Any]]:
    """A state of the agent."""

    def make(
        tick: int, life: int = 1, fsm: FSMState = FSMState.IDLE, causes: tuple[str, ...] = (), *, bios_ok: bool = True
    ) -> Record[Any]:
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
    world = SimWorld(load_scenario("empty"), bot, 1, UUID(int=1))
    return told_by(
        world, SimState(running=True, paused=False, speed=1.0, tick=0, run_id=str(UUID(int=1)), behind_s=0.0)
    )
