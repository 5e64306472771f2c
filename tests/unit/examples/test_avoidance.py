"""The example engine of docs/examples/avoidance: when it burns, where to and for how long."""

import math
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from qiki.agent.engine import GROUP
from qiki.agent.engine_call import read_proposals
from qiki.agent.world import TELEMETRY, Input, SeenEstimate, SeenTrack, World
from qiki.botspec import DEFAULT_SPEC, generate, load_spec
from qiki.contracts.enums import RadarTrackStatus
from qiki.contracts.estimates import TrackEstimate
from qiki.contracts.events import Evidence
from qiki.contracts.fields import Vector

EXAMPLE = Path(__file__).parents[3] / "docs/examples/avoidance"
ACCELERATION_MPS2 = 20.0 / 62.0
STATE = Evidence(subject="qiki.estimates.v1.tracks", sequence=4, age_s=0.0)
TRACK = Evidence(subject="qiki.radar.v1.tracks", sequence=9, age_s=0.0)
INPUTS = {TELEMETRY: Input("qiki.telemetry", None, 0.1, alive=True)}


@pytest.fixture(scope="module")
def example():
    spec = spec_from_file_location("avoidance", EXAMPLE / "avoidance.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def engine(example):
    return example.Avoidance(generate(load_spec(DEFAULT_SPEC)))


def track(position, velocity, status=RadarTrackStatus.TRACKED):
    place = [Vector(**dict(zip("xyz", value, strict=True))) for value in (position, velocity)]
    sure = dict.fromkeys(("position_covariance", "velocity_covariance"))
    report = SimpleNamespace(track_id="boulder", status=status, position=place[0], velocity=place[1], **sure)
    return SeenTrack(report, TRACK)


def world(*tracks, t_s=1000.0, heading=0.0, run="one", told_s=None, rcs_active=False):
    """At a time, as telemetry of `told_s` shows the bot; none given: of now."""
    own = SimpleNamespace(
        timestamp=datetime.fromtimestamp(t_s if told_s is None else told_s, UTC),
        heading=heading,
        propulsion=SimpleNamespace(propellant_kg=12.0, rcs_active=rcs_active),
    )
    return World(tick=1, run_id=run, t_s=t_s, own=own, tracks=tracks, inputs=INPUTS)


def burns(engine, seen):
    proposals = read_proposals(tuple(engine.propose(seen)))
    return [(action.actuator, action.duration_s) for proposal in proposals for action in proposal.actions]


def test_head_on_it_burns_across_the_course_and_says_why(engine):
    (proposal,) = engine.propose(world(track((600, 800, 0), (-15, -20, 0))))
    (action,) = proposal.actions
    assert (action.actuator, action.value, action.duration_s) == ("rcs_up", 100.0, 5.0)
    assert proposal.justification == "track boulder passes 0 m away in 40 s, doubt 0 m: 5.0 s of thrust up"
    assert [evidence.subject for evidence in proposal.rests_on] == ["qiki.radar.v1.tracks", "qiki.telemetry"]


@pytest.mark.parametrize(
    "seen",
    [
        track((0, 1000, 0), (0, 20, 0)),
        track((0, 1000, 200), (0, -20, 0)),
        track((0, 5000, 0), (0, -20, 0)),
        track((0, 50, 0), (0, 0, 0)),
        track((0, 1000, 0), (0, -20, 0), RadarTrackStatus.NEW),
        track((0, 1000, 0), (0, -20, 0), RadarTrackStatus.COASTING),
    ],
    ids=["goes-away", "passes-clear", "is-far", "stands", "is-new", "is-not-seen"],
)
def test_contacts_without_danger_are_ignored(engine, seen):
    assert burns(engine, world(seen)) == []


def test_nothing_is_known_nothing_is_done(engine):
    assert tuple(engine.propose(World(tick=1))) == ()


@pytest.mark.parametrize(
    ("miss", "heading", "axis"),
    [
        ((0, 0, 60), 0.0, "down"),
        ((0, 0, -60), 0.0, "up"),
        ((60, 0, 0), 0.0, "port"),
        ((-60, 0, 0), 0.0, "starboard"),
        ((60, 0, 0), 90.0, "aft"),
        ((-60, 0, 0), 90.0, "forward"),
    ],
)
def test_it_opens_the_gap_that_there_is(engine, miss, heading, axis):
    x, _, z = miss
    ((actuator, _),) = burns(engine, world(track((x, 800, z), (0, -20, 0)), heading=heading))
    assert actuator == f"rcs_{axis}"


def test_it_burns_no_longer_than_it_takes(engine):
    ((_, duration_s),) = burns(engine, world(track((0, 800, 110), (0, -20, 0))))
    aside_m = ACCELERATION_MPS2 * duration_s * (40 - duration_s / 2)
    assert aside_m == pytest.approx(40)


def test_it_looks_again_after_a_burn_and_in_another_run(engine):
    threat = track((600, 800, 0), (-15, -20, 0))
    assert burns(engine, world(threat, t_s=1000.0))
    assert not burns(engine, world(threat, t_s=1004.9, rcs_active=True))
    assert burns(engine, world(threat, t_s=1005.0, rcs_active=True))
    assert burns(engine, world(threat, t_s=500.0, run="two"))


def test_a_burn_that_the_vehicle_does_not_do_is_proposed_again_as_soon_as_telemetry_can_show_it(engine):
    threat = track((600, 800, 0), (-15, -20, 0))
    assert burns(engine, world(threat, t_s=1000.0))  # refused, by the agent or by the vehicle
    assert not burns(engine, world(threat, t_s=1000.5))
    assert not burns(engine, world(threat, t_s=1001.5, told_s=1000.5))
    assert burns(engine, world(threat, t_s=1001.6, told_s=1001.5))
    assert not burns(engine, world(threat, t_s=1002.5, told_s=1001.5))
    assert not burns(engine, world(threat, t_s=1002.7, rcs_active=True))


def test_too_late_to_clear_it_burns_as_long_as_there_is_time(engine):
    ((_, duration_s),) = burns(engine, world(track((0, 60, 0), (0, -20, 0))))
    assert duration_s == pytest.approx(3)


def test_of_two_the_nearer_miss_comes_first(engine):
    far, near = track((0, 300, 100), (0, -20, 0)), track((0, 1000, 30), (0, -20, 0))
    assert burns(engine, world(far, near))[0][0] == "rcs_down"


def test_a_burn_from_one_is_none_into_the_other(engine):
    """Down would open the gap to the second most; sideways opens both."""
    far, near = track((100, 300, 0), (0, -20, 0)), track((0, 1000, 30), (0, -20, 0))
    assert burns(engine, world(far, near))[0][0] == "rcs_port"


def estimated(position, velocity, acceleration=(0, 0, 0), quiet=0.999, sigma_m=1.0):
    """A track with its estimate: acceleration within 1 m/s² in a manoeuvre."""
    variances = [sigma_m**2] * 3 + [0.01] * 3 + [1.0 - quiet] * 3
    covariance = tuple(variances[row] if row == column else 0.0 for row in range(9) for column in range(row, 9))
    state = tuple(map(float, (*position, *velocity, *((1 - quiet) * part for part in acceleration))))
    probabilities = (quiet, 1 - quiet)
    estimate = TrackEstimate(
        track_id=UUID(int=1), state=state, covariance=covariance, mode_probabilities=probabilities, existence=1.0
    )
    return replace(track(position, velocity), estimate=SeenEstimate(estimate, STATE))


def test_doubt_counts_against_the_distance(engine):
    """On a straight course it passes clear; what may become of it in 40 s does not."""
    place, velocity = (0, 800, 160), (0, -20, 0)
    assert burns(engine, world(track(place, velocity))) == []
    (proposal,) = engine.propose(world(estimated(place, velocity)))
    assert "passes 160 m away in 40 s, doubt" in proposal.justification
    assert [one.subject for one in proposal.rests_on] == [TRACK.subject, STATE.subject, "qiki.telemetry"]


def test_a_turn_is_followed(engine):
    """Straight on it would pass 300 m away; it turns towards the bot."""
    place, velocity = (-300, 300, 0), (0, -20, 0)
    assert burns(engine, world(track(place, velocity))) == []
    assert burns(engine, world(estimated(place, velocity, acceleration=(3, 0, 0), quiet=0.001)))


def test_what_turns_away_is_let_go(engine):
    place, velocity = (0, 400, 100), (0, -20, 0)
    assert burns(engine, world(track(place, velocity)))
    assert burns(engine, world(estimated(place, velocity, acceleration=(0, 0, 4), quiet=0.001))) == []


def test_burns_as_it_plans_them_clear_the_course(engine, example):
    """Flown with the bot's own mass, from the collision scenario's first frame."""
    position, velocity, aside, drift, t_s = [600.0, 800.0, 0.0], (-15.0, -20.0), 0.0, 0.0, 0.0
    left_s, nearest = 0.0, math.inf
    while t_s < 45:
        seen = world(track((*position[:2], -aside), (*velocity, -drift)), t_s=t_s, rcs_active=left_s > 0)
        for actuator, duration_s in burns(engine, seen):
            assert actuator == "rcs_up"
            left_s = duration_s
        push = ACCELERATION_MPS2 * min(0.1, max(0.0, left_s))
        aside += (drift + push / 2) * 0.1
        drift, left_s, t_s = drift + push, left_s - 0.1, t_s + 0.1
        position = [position[0] + velocity[0] * 0.1, position[1] + velocity[1] * 0.1, 0.0]
        nearest = min(nearest, math.hypot(position[0], position[1], aside))
    assert example.TOO_NEAR_M < nearest < example.CLEAR_M + 10


def test_the_distribution_names_the_engine(example):
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())
    assert project["project"]["entry-points"] == {GROUP: {"avoidance": "avoidance:Avoidance"}}
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"] == ["avoidance.py"]
