"""Predictions of an engine: from estimates, and on straight courses without them."""

from typing import Any
from uuid import UUID

import numpy as np
import pytest

from qiki.agent import Evidence, SeenEstimate, SeenTrack, Vector, World
from qiki.agent.agent import AgentParameters
from qiki.agent.prediction import predict_track, predict_tracks
from qiki.flight import Flight
from qiki.tracking.estimates import predict_path
from qiki.world.scenario import load_scenario

RUN = UUID("6f1c3d1e-0000-4000-8000-000000000001")
PLACE = Evidence(subject="qiki.radar.v1.tracks", sequence=1, age_s=0.0)
TIMES_S = (0.0, 2.0, 10.0)


class Recorder:
    """An engine that keeps its worlds."""

    def __init__(self) -> None:
        self.worlds: list[World] = []

    def propose(self, world: World) -> list[Any]:
        self.worlds.append(world)
        return []


def test_an_engine_predicts_what_the_tracker_predicts():
    """Relative to the bot, which burns: from its place and its velocity at the frame's time."""
    recorder = Recorder()
    options = {"engines": {"recorder": recorder}, "agent": AgentParameters(conduct="lockstep")}
    flight = Flight(load_scenario("mixed-traffic"), run_id=RUN, **options)
    flight.command("sim.rcs.fire", axis="port", pct=100.0, duration_s=5.0)
    for moment in flight.fly(10.0):
        if moment.frame is None:
            continue
        measured, world = moment.frame.measured, recorder.worlds[-1]
        assert world.frame == measured.number
        own = np.array(measured.own_position_m), np.array(measured.own_velocity_mps)
        expected, spread = predict_path(flight.estimates().seen_from(*own), TIMES_S)
        position, covariance = predict_tracks(world.tracks, TIMES_S)
        assert len(position) == len(expected) > 0
        assert [str(seen.estimate.report.track_id) for seen in world.tracks if seen.estimate] == list(
            flight.estimates().track_id
        )
        np.testing.assert_allclose(position, expected, atol=0.01)
        np.testing.assert_allclose(covariance, spread, rtol=0.02, atol=0.02)


@pytest.fixture
def straight(make: Any) -> SeenTrack:
    report = make.track(1).model_copy(
        update={
            "position": Vector(x=0, y=1000, z=0),
            "velocity": Vector(x=0, y=-20, z=0),
            "position_covariance": (4.0, 0.5, 0.0, 9.0, 0.0, 1.0),
            "velocity_covariance": (0.25, 0.0, 0.0, 1.0, 0.0, 0.0),
        }
    )
    return SeenTrack(report, PLACE)


def test_without_an_estimate_a_track_goes_straight_on(straight: SeenTrack):
    position, covariance = predict_track(straight, 10.0)
    np.testing.assert_allclose(position, [0, 800, 0])
    np.testing.assert_allclose(covariance, [[29, 0.5, 0], [0.5, 109, 0], [0, 0, 1]])


def test_tracks_with_and_without_estimates_keep_their_order(straight: SeenTrack, make: Any):
    (estimate,) = make.estimates(0, 2).tracks
    sure = SeenTrack(make.track(2), PLACE, SeenEstimate(estimate, PLACE))
    position, covariance = predict_tracks((straight, sure, straight), TIMES_S)
    np.testing.assert_allclose(position[:, 2], [[0, 800, 0]] * 3, atol=1e-6)
    np.testing.assert_allclose(position[0], position[2])
    assert np.trace(covariance[1, 2]) > np.trace(covariance[0, 2])  # it may begin a manoeuvre


def test_a_track_without_a_place_has_no_prediction(make: Any):
    position, _ = predict_track(SeenTrack(make.track(1), PLACE), 1.0)
    assert np.isnan(position).all()


def test_nobody_has_no_predictions():
    position, covariance = predict_tracks((), TIMES_S)
    assert (position.shape, covariance.shape) == ((0, 3, 3), (0, 3, 3, 3))


def test_times_beyond_a_minute_are_refused(straight: SeenTrack, make: Any):
    (estimate,) = make.estimates(0, 2).tracks
    with pytest.raises(ValueError, match="ahead"):
        predict_track(SeenTrack(make.track(2), PLACE, SeenEstimate(estimate, PLACE)), 61.0)
