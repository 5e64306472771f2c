"""The measurement model: its noise by hand, its Jacobian against finite differences, its awkward places."""

from collections.abc import Callable
from dataclasses import asdict
from math import pi, radians, sqrt
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.arrays import Array
from qiki.contracts.radar_figures import RadarFigures
from qiki.geometry import unit_vectors
from qiki.radar import RadarParameters
from qiki.tracking import Scan, Tracker, TrackerParameters
from qiki.tracking.measurement import Measurements, linearise, measured, position_noise

PARAMETERS = TrackerParameters()
components = st.floats(-5_000, 5_000)
speeds = st.floats(-300, 300)


def vectors(elements: st.SearchStrategy[float]) -> st.SearchStrategy[Array]:
    return st.tuples(elements, elements, elements).map(np.array)


def plot_of(relative: Array, velocity: Array, snr_db: float = 20.0) -> Measurements:
    """A measurement without error."""
    range_m = np.linalg.norm(relative)
    sight = relative / range_m
    return measured(np.array([range_m]), sight[None], np.array([sight @ velocity]), np.array([snr_db]), PARAMETERS)


def observed(state: Array) -> Array:
    """Range, line of sight and range rate of one relative state."""
    range_m = np.linalg.norm(state[:3])
    sight = state[:3] / range_m
    return np.array([range_m, *sight, sight @ state[3:]])


def test_noise_follows_from_resolution_and_snr():
    parameters = TrackerParameters(range_floor_m=0, angle_floor_rad=0, doppler_floor_mps=0)
    plot = measured(np.ones(1), np.eye(3)[:1], np.zeros(1), np.array([20.0]), parameters)
    # SNR 100: √(2·100) = 14.142; 15·√3/(π·14.142) = 0.58477; 4°/(1.6·14.142) = 0.17678°; 1.6·√3/(π·14.142) = 0.062376
    assert plot.sigma_range_m[0] == pytest.approx(0.58477, rel=1e-4)
    assert plot.sigma_angle_rad[0] == pytest.approx(radians(0.176777), rel=1e-4)
    assert plot.sigma_doppler_mps[0] == pytest.approx(0.062376, rel=1e-4)


def test_noise_halves_with_six_decibels_and_stops_at_its_floor():
    def sigma(snr_db: float, floor: float) -> float:
        parameters = TrackerParameters(range_floor_m=floor)
        return float(measured(np.ones(1), np.eye(3)[:1], np.zeros(1), np.array([snr_db]), parameters).sigma_range_m[0])

    assert sigma(20 + 20 * np.log10(2), 0.0) == pytest.approx(sigma(20, 0.0) / 2)
    assert sigma(90, 3.0) == pytest.approx(3.0, rel=1e-6)


def test_position_noise_is_thin_along_the_sight_and_wide_across():
    plot = plot_of(np.array([0.0, 2_000.0, 0.0]), np.zeros(3))
    noise = position_noise(plot, plot.sight, plot.range_m)[0]
    across = (2_000.0 * plot.sigma_angle_rad[0]) ** 2
    np.testing.assert_allclose(noise, np.diag([across, plot.sigma_range_m[0] ** 2, across]), rtol=1e-12)


@given(vectors(components), vectors(speeds), vectors(st.floats(-1, 1)), vectors(st.floats(-1, 1)))
def test_jacobian_agrees_with_finite_differences(
    position: Any, velocity: Any, position_step: Array, velocity_step: Array
):
    position = position + np.array([0, 0, 50.0]) * (np.linalg.norm(position) < 25)
    if np.linalg.norm(position) < 20:
        return
    model = linearise(plot_of(position, velocity), position[None], velocity[None], np.zeros((1, 3, 3)))
    state, step = np.concatenate((position, velocity)), np.concatenate((position_step, velocity_step)) * 1e-3
    difference = observed(state + step) - observed(state - step)
    predicted = model.matrix[0] @ (2 * step)
    sight, range_m = model.sight[0], np.linalg.norm(position)
    # The first three rows are the position: along the sight the range, across it the sight's turning times range.
    assert sight @ predicted[:3] == pytest.approx(difference[0], abs=1e-7)
    across = predicted[:3] - (sight @ predicted[:3]) * sight
    np.testing.assert_allclose(across / range_m, difference[1:4], atol=1e-8)
    assert predicted[3] == pytest.approx(difference[4], abs=1e-6)


