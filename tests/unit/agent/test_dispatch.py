"""From verdicts to commands, and to the record of what became of them."""

from dataclasses import replace
from typing import Any

import pytest

from qiki.agent.decision.dispatch import ProposalResult, RepeatFilter, decision, dispatch, refused
from qiki.agent.decision.evaluator import Evaluator, Verdict, candidates
from qiki.agent.decision.limits import ActuatorLimits, RefusalReason
from qiki.agent.proposals import Proposal, fire, set_mode, turn
from qiki.agent.sim_instant import SimInstant
from qiki.agent.vehicle import Outcome
from qiki.botspec import BotConfig
from qiki.botspec.actuators import find_actuator
from qiki.contracts.enums import FSMState, ProposalStatus, Unit
from qiki.contracts.events import Evidence
from qiki.flight.agent_driver import run_to_end

INSTANT = SimInstant("6f1c3d1e-0000-4000-8000-000000000001", 1_790_000_000.125, 7)
INPUT = Evidence(subject="qiki.telemetry", sequence=None, age_s=0.2)
PUSH, TURN = fire("up", 40.0, 1.5), turn(-90.0)
REFUSED = Outcome(False, "no propellant")
SILENT = Outcome(None, "deadline exceeded")


@pytest.fixture(scope="module")
def limits(config: BotConfig) -> ActuatorLimits:
    return ActuatorLimits(config)


def accepted(*proposals: Proposal) -> tuple[Verdict, ...]:
    return tuple(map(Verdict, candidates("pilot", proposals)))


def done(vehicle: Any, limits: ActuatorLimits, *verdicts: Verdict) -> tuple[ProposalResult, ...]:
    return run_to_end(dispatch(verdicts, vehicle, limits, INSTANT))


def record(result: ProposalResult) -> Any:
    return decision(result, FSMState.ACTIVE, INSTANT, (INPUT,))


def test_commands_as_the_simulator_reads_them(vehicle: Any, limits: ActuatorLimits):
    proposal = Proposal((PUSH, TURN, set_mode(FSMState.ERROR_STATE)), "it seems wise", confidence=0.75)
    (result,) = done(vehicle, limits, *accepted(proposal))
    push, rotate, mode = vehicle.sent
    assert [find_actuator(one.actuator_id).role for one in vehicle.sent] == [
        "rcs_up",
        "motor_left",
        "system_controller",
    ]
    assert (push.command_type, push.value, push.unit, push.timeout_ms) == (1, 40.0, Unit.PERCENT, 1500)
    assert (rotate.command_type, rotate.value, rotate.unit, rotate.timeout_ms) == (2, -90.0, Unit.DEGREES, 0)
    assert (mode.command_type, mode.value_field, mode.value) == (5, "int_value", 4)
    assert {one.confidence for one in vehicle.sent} == {0.75}
    assert {one.timestamp for one in vehicle.sent} == {INSTANT.moment}
    assert len({one.command_id for one in vehicle.sent}) == 3
    assert result.status is ProposalStatus.EXECUTED


def test_identities_are_those_of_the_moment(vehicle: Any, limits: ActuatorLimits):
    for instant in (
        INSTANT,
        INSTANT,
        replace(INSTANT, tick=8),
        replace(INSTANT, instance="b"),
        replace(INSTANT, t_s=0.0),
    ):
        run_to_end(dispatch(accepted(Proposal((PUSH,), "why")), vehicle, limits, instant))
    names = [one.command_id for one in vehicle.sent]
    assert names[0] == names[1]
    assert len(set(names)) == 4


