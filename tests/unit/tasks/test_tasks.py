"""Tasks: their worlds, the referee, and what an attempt gives."""

import numpy as np
import pytest

from qiki.agent import Proposal, fire
from qiki.errors import UserError
from qiki.tasks import TASKS, Attempt, Avoid, Fly, Inspect, Rendezvous, find_task
from qiki.tasks.facts import Facts
from qiki.tasks.task import OUT_OF_TIME, Referee
from qiki.world import load_scenario

DRAWN = [Avoid, Rendezvous, Inspect]


def facts(own=(0.0, 0.0, 0.0), speed=(0.0, 0.0, 0.0), contacts=((1000.0, 0.0, 0.0),), **changed):
    count = len(contacts)
    values = {
        "frame": 0,
        "own_position": np.array(own),
        "own_velocity": np.array(speed),
        "ids": tuple(f"c{n}" for n in range(count)),
        "positions": np.array(contacts, float).reshape(-1, 3),
        "velocities": np.zeros((count, 3)),
        "object_types": np.full(count, 3),
        "iffs": np.full(count, 3),
        "propellant_kg": 12.0,
        "integrity_pct": 100.0,
        "heading_deg": 0.0,
        "docked": False,
        "alerts": 0,
    }
    return Facts(**{**values, **changed})


def judged(task, *frames):
    referee = Referee(task, 0.1)
    referee.begin(frames[0])
    return [referee.judge(one) for one in frames[1:]], referee


@pytest.mark.parametrize("kind", DRAWN)
def test_a_seed_gives_one_world_and_another_seed_another(kind):
    assert kind().world(3, 0.7) == kind().world(3, 0.7)
    assert kind().world(3, 0.7).contacts != kind().world(4, 0.7).contacts


def test_a_harder_world_has_more_traffic():
    assert [len(Avoid().world(1, difficulty).contacts) for difficulty in (0.0, 0.5, 1.0)] == [2, 6, 10]


@pytest.mark.parametrize("difficulty", [-0.1, 1.5, float("nan")])
def test_a_difficulty_out_of_range_is_refused(difficulty):
    with pytest.raises(UserError, match="expected 0 to 1"):
        Avoid().world(1, difficulty)


def test_the_traffic_of_avoid_comes_near_who_does_nothing():
    assert Attempt(Avoid(), Avoid().world(0, 1.0), {}).fly().closest_m < 40.0


def test_avoid_rewards_the_way_to_the_point_and_ends_when_it_is_held():
    marks, referee = judged(Avoid(), facts(own=(100, 0, 0)), facts(own=(90, 0, 0)), facts(own=(95, 0, 0)))
    assert marks[0].reward == pytest.approx(0.4)
    assert marks[1].reward == pytest.approx(-0.2)
    held = [facts(own=(15, 0, 0))] * 31
    marks, referee = judged(Avoid(), *held)
    assert [mark.outcome for mark in marks] == [""] * 29 + ["reached"]
    assert (marks[-1].success, referee.summary.success) == (True, True)


def test_a_pass_between_two_frames_is_a_hit():
    before, after = facts(contacts=((0, 30, 0),)), facts(contacts=((0, -30, 0),))
    (mark,), referee = judged(Avoid(), before, after)
    assert mark.outcome == "hit"
    assert mark.parts["hit"] < 0
    assert referee.summary.closest_m == 0.0


def test_a_contact_that_comes_new_has_no_way_behind_it():
    before, after = facts(contacts=()), facts(contacts=((0, 30, 0),))
    (mark,), _ = judged(Avoid(), before, after)
    assert mark.outcome == ""


def test_propellant_costs():
    (mark,), referee = judged(Avoid(), facts(), facts(propellant_kg=11.5))
    assert mark.parts["propellant"] == pytest.approx(-0.5)
    assert referee.summary.propellant_kg == pytest.approx(0.5)


@pytest.mark.parametrize(("speed", "outcome"), [((0.4, 0, 0), "docked"), ((1.0, 0, 0), ""), ((3.0, 0, 0), "crashed")])
def test_the_station_takes_who_is_slow_enough(speed, outcome):
    station = {"object_types": np.array([3]), "contacts": ((18.0, 0, 0),)}
    (mark,), _ = judged(Rendezvous(), facts(**station), facts(speed=speed, **station))
    assert mark.outcome == outcome


@pytest.mark.parametrize(
    ("place", "heading_deg", "seen"), [((0, 300, 0), 0.0, True), ((0, 300, 0), 90.0, False), ((0, 500, 0), 0.0, False)]
)
def test_the_unknown_counts_in_the_band_and_in_view(place, heading_deg, seen):
    (mark,), _ = judged(Inspect(), facts(contacts=(place,)), facts(contacts=(place,), heading_deg=heading_deg))
    assert ("view" in mark.parts) is seen


def test_an_alarm_ends_the_inspection():
    (mark,), _ = judged(Inspect(), facts(), facts(alerts=1))
    assert (mark.outcome, mark.success) == ("alarmed", False)


def test_time_runs_out():
    marks, _ = judged(Fly(), *[facts()] * 601)
    assert [mark.outcome for mark in marks[-2:]] == ["", OUT_OF_TIME]


def test_without_a_frame_only_time_passes():
    marks, referee = judged(Fly(), facts(), None, facts())
    assert marks[0].reward == 0.0
    assert referee.summary.steps == 2


def test_a_referee_is_saved_and_goes_on():
    frames = [facts(own=(100.0 - n, 0, 0), propellant_kg=12.0 - 0.01 * n) for n in range(10)]
    _, whole = judged(Avoid(), *frames)
    _, begun = judged(Avoid(), *frames[:5])
    other = Referee(Avoid(), 0.1)
    other.load(begun.save())
    for one in frames[5:]:
        other.judge(one)
    assert other.summary == whole.summary


def test_an_unknown_task_is_named():
    with pytest.raises(UserError, match="no task is called 'dance'"):
        find_task("dance")
    assert set(TASKS) == {"avoid", "rendezvous", "inspect", "fly"}


class Burner:
    """Fires upwards all the time."""

    def propose(self, _world):
        return [Proposal((fire("up", 100.0, 0.1),), "test")]


def test_an_attempt_repeats_with_its_digest():
    class Short(Avoid):
        steps = 150

    def fly(engines):
        attempt = Attempt(Short(), Avoid().world(2, 0.2), engines, digests=True)
        return attempt.fly(), attempt.digest()

    first, again, other = fly({"burner": Burner()}), fly({"burner": Burner()}), fly({})
    assert first == again
    assert first[1] != other[1]
    assert first[0].propellant_kg > 0.3 > other[0].propellant_kg


def test_the_truth_of_an_attempt_is_the_published_one():
    attempt = Attempt(Fly(), load_scenario("crossing"), {})
    for number, step in enumerate(attempt.steps()):
        frame = next(moment.frame for moment in step.moments if moment.frame)
        published = Facts.of_snapshot(frame.truth, attempt.flight.look())
        for name, value in vars(step.facts).items():
            assert np.array_equal(value, getattr(published, name)), name
        if number == 20:
            break
