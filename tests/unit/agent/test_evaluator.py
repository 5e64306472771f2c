"""The evaluator: order, reasons, and the laws that hold for any proposals."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.agent.decision.evaluator import Candidate, Evaluator, Verdict, candidates, lockout_reason
from qiki.agent.decision.limits import ActuatorLimits, RefusalReason
from qiki.agent.engine import EngineFault, EngineResult, FaultKind
from qiki.agent.proposals import Action, Proposal, cruise, fire, set_mode, turn
from qiki.botspec import BotConfig
from qiki.botspec.actuators import MAX_PULSE_S
from qiki.contracts.enums import CommandType, FSMState, ProposalType

LOCKOUT = RefusalReason("safe mode")
PUSH = fire("forward", 50.0, 1.0)


@pytest.fixture(scope="module")
def evaluator(config: BotConfig) -> Evaluator:
    return Evaluator(ActuatorLimits(config), 0.6)


def wish(*actions: Action, **changes: Any) -> Proposal:
    return replace(Proposal(actions, "it seems wise"), **changes)


def reasons(verdicts: tuple[Verdict, ...]) -> dict[str, str]:
    return {"/".join(one.candidate.name): text_of(one) for one in verdicts}


def text_of(verdict: Verdict) -> str:
    return verdict.refusal.text if verdict.refusal else ""


def refusal(
    evaluator: Evaluator, proposal: Proposal, lockout: RefusalReason | None = None, from_rules: bool = False
) -> str:
    (verdict,) = evaluator.evaluate(candidates("pilot", (proposal,), from_rules), lockout)
    return text_of(verdict)


@pytest.mark.parametrize(
    "action",
    [fire("up", 0.0, 0.0), fire("aft", 100.0, MAX_PULSE_S), cruise(100.0), turn(-360.0), turn(360.0)],
)
def test_edges_of_the_ranges_are_accepted(evaluator: Evaluator, action: Action):
    assert refusal(evaluator, wish(action)) == ""


@pytest.mark.parametrize(
    ("proposal", "reason"),
    [
        (wish(PUSH, confidence=0.59), "confidence 0.59 is below 0.6"),
        (wish(PUSH, confidence=1.5), "confidence is 1.5 (expected 0 to 1)"),
        (wish(PUSH, priority=-0.1), "priority is -0.1 (expected 0 to 1)"),
        (wish(PUSH, justification=" "), "no justification"),
        (wish(PUSH, type=ProposalType.PROPOSAL_TYPE_UNSPECIFIED), "no type"),
        (wish(PUSH, expected_duration_s=-1.0), "expected_duration_s is -1 (expected 0 to 2147484)"),
        (wish(fire("up", 100.1, 1.0)), "rcs_up: value is 100.1 (expected 0 to 100 PERCENT)"),
        (wish(fire("up", -1.0, 1.0)), "rcs_up: value is -1 (expected 0 to 100 PERCENT)"),
        (wish(turn(361.0)), "motor_left: value is 361 (expected -360 to 360 DEGREES)"),
        (wish(fire("up", 1.0, -1.0)), "rcs_up: duration_s is -1 (expected 0 to 600)"),
        (wish(fire("up", 1.0, 1e300)), "rcs_up: duration_s is 1e+300 (expected 0 to 600)"),
        (wish(replace(PUSH, unit="DEGREES")), "rcs_forward: unit is DEGREES (expected PERCENT)"),
        (wish(replace(PUSH, command=CommandType.ROTATE)), "rcs_forward does not take ROTATE (expected SET_VELOCITY)"),
        (wish(set_mode(FSMState.IDLE)), "system_controller is the agent's own: it follows the state machine"),
        (wish(PUSH, depends_on=("x",)), "depends on x, which is not accepted"),
        (wish(PUSH, key="x", depends_on=("x",)), "depends on x, which is not accepted"),
    ],
)
def test_proposal_is_refused_for_its_own_fault(evaluator: Evaluator, proposal: Proposal, reason: str):
    assert refusal(evaluator, proposal) == reason


def test_unknown_actuator_is_refused_with_the_list_of_all(evaluator: Evaluator):
    reason = refusal(evaluator, wish(replace(PUSH, actuator="rcs_sideways")))
    assert reason.startswith("unknown actuator 'rcs_sideways' (expected one of: motor_left, ")


@pytest.mark.parametrize(("value", "accepted"), [(1.0, True), (5.0, True), (0.0, False), (6.0, False), (2.5, False)])
def test_mode_of_the_rules(evaluator: Evaluator, value: float, accepted: bool):
    action = replace(set_mode(FSMState.IDLE), value=value)
    assert (refusal(evaluator, wish(action), from_rules=True) == "") is accepted


def test_to_the_deaf_only_the_rules_are_proposed(evaluator: Evaluator):
    assert refusal(evaluator, wish(PUSH), LOCKOUT) == "safe mode"
    assert refusal(evaluator, wish(PUSH), LOCKOUT, from_rules=True) == ""


@pytest.mark.parametrize(
    ("actions", "reason"),
    [
        ((turn(9.0), cruise(5.0)), ""),
        ((PUSH, fire("aft", 50.0, 1.0)), ""),
        ((PUSH, PUSH), "rcs_forward is given SET_VELOCITY 2 times (expected once)"),
        ((cruise(5.0), replace(cruise(9.0), actuator="motor_right")), "motor is given SET_VELOCITY 2 times"),
    ],
)
def test_the_same_command_twice_is_refused(evaluator: Evaluator, actions: tuple[Action, ...], reason: str):
    found = refusal(evaluator, wish(*actions))
    assert found.startswith(reason)
    assert bool(found) is bool(reason)


def test_order_of_rank(evaluator: Evaluator):
    proposed = (
        *candidates("b", (wish(key="plan"), wish(key="sure", priority=0.9, confidence=0.7))),
        *candidates("a", (wish(key="plan"), wish(key="look", type=ProposalType.DIAGNOSTICS, priority=1.0))),
        *candidates("c", (wish(key="safe", type=ProposalType.SAFETY, priority=0.1), wish(key="doubt", confidence=0.8))),
    )
    verdicts = evaluator.evaluate(proposed)
    assert list(reasons(verdicts)) == ["c/safe", "b/sure", "a/plan", "b/plan", "c/doubt", "a/look"]


def test_one_actuator_for_two(evaluator: Evaluator):
    proposed = (*candidates("a", (wish(PUSH),)), *candidates("b", (wish(PUSH, priority=0.9),)))
    assert reasons(evaluator.evaluate(proposed)) == {"b/#0": "", "a/#0": "rcs_forward is taken by b/#0"}


def test_the_motors_are_one(evaluator: Evaluator):
    right = replace(cruise(10.0), actuator="motor_right")
    proposed = (*candidates("a", (wish(turn(9.0), cruise(5.0)),)), *candidates("b", (wish(right),)))
    assert reasons(evaluator.evaluate(proposed)) == {"a/#0": "", "b/#0": "motor is taken by a/#0"}


def test_dependencies_are_waited_for(evaluator: Evaluator):
    first = wish(PUSH, key="first", priority=0.1)
    then = wish(turn(9.0), key="then", priority=0.9, depends_on=("first",))
    verdicts = evaluator.evaluate(candidates("a", (then, first)))
    assert list(reasons(verdicts).items()) == [("a/first", ""), ("a/then", "")]


def test_dependency_of_another_engine_is_none(evaluator: Evaluator):
    proposed = (*candidates("a", (wish(key="x"),)), *candidates("b", (wish(PUSH, depends_on=("x",)),)))
    assert reasons(evaluator.evaluate(proposed))["b/#0"] == "depends on x, which is not accepted"


def test_cycle_is_refused_with_its_dependants(evaluator: Evaluator):
    ring = (wish(key="a", depends_on=("b",)), wish(key="b", depends_on=("c",)), wish(key="c", depends_on=("a",)))
    verdicts = evaluator.evaluate(candidates("e", (*ring, wish(key="d", depends_on=("a",)), wish(key="free"))))
    assert [one.candidate.key for one in verdicts if one.refusal is None] == ["free"]
    assert len(verdicts) == 5


@pytest.mark.parametrize("names", [({"conflicts_with": ("b",)}, {}), ({}, {"conflicts_with": ("a",)})])
def test_conflict_counts_in_both_directions(evaluator: Evaluator, names: tuple[dict[str, Any], dict[str, Any]]):
    proposed = candidates("e", (wish(key="a", **names[0]), wish(key="b", **names[1])))
    assert reasons(evaluator.evaluate(proposed)) == {"e/a": "", "e/b": "conflicts with e/a"}


def test_same_key_twice_is_refused_both_times(evaluator: Evaluator):
    verdicts = evaluator.evaluate(candidates("e", (wish(key="a"), wish(key="a"))))
    assert {text_of(one) for one in verdicts} == {"key 'a' is given 2 times (expected keys that differ)"}


ROLES = ["rcs_forward", "rcs_aft", "motor_left", "motor_right", "nonsense"]
KEYS = ["a", "b", "c", "d"]
proposals = st.builds(
    wish,
    st.sampled_from(ROLES).map(lambda role: Action(role, CommandType.SET_VELOCITY, 10.0)),
    key=st.sampled_from(KEYS),
    type=st.sampled_from(ProposalType),
    priority=st.sampled_from([0.1, 0.5]),
    confidence=st.sampled_from([0.5, 0.6, 1.0]),
    depends_on=st.lists(st.sampled_from(KEYS), max_size=2).map(tuple),
    conflicts_with=st.lists(st.sampled_from(KEYS), max_size=1).map(tuple),
)
proposeds = st.lists(
    st.builds(Candidate, st.sampled_from(["x", "y", "z"]), st.none(), proposals).map(
        lambda one: replace(one, key=one.proposal.key)
    ),
    max_size=12,
)


@given(proposeds, st.randoms(use_true_random=False), st.sampled_from([None, LOCKOUT]))
def test_laws(evaluator: Evaluator, proposed: list[Candidate], random: Any, deaf: RefusalReason | None):
    verdicts = evaluator.evaluate(proposed, deaf)
    accepted = [one.candidate for one in verdicts if one.refusal is None]
    assert len(verdicts) == len(proposed)

    held = [evaluator.limits.resource(action.actuator) for one in accepted for action in one.proposal.actions]
    assert len(held) == len(set(held))
    for place, one in enumerate(accepted):
        before = {other.name for other in accepted[:place]}
        assert set(one.names(one.proposal.depends_on)) <= before
        others = {other.name for other in accepted} - {one.name}
        assert not set(one.names(one.proposal.conflicts_with)) & others
        assert deaf is None
        assert one.proposal.confidence >= 0.6

    shuffled = list(proposed)
    random.shuffle(shuffled)
    again = evaluator.evaluate(shuffled, deaf)
    assert [one.candidate for one in again if one.refusal is None] == accepted
    assert reasons(again) == reasons(verdicts)


BOOTING, IDLE, ACTIVE, ERROR, SHUTDOWN = list(FSMState)[1:]
WELL = EngineResult("pilot")
LATE = EngineResult("puppet", fault=EngineFault(FaultKind.OVERRUN, "not back"))


@pytest.mark.parametrize(
    ("state", "results", "vehicle", "reason"),
    [
        (IDLE, (), IDLE, None),
        (ACTIVE, (WELL,), IDLE, None),
        (BOOTING, (), None, "booting"),
        (ERROR, (LATE,), ERROR, "safe mode"),
        (SHUTDOWN, (), IDLE, "shutting down"),
        (ACTIVE, (WELL, LATE), IDLE, "engine puppet is at fault"),
        (IDLE, (WELL,), ERROR, "the vehicle has not taken its mode yet"),
        (ACTIVE, (WELL,), None, "the vehicle has not taken its mode yet"),
    ],
)
def test_lockout(state: FSMState, results: tuple[EngineResult, ...], vehicle: FSMState | None, reason: str | None):
    found = lockout_reason(state, results, vehicle)
    assert (found and found.text) == reason