def test_record_of_an_executed_proposal(vehicle: Any, limits: ActuatorLimits):
    (result,) = done(vehicle, limits, *accepted(Proposal((PUSH,), "it seems wise")))
    body = record(result)
    assert (body.status, body.reason, body.source, body.tick) == (ProposalStatus.EXECUTED, "", "pilot", 7)
    assert (body.ts_epoch, body.state, body.rests_on) == (INSTANT.t_s, FSMState.ACTIVE, (INPUT,))
    assert [one.model_dump() for one in body.actions] == [
        {
            "actuator": "rcs_up",
            "command": "SET_VELOCITY",
            "value": 40.0,
            "timeout_ms": 1500,
            "accepted": True,
            "message": "",
            "command_id": vehicle.sent[0].command_id,
        }
    ]
    assert result.event.code == 300


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        (REFUSED, ProposalStatus.REJECTED, "the vehicle refuses: no propellant"),
        (SILENT, ProposalStatus.EXPIRED, "the vehicle does not answer: deadline exceeded"),
    ],
)
def test_nothing_is_sent_after_a_command_that_is_not_accepted(
    vehicle: Any, limits: ActuatorLimits, outcome: Outcome, status: ProposalStatus, reason: str
):
    vehicle.outcome = outcome
    first = Proposal((PUSH, TURN), "first", key="first")
    then = Proposal((TURN,), "then", key="then", depends_on=("first",))
    one, other = done(vehicle, limits, *accepted(first, then))
    assert len(vehicle.sent) == 1
    assert (one.status, one.reason, one.event.code) == (status, reason, 302)
    assert [action.accepted for action in record(one).actions] == [outcome.accepted, None]
    assert record(one).actions[0].command_id == vehicle.sent[0].command_id != record(one).actions[1].command_id
    assert (other.status, other.reason) == (
        ProposalStatus.REJECTED,
        "depends on first, which the vehicle has not done",
    )


def test_refused_proposal_is_not_sent_and_rests_on_its_own_evidence(vehicle: Any, limits: ActuatorLimits):
    evidence = Evidence(subject="qiki.radar.v1.tracks", sequence=5, age_s=0.1)
    proposal = Proposal((fire("up", 400.0, 1e300),), "why", rests_on=(evidence,))
    (candidate,) = candidates("pilot", (proposal,))
    (result,) = done(
        vehicle, limits, Verdict(candidate, RefusalReason("value is 400 (expected 0 to 100)", "out of range"))
    )
    assert vehicle.sent == []
    body = record(result)
    assert (body.status, body.reason, body.rests_on) == (
        ProposalStatus.REJECTED,
        "value is 400 (expected 0 to 100)",
        (evidence,),
    )
    assert (body.actions[0].value, body.actions[0].timeout_ms) == (400.0, 2**31 - 1)
    assert type(body).from_json(body.to_json()) == body


def test_proposal_without_actions_is_accepted(vehicle: Any, limits: ActuatorLimits):
    (result,) = done(vehicle, limits, *accepted(Proposal((), "look")))
    assert (result.status, result.event.code, vehicle.sent) == (ProposalStatus.ACCEPTED, 300, [])


def test_repeated_results_are_dropped(vehicle: Any, limits: ActuatorLimits):
    (verdict,) = accepted(Proposal((PUSH,), "why"))

    def answered(outcome: Outcome) -> ProposalResult:
        vehicle.outcome = outcome
        (result,) = done(vehicle, limits, verdict)
        return result

    did, barred = answered(Outcome(True, "")), answered(REFUSED)
    safe, booting = refused(verdict, RefusalReason("safe mode")), refused(verdict, RefusalReason("booting"))
    silent, still = answered(SILENT), answered(Outcome(None, "unavailable"))
    repeats = RepeatFilter()
    hot = answered(Outcome(False, "hot"))
    ticks = [did, did, safe, safe, booting, None, booting, silent, still, barred, barred, hot]
    news = [bool(repeats.new((result,) if result else ())) for result in ticks]
    assert news == [True, True, True, False, True, False, True, True, False, True, False, True]


def test_same_refusal_with_other_figures_is_a_repeat(limits: ActuatorLimits):
    evaluator, repeats = Evaluator(limits, 0.6), RepeatFilter()

    def news(proposal: Proposal) -> list[str]:
        results = tuple(refused(one, one.refusal) for one in evaluator.evaluate(candidates("pilot", (proposal,))))
        return [result.reason for result in repeats.new(results)]

    assert news(Proposal((PUSH,), "why", confidence=0.51)) == ["confidence 0.51 is below 0.6"]
    assert news(Proposal((PUSH,), "why", confidence=0.52)) == []
    assert news(Proposal((fire("up", 101.0, 1.0),), "why")) == ["rcs_up: value is 101 (expected 0 to 100 PERCENT)"]
    assert news(Proposal((fire("up", 102.5, 1.0),), "why")) == []
    assert news(Proposal((fire("up", 100.0, -1.0),), "why")) != []
    assert news(Proposal((PUSH,), "why", priority=1.5)) == ["priority is 1.5 (expected 0 to 1)"]
    assert news(Proposal((PUSH,), "why", priority=1.6)) == []