@given(vectors(components), vectors(speeds))
def test_a_measurement_without_error_reads_back_as_the_position(position: Any, velocity: Any):
    if np.linalg.norm(position) < 20:
        return
    model = linearise(plot_of(position, velocity), position[None], velocity[None], np.zeros((1, 3, 3)))
    np.testing.assert_allclose(model.position[0], position, atol=1e-8)


@pytest.mark.parametrize("elevation", [pi / 2, -pi / 2])
def test_the_zenith_is_a_place_like_any_other(elevation: float):
    overhead = 1_000.0 * unit_vectors(np.array([1.0]), np.array([elevation]))
    beside = overhead + np.array([[3.0, -2.0, 0.0]])
    model = linearise(plot_of(overhead[0], np.zeros(3)), beside, np.zeros((1, 3)), np.zeros((1, 3, 3)))
    np.testing.assert_allclose(model.position, overhead, atol=0.02)
    assert np.linalg.eigvalsh(model.noise[0]).min() > 0


@pytest.mark.parametrize("point", [[0.0, 0.0, 0.0], [0.0, -40.0, 0.0]])
def test_a_prior_at_or_behind_the_bot_gives_way_to_the_measured_sight(point: list[float]):
    plot = plot_of(np.array([0.0, 30.0, 0.0]), np.zeros(3))
    model = linearise(plot, np.array([point]), np.zeros((1, 3)), np.zeros((1, 3, 3)))
    np.testing.assert_allclose(model.position[0], [0, 30, 0], atol=1e-9)
    np.testing.assert_allclose(model.sight[0], [0, 1, 0], atol=1e-12)


def test_unknown_velocity_across_the_sight_blurs_the_range_rate():
    plot = plot_of(np.array([0.0, 1_000.0, 0.0]), np.zeros(3))
    spread = np.diag([100.0**2, 7.0, 100.0**2])[None]
    noise = linearise(plot, np.array([[0.0, 1_000.0, 0.0]]), np.zeros((1, 3)), spread).noise[0, 3, 3]
    expected = sqrt(plot.sigma_doppler_mps[0] ** 2 + 2 * (100.0 * plot.sigma_angle_rad[0]) ** 2)
    assert sqrt(noise) == pytest.approx(expected)


def test_a_radar_is_described_in_the_trackers_own_words():
    """The defaults are those of the platform's radar, in round numbers."""
    figures = RadarParameters().figures
    changed = asdict(TrackerParameters().of_radar(figures))
    defaults = asdict(TrackerParameters())
    assert {name: changed[name] for name in defaults if changed[name] != defaults[name]} == {
        "range_resolution_m": pytest.approx(15.0, rel=1e-3),
        "doppler_resolution_mps": pytest.approx(1.6, rel=0.03),
    }
    assert TrackerParameters().of_radar(None) == TrackerParameters()
    assert {name: changed[name] for name in figures.model_dump()} == figures.model_dump()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.filterwarnings("error")
def test_no_radar_within_bounds_costs_the_filter_its_digits(
    seed: int, run_id: UUID, make_scans: Callable[[int], list[Scan]]
):
    rng = np.random.default_rng(seed)
    bounds = RadarFigures.model_json_schema()["properties"]
    ends = {name: bounds[name].get(rng.choice(["minimum", "maximum"]), 1e-300) for name in RadarFigures.model_fields}
    tracker = Tracker(run_id, TrackerParameters().of_radar(RadarFigures(**ends)), {})
    for scan in make_scans(8):
        reports = tracker.step(scan)
        for numbers in (reports.position, reports.velocity, reports.position_covariance, reports.velocity_covariance):
            assert np.isfinite(numbers).all()
