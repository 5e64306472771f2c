"""The state machine: its table, its records, and the three good checks before SAFE_MODE is left."""

from itertools import product
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.agent.mode.faults import Cause
from qiki.agent.mode.fsm import GOOD_CHECKS, HISTORY, TABLE, Signal, StateMachine
from qiki.agent.sim_instant import SimInstant, named
from qiki.contracts.enums import FSMState, FSMTransitionStatus
from qiki.contracts.events import SystemMode

RUN = "6f1c3d1e-0000-4000-8000-000000000001"


class Findings(NamedTuple):
    causes: tuple[Cause, ...]
    ready: bool


BAD = Findings((Cause("POWER_CRITICAL", "battery under 20 %"),), ready=True)
GOOD = Findings((), ready=True)
WAITING = Findings((), ready=False)
BOOTING, IDLE, ACTIVE, ERROR, SHUTDOWN = list(FSMState)[1:]


def instant(tick: int = 1) -> SimInstant:
    return SimInstant(RUN, 1_790_000_000.0 + tick, tick)


class Scene:
    """A state machine and its events."""

    def __init__(self) -> None:
        self.machine = StateMachine(named("test"), lambda kind, body, *_: self.events.append((kind.code, body)))
        self.events: list[tuple[int, SystemMode]] = []
        self.tick = 0

    def check(self, *findings: Findings) -> None:
        for one in findings:
            self.tick += 1
            self.machine.boot(instant(self.tick), ())
            self.machine.check(*one, instant(self.tick))

    @property
    def codes(self) -> list[int]:
        return [code for code, _ in self.events]


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize(("state", "signal"), list(product(list(FSMState)[1:], Signal)))
def test_every_state_with_every_signal(state: FSMState, signal: Signal):
    machine = StateMachine(named("test"), print)
    machine.state = state
    record = machine.fire(signal, instant())
    if (state, signal) in TABLE:
        assert (record.status, machine.state) == (FSMTransitionStatus.SUCCESS, TABLE[state, signal])
        assert record.error_message == ""
    else:
        assert (record.status, machine.state) == (FSMTransitionStatus.FAILED, state)
        assert state.name in record.error_message
    assert (record.from_state, record.to_state, record.trigger_event) == (state, machine.state, signal)


def test_table_is_that_of_the_design():
    leads = {(one.name, signal.name, to.name) for (one, signal), to in TABLE.items()}
    assert {lead for lead in leads if lead[1] not in {"SHUTDOWN", "CAUSE"}} == {
        ("BOOTING", "BOOT_COMPLETE", "IDLE"),
        ("IDLE", "PROPOSALS_RECEIVED", "ACTIVE"),
        ("ACTIVE", "NO_PROPOSALS", "IDLE"),
        ("ERROR_STATE", "ERROR_CLEARED", "IDLE"),
    }
    assert {lead[0] for lead in leads if lead[1] == "CAUSE"} == {"BOOTING", "IDLE", "ACTIVE"}
    assert {lead[0] for lead in leads if lead[1] == "SHUTDOWN"} == {"BOOTING", "IDLE", "ACTIVE", "ERROR_STATE"}


def test_history_is_bounded():
    machine = StateMachine(named("test"), print)
    machine.fire(Signal.BOOT_COMPLETE, instant())
    for tick in range(HISTORY):
        machine.fire((Signal.PROPOSALS_RECEIVED, Signal.NO_PROPOSALS)[tick % 2], instant(tick))
    machine.fire(Signal.ERROR_CLEARED, instant())
    snapshot = machine.snapshot(instant())
    assert (len(snapshot.history), snapshot.attempt_count) == (HISTORY, HISTORY + 2)
    assert snapshot.history[-1].status is FSMTransitionStatus.FAILED


def test_same_history_has_the_same_snapshot():
    one, other = Scene(), Scene()
    for scene in (one, other):
        scene.machine.fire(Signal.BOOT_COMPLETE, instant())
    assert one.machine.snapshot(instant()).to_json() == other.machine.snapshot(instant()).to_json()
    other.machine.fire(Signal.SHUTDOWN, instant())
    assert one.machine.snapshot(instant()).snapshot_id != other.machine.snapshot(instant()).snapshot_id


