"""Criteria: their file, and the answers of their judge."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from qiki.contracts.enums import FriendFoe, ObjectType
from qiki.tasks import Facts, Summary
from qiki.tasks.criteria import Criteria, Criterion, load_criteria
from qiki.tasks.criteria_judge import CriteriaJudge

UNKNOWN, FRIEND = int(FriendFoe.UNKNOWN), int(FriendFoe.FRIEND)


def facts(*distances, iff=UNKNOWN, kind=int(ObjectType.DRONE), fuel=12.0, alerts=0):
    count = len(distances)
    return Facts(
        frame=0,
        own_position=np.zeros(3),
        own_velocity=np.zeros(3),
        ids=tuple(f"drone-{n}" for n in range(count)),
        positions=np.array([(d, 0.0, 0.0) for d in distances]).reshape(-1, 3),
        velocities=np.zeros((count, 3)),
        object_types=np.full(count, kind),
        iffs=np.full(count, iff),
        propellant_kg=fuel,
        integrity_pct=100.0,
        heading_deg=0.0,
        docked=False,
        alerts=alerts,
    )


def judged(frames, safe=(), faults=(), summary=None, **limit):
    criterion = Criterion(id="ONE", description="as it should be", **limit)
    judge = CriteriaJudge(Criteria(criteria=(criterion,)), 0.1, 600)
    for number, frame in enumerate(frames):
        judge.take(frame, safe_mode=number in safe, faults=int(number in faults))
    steps = len(frames) - 1
    (verdict,) = judge.verdicts(summary or Summary(outcome="out of time", steps=steps))
    return verdict


def test_the_platforms_own_criteria_are_read():
    assert {"TASK_DONE", "CLEAR_OF_UNKNOWNS", "NO_FAULT"} <= {one.id for one in load_criteria().criteria}


def test_a_distance_that_is_too_small_has_time_value_and_contact():
    verdict = judged([facts(90, 80), facts(90, 48), facts(90, 46), facts(90, 70)], min_distance_m=50, iff="UNKNOWN")
    assert (verdict.holds, verdict.at_s, verdict.value, verdict.value_s) == (False, 0.1, 46.0, 0.2)
    assert verdict.margin == -4.0
    assert verdict.sentence == "as it should be: failed at 0.1 s, least 46.0 m at 0.2 s, `drone-1`"


def test_a_distance_that_is_kept():
    verdict = judged([facts(90, 80), facts(90, 60)], min_distance_m=50)
    assert (verdict.holds, verdict.at_s, verdict.margin) == (True, None, 10.0)
    assert verdict.sentence == "as it should be: held, least 60.0 m at 0.1 s, `drone-1`"


@pytest.mark.parametrize(("chosen", "holds"), [({"iff": "FOE"}, True), ({"object_types": ["SHIP", "DRONE"]}, False)])
def test_only_chosen_contacts_count(chosen, holds):
    verdict = judged([facts(20)], min_distance_m=50, **chosen)
    assert verdict.holds is holds
    if holds:
        assert verdict.sentence == "as it should be: held, nothing to measure"
        assert verdict.margin is None


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ({"max_propellant_kg": 1}, "failed at 0.2 s, in all 1.500 kg"),
        ({"max_alarmed_s": 0.15}, "failed at 0.3 s, in all 0.2 s"),
        ({"max_safe_s": 0.1}, "failed at 0.2 s, in all 0.2 s"),
        ({"max_faults": 0}, "failed at 0.1 s, in all 1 faults"),
        ({"max_faults": 1}, "held, in all 1 faults"),
    ],
)
def test_sums_are_compared_with_their_limits(limit, sentence):
    frames = [facts(), facts(fuel=11.5, alerts=1), facts(fuel=10.5), facts(fuel=10.5, alerts=2)]
    verdict = judged(frames, safe=(1, 2), faults=(1,), **limit)
    assert verdict.sentence == f"as it should be: {sentence}"


def test_the_task_is_done_or_not():
    done = Summary(outcome="reached", success=True, steps=300)
    assert judged([facts()], summary=done, success=True).sentence == "as it should be: held, reached at 30.0 s"
    assert judged([facts()], summary=done, success=True).margin == 0.5
    failed = replace(done, outcome="hit", success=False)
    assert judged([facts()], summary=failed, success=True).sentence == "as it should be: failed at 30.0 s, hit"
    assert judged([facts()], summary=failed, success=True).margin == -1.0


def test_without_frames_only_time_passes():
    verdict = judged([facts(fuel=12.0), None, facts(fuel=11.0)], max_propellant_kg=2)
    assert verdict.value == 1.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "has the limits none"),
        ({"min_distance_m": 5, "max_safe_s": 1}, "has the limits min_distance_m, max_safe_s"),
        ({"max_safe_s": 1, "iff": "FOE"}, "which min_distance_m alone has"),
        ({"min_distance_m": -1}, "greater than or equal to 0"),
        ({"min_distance_m": 5, "iff": "ALIEN"}, "input should be FRIEND"),
    ],
)
def test_a_criterion_without_sense_is_refused(content, message):
    with pytest.raises(ValidationError, match=message):
        Criterion(id="ONE", description="as it should be", **content)


def test_ids_differ():
    one = Criterion(id="ONE", description="as it should be", success=True)
    with pytest.raises(ValidationError, match="criterion ONE is given twice"):
        Criteria(criteria=(one, one))
