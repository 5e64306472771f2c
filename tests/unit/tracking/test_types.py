"""Object types: reported with a true confidence, or not at all."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from qiki.contracts.enums import ObjectType, RadarTrackStatus
from qiki.tracking import Tracker, TrackerParameters, TrackReports
from qiki.tracking.classify import CLASSES, LEAST_CONFIDENCE, STRANGE, STRANGE_SHARE, ObjectClass, object_types
from qiki.tracking.tracks import TRACK, Estimate
from qiki.world.scenario import load_scenario
from qiki_harness.scoring.offline import looks

NONE, DRONE, SHIP, STATION, ASTEROID, DEBRIS = ObjectType
PARAMETERS = TrackerParameters()
SPEEDS = np.linspace(0, 130, 131)


def typed(rcs_m2: Any, velocity: Any, replied: Any, variance: float = 0.01, **said: Any):
    """Types and confidences of confirmed tracks in short range, of which `said` may say otherwise."""
    velocity = np.atleast_2d(velocity).astype(float)
    tracks = np.zeros(len(velocity), dtype=TRACK)
    tracks["rcs_m2"], tracks["claims"] = rcs_m2, np.where(replied, 20, 0)
    tracks["hits"], tracks["confirmed"] = 20, True
    near, gone = (
        np.full(len(velocity), said.pop(name, default)) for name, default in (("near", True), ("gone", False))
    )
    parameters = said.pop("parameters", PARAMETERS)
    for name, value in said.items():
        tracks[name] = value
    mean = np.concatenate((np.zeros_like(velocity), velocity), axis=1)
    covariance = np.tile(np.eye(6) * variance, (len(velocity), 1, 1))
    return object_types(tracks, Estimate(mean, covariance), near, gone, parameters)


def along(speeds: Any):
    """Velocities north-east of these speeds: (n, 3)."""
    return np.multiply.outer(np.atleast_1d(speeds), [0.6, 0.8, 0.0])


@pytest.mark.parametrize(
    ("rcs_m2", "speed", "replied", "kind"),
    [
        (0.5, 20.0, True, DRONE),
        (2.0, 32.0, True, DRONE),
        (50.0, 40.0, True, SHIP),
        (200.0, 45.0, True, SHIP),
        (5_000.0, 12.0, True, SHIP),
        (2_000.0, 0.1, True, STATION),
        (20_000.0, 0.1, True, STATION),
        (200.0, 75.0, False, SHIP),
        (20_000.0, 9.0, False, ASTEROID),
        (0.01, 5.0, False, DEBRIS),
        (20.0, 12.0, True, NONE),
        (5_000.0, 2.5, True, NONE),
        (300.0, 0.1, True, NONE),
        (0.5, 20.0, False, NONE),
        (1.0, 30.0, False, NONE),
        (3.0, 18.0, False, NONE),
        (500.0, 9.0, False, NONE),
        (2_000.0, 0.0, False, NONE),
        (200.0, 1_000.0, True, NONE),
        (1e9, 20.0, True, NONE),
    ],
)
def test_types_are_said_only_where_the_evidence_does(rcs_m2: float, speed: float, replied: bool, kind: ObjectType):
    kinds, confidence = typed(rcs_m2, along(speed), replied)
    assert kinds.tolist() == [kind]
    assert kinds.dtype == np.int8
    assert LEAST_CONFIDENCE <= confidence[0] < 1 if kind else confidence[0] == 0


@pytest.mark.parametrize("lack", [{"hits": 9}, {"confirmed": False}, {"gone": True}, {"claims": 1}])
def test_a_contact_that_is_young_tentative_dead_or_seldom_identified_has_no_type(lack: dict[str, Any]):
    assert typed(2.0, along(20.0), True)[0].tolist() == [DRONE]
    kinds, confidence = typed(2.0, along(20.0), True, **lack)
    assert (kinds.tolist(), confidence.tolist()) == ([NONE], [0.0])


def test_fewer_looks_at_a_fluctuating_contact_say_less():
    few, many = (typed(20_000.0, along(9.0), False, parameters=TrackerParameters(smoothing=w)) for w in (0.8, 0.2))
    assert few[0].tolist() == many[0].tolist() == [ASTEROID]
    assert few[1] < many[1]


def test_an_unknown_speed_does_not_distinguish_station_and_ship():
    assert typed(1_000.0, along(0.1), True, variance=0.01)[0].tolist() == [STATION]
    assert typed(1_000.0, along(0.1), True, variance=400.0)[0].tolist() == [NONE]


def test_a_false_identity_proves_a_transmitter_as_well_as_a_true_one():
    true, false = (typed(2.0, along(32.0), True, spoof=spoof) for spoof in (False, True))
    assert true[0].tolist() == [DRONE]
    np.testing.assert_array_equal(true, false)


def test_a_contact_in_long_range_does_not_count_as_silent():
    assert typed(2_500.0, along(9.0), False)[0].tolist() == [ASTEROID]
    assert typed(2_500.0, along(9.0), False, near=False)[0].tolist() == [NONE]


@pytest.mark.parametrize("variance", [0.01, 1.0, 10.0, 100.0])
@pytest.mark.parametrize(("sizes_m2", "taken_for"), [((20.0, 1_000.0), ASTEROID), ((0.3, 10.0), DEBRIS)])
def test_silence_makes_no_rock_of_a_ship_and_no_wreck_of_a_drone(
    sizes_m2: tuple[float, float], taken_for: ObjectType, variance: float
):
    sizes = np.geomspace(*sizes_m2, 20)
    for near in (True, False):
        kinds, _ = typed(np.repeat(sizes, len(SPEEDS)), np.tile(along(SPEEDS), (20, 1)), False, variance, near=near)
        assert taken_for not in kinds
        assert set(kinds.tolist()) > {NONE}  # the fast ones are vehicles


def smoothed(rng: np.random.Generator, rcs_m2: Any, hits: int = 20):
    """The tracker's exponential mean of Swerling I echoes."""
    mean = rcs_m2 * rng.exponential(size=len(rcs_m2))
    for _ in range(hits - 1):
        mean += PARAMETERS.smoothing * (rcs_m2 * rng.exponential(size=len(rcs_m2)) - mean)
    return mean