def test_boot_waits_until_it_is_ready(scene: Scene):
    scene.check(WAITING, WAITING)
    assert (scene.codes, scene.machine.state) == ([110], BOOTING)
    scene.check(GOOD, GOOD)
    assert (scene.codes, scene.machine.state) == ([110, 111], IDLE)
    booted = scene.events[-1][1]
    assert (booted.mode, booted.previous, booted.trigger) == ("NORMAL", "BOOTING", "BOOT_COMPLETE")


def test_safe_mode_and_back(scene: Scene):
    scene.check(GOOD, BAD)
    assert scene.machine.snapshot(instant()).state_metadata == {
        "mode": "SAFE_MODE",
        "reason": "POWER_CRITICAL: battery under 20 %",
    }
    scene.check(BAD, GOOD, GOOD)
    assert (scene.machine.state, scene.machine.good_checks) == (ERROR, 2)
    scene.check(GOOD)
    assert (scene.machine.state, scene.codes) == (IDLE, [110, 111, 900, 910, 911])
    assert scene.machine.snapshot(instant()).state_metadata == {"mode": "NORMAL"}
    assert scene.machine.snapshot(instant()).history[-2].trigger_event == "POWER_CRITICAL"
    _, entered = scene.events[2]
    assert (entered.trigger, entered.reasons) == ("POWER_CRITICAL", ("POWER_CRITICAL: battery under 20 %",))
    _, clearing = scene.events[3]
    assert (clearing.mode, clearing.previous, clearing.state) == ("SAFE_MODE", "SAFE_MODE", ERROR)


def test_cause_that_flickers_restarts_the_count(scene: Scene):
    scene.check(GOOD, BAD, GOOD, GOOD, BAD, GOOD, GOOD)
    assert (scene.machine.state, scene.codes) == (ERROR, [110, 111, 900, 910, 910])
    scene.check(GOOD)
    assert scene.codes[-1] == 911


def test_reasons_are_the_last_that_there_were(scene: Scene):
    other = Findings((Cause("BIOS_LOST", "the self test is not answered"),), ready=False)
    scene.check(BAD, other, GOOD)
    assert scene.events[-1][1].reasons == ("BIOS_LOST: the self test is not answered",)
    assert scene.machine.causes == other.causes


def test_second_safe_mode_counts_from_zero(scene: Scene):
    scene.check(GOOD, BAD, GOOD, GOOD, GOOD, BAD, GOOD)
    assert (scene.machine.state, scene.machine.good_checks) == (ERROR, 1)


def test_proposals_make_it_active_within_one_mode(scene: Scene):
    scene.machine.take_proposals(True, instant())
    assert scene.machine.state is BOOTING
    scene.check(GOOD)
    scene.machine.take_proposals(True, instant())
    assert scene.machine.state is ACTIVE
    scene.machine.take_proposals(False, instant())
    assert (scene.machine.state, scene.codes) == (IDLE, [110, 111])


def test_halt_is_emitted_once_and_is_the_end(scene: Scene):
    scene.check(GOOD, BAD)
    scene.machine.halt(instant())
    scene.machine.halt(instant())
    scene.check(GOOD, BAD)
    assert (scene.machine.state, scene.codes) == (SHUTDOWN, [110, 111, 900, 901])


@given(st.lists(st.tuples(st.sampled_from([BAD, GOOD, WAITING]), st.booleans()), max_size=40))
def test_error_state_is_never_left_before_three_good_checks_in_a_row(steps: list[tuple[Any, bool]]):
    scene, good = Scene(), 0
    for findings, proposals in steps:
        before = scene.machine.state
        scene.check(findings)
        good = 0 if findings.causes else good + 1
        if before is ERROR and scene.machine.state is not ERROR:
            assert (good >= GOOD_CHECKS, scene.machine.state) == (True, IDLE)
        if findings.causes:
            assert scene.machine.state is ERROR
        scene.machine.take_proposals(proposals, instant())
    snapshot = scene.machine.snapshot(instant())
    assert all(record.status is FSMTransitionStatus.SUCCESS for record in snapshot.history)
    assert scene.codes.count(911) <= scene.codes.count(910)