def drawn(rng: np.random.Generator, one: ObjectClass, count: int, variance: float):
    """Size, estimated velocity and reply of tracks of one class, as the table has them."""
    rcs_m2 = 10 ** (rng.normal(one.rcs_dbsm, one.rcs_spread_db, count) / 10)
    sigma = rng.choice(list(one.motion), count, p=list(one.motion.values()))
    velocity = rng.standard_normal((count, 3)) * np.sqrt(sigma**2 + variance)[:, None]
    return smoothed(rng, rcs_m2), velocity, rng.random(count) < one.answers


@pytest.mark.parametrize("variance", [0.05, 20.0])
def test_the_confidence_is_the_share_of_right_types(variance: float):
    rng = np.random.default_rng(7)
    population = {kind: (one, 8_000) for kind, one in CLASSES.items()} | {NONE: (STRANGE, round(STRANGE_SHARE * 8_000))}
    truth = np.repeat(list(population), [count for _, count in population.values()])
    tracks = [drawn(rng, one, count, variance) for one, count in population.values()]
    kinds, confidence = typed(*map(np.concatenate, zip(*tracks, strict=True)), variance)
    right = kinds == truth
    for low, high in ((0.9, 0.93), (0.93, 0.96), (0.96, 0.99), (0.99, 1.0)):
        among = (confidence >= low) & (confidence < high)
        claimed, spread = confidence[among].sum(), np.sqrt((confidence * (1 - confidence))[among].sum())
        assert among.sum() > 200
        assert abs(right[among].sum() - claimed) < 3.5 * spread
    assert not confidence[kinds == NONE].any()
    assert all((kinds[truth == kind] == kind).sum() > 200 for kind in CLASSES if kind is not STATION or variance < 1)


def test_a_silent_ship_whose_echo_fluctuates_is_no_asteroid():
    rng = np.random.default_rng(8)
    for rcs_m2 in (50.0, 200.0):
        size = smoothed(rng, np.full(20_000, rcs_m2))
        assert ASTEROID not in typed(size, along(rng.uniform(0, 60, 20_000)), False)[0]


def test_the_types_are_in_the_contracts_order():
    assert list(CLASSES) == [kind for kind in ObjectType if kind]


def test_a_lost_contact_is_reported_without_a_type(
    radar: Any, world: Any, make_tracker: Callable[..., Tracker], follow: Callable[..., list[TrackReports]]
):
    radar.detection_probability = 1.0

    def flying(t_s: float):
        return world(np.array([[0.0, 900.0 + 20 * t_s, 0.0]]), np.array([[0.0, 20.0, 0.0]]), claims=["F-1"])

    tracker = make_tracker()
    assert follow(tracker, radar, flying, 30)[-1].object_type.tolist() == [DRONE]
    radar.detection_probability = 0.0
    ends = [reports for reports in follow(tracker, radar, flying, 60, first=30) if len(reports)]
    assert ends[0].object_type.tolist() == [DRONE]
    assert ends[-1].status.tolist() == [RadarTrackStatus.LOST]
    assert (ends[-1].object_type.tolist(), ends[-1].type_confidence.tolist()) == ([NONE], [0.0])


def test_no_contact_of_the_simulator_is_given_a_wrong_type():
    scenario = load_scenario("mixed-traffic").model_copy(update={"frame_rate_hz": 1.0})
    truth = {contact.id: contact.object_type for contact in scenario.contacts}
    tracker = Tracker(UUID(int=1), PARAMETERS, scenario.identities)
    said: dict[str, set[int]] = {name: set() for name in truth}
    for look in looks(scenario, seed=1, seconds=100):
        reports = tracker.step(look.scan)
        apart = (reports.position + look.scan.own_position)[:, None] - look.truth.position
        nearest = np.linalg.norm(apart, axis=2).argmin(1)
        for row in np.flatnonzero(reports.object_type).tolist():
            said[look.truth.ids[nearest[row]]].add(int(reports.object_type[row]))
    assert all(kinds <= {truth[name]} for name, kinds in said.items())
    named = {"depot", "ferry", "freighter", "liner", "viper", "impostor", "wren", "finch"}
    assert {name for name, kinds in said.items() if kinds} >= named
    assert not said["stray"] | said["rock"]  # without a reply, and no faster than what drifts
