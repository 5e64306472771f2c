"""The trajectory metric: against dynamic programming, the paper's own form, GOSPA, and what makes it a metric."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest
from scipy.optimize import linprog

from qiki_harness.scoring import ScanRecord, gospa, score, trajectories
from qiki_harness.scoring.trajectories import trajectory_metric

Make = Callable[..., ScanRecord]
Paths = dict[str, np.ndarray]
"""Positions by name, (t, 3); NaN where it is not there."""
CUTOFF, SCANS = 200.0, 5


def paths(seed: int, most: int = 3, least: int = 0) -> Paths:
    """Up to so many, some 100 m apart, that come, go and change places."""
    rng = np.random.default_rng(seed)
    position = rng.uniform(-120, 120, (rng.integers(least, most + 1), SCANS, 3))
    position[rng.random(position.shape[:2]) < 0.2] = np.nan
    return {f"{row}": path for row, path in enumerate(position)}


def scans_of(make_record: Make, contacts: Paths, tracks: Paths) -> list[ScanRecord]:
    def there(some: Paths, scan: int) -> dict[str, tuple]:
        return {name: tuple(path[scan]) for name, path in some.items() if not np.isnan(path[scan]).any()}

    return [make_record(scan, there(contacts, scan), there(tracks, scan)) for scan in range(SCANS)]


def cost(contacts: Paths, tracks: Paths, scan: int) -> np.ndarray:
    """D of the paper, with nobody as the last row and column."""
    matrix = np.zeros((len(contacts) + 1, len(tracks) + 1))
    for row, one in enumerate([*contacts.values(), None]):
        for column, other in enumerate([*tracks.values(), None]):
            here = [path[scan] for path in (one, other) if path is not None and not np.isnan(path[scan]).any()]
            if len(here) == 2:
                matrix[row, column] = min(CUTOFF, np.linalg.norm(here[0] - here[1])) ** 2
            elif here:
                matrix[row, column] = CUTOFF**2 / 2
    return matrix


def matchings(rows: int, columns: int) -> list[np.ndarray]:
    """All assignments, with nobody as the last row and column."""
    found = []
    for count in range(min(rows, columns) + 1):
        for some in combinations(range(rows), count):
            for others in permutations(range(columns), count):
                weights = np.zeros((rows + 1, columns + 1))
                weights[list(some), list(others)] = 1
                weights[:rows, columns] = 1 - weights[:rows, :columns].sum(1)
                weights[rows, :columns] = 1 - weights[:rows, :columns].sum(0)
                found.append(weights)
    return found


def by_dynamic_programming(contacts: Paths, tracks: Paths, switch: float) -> float:
    """Over whole assignments: the paper's multi-dimensional one."""
    states = matchings(len(contacts), len(tracks))
    flat = np.array([state[:-1, :-1].ravel() for state in states]).reshape(len(states), -1)
    change = switch**2 / 2 * np.abs(flat[:, None] - flat).sum(-1)
    least = np.zeros(len(states))
    for scan in range(SCANS):
        here = cost(contacts, tracks, scan)
        least = (least if scan == 0 else (least + change).min(1)) + [(state * here).sum() for state in states]
    return float(np.sqrt(least.min() / SCANS))


def by_the_papers_program(contacts: Paths, tracks: Paths, switch: float) -> float:
    """All weights of all scans, also of pairs that are far apart; then a bound on each change."""
    shape = (SCANS, len(contacts) + 1, len(tracks) + 1)
    number = np.arange(np.prod(shape)).reshape(shape)
    inner = number[:, :-1, :-1]
    changes = number.size + np.arange(inner[1:].size).reshape(inner[1:].shape)
    size = number.size + changes.size
    costs = np.concatenate(
        [
            np.stack([cost(contacts, tracks, scan) for scan in range(SCANS)]).ravel(),
            np.full(changes.size, switch**2 / 2),
        ]
    )
    ones = [*(row for scan in number for row in scan[:-1]), *(column for scan in number for column in scan[:, :-1].T)]
    equal = np.zeros((len(ones), size))
    for line, columns in zip(equal, ones, strict=True):
        line[columns] = 1
    below = np.zeros((2, changes.size, size))
    for row, (before, after, bound) in enumerate(
        zip(inner[:-1].ravel(), inner[1:].ravel(), changes.ravel(), strict=True)
    ):
        for side, sign in enumerate((1, -1)):
            below[side, row, [before, after, bound]] = sign, -sign, -1
    nobody = [(0, 0) if row in number[:, -1, -1] else (0, None) for row in range(size)]
    found = linprog(
        costs,
        A_ub=below.reshape(-1, size) if changes.size else None,
        b_ub=np.zeros(2 * changes.size) if changes.size else None,
        A_eq=equal,
        b_eq=np.ones(len(ones)),
        bounds=nobody,
    )
    return float(np.sqrt(found.fun / SCANS))


@pytest.mark.parametrize("switch", [20.0, 200.0])
@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_best_of_all_assignments_over_time(make_record: Make, seed: int, switch: float):
    contacts, tracks = paths(seed), paths(100 + seed)
    found = trajectory_metric(scans_of(make_record, contacts, tracks), switch=switch)
    assert found.distance_m == pytest.approx(by_dynamic_programming(contacts, tracks, switch))


@pytest.mark.parametrize("seed", range(8))
def test_it_is_the_papers_linear_program(make_record: Make, seed: int):
    contacts, tracks = (paths(number + seed, most=5, least=1) for number in (200, 300))
    found = trajectory_metric(scans_of(make_record, contacts, tracks), switch=100)
    assert found.distance_m == pytest.approx(by_the_papers_program(contacts, tracks, 100))


@pytest.mark.parametrize("seed", range(8))
def test_with_free_switches_it_is_gospa(make_record: Make, seed: int):
    scans = scans_of(make_record, paths(seed, most=6), paths(100 + seed, most=6))
    each = [gospa(scan.truth.position, scan.tracks.position) for scan in scans]
    found = trajectory_metric(scans, switch=0)
    assert found.distance_m**2 == pytest.approx(np.mean([one.distance**2 for one in each]))
    assert trajectory_metric(scans).distance_m >= found.distance_m - 1e-9


@pytest.mark.parametrize("seed", range(8))
class TestMetric:
    @pytest.fixture
    def apart(self, make_record: Make):
        return lambda one, other: trajectory_metric(scans_of(make_record, one, other), switch=100).distance_m

    def test_symmetry(self, apart, seed: int):
        one, other = paths(seed), paths(seed + 100)
        assert apart(one, other) == pytest.approx(apart(other, one))

    def test_identity(self, apart, seed: int):
        one = paths(seed)
        assert apart(one, {f"track-{name}": path for name, path in reversed(one.items())}) == pytest.approx(0, abs=1e-6)

    def test_triangle(self, apart, seed: int):
        one, other, third = paths(seed), paths(seed + 100), paths(seed + 200)
        assert apart(one, third) <= apart(one, other) + apart(other, third) + 1e-6


def test_parts_of_a_contact_that_is_taken_over(make_record: Make):
    """Two scans 30 m off, one without a track, two with another one 40 m off; a false track in the first."""
    one, other = {"1": (30, 0, 0)}, {"2": (0, 40, 0)}
    tracks = [one | {"3": (0, 900, 0)}, one, {}, other, other]
    found = trajectory_metric([make_record(t, {"a": (0, 0, 0)}, one) for t, one in enumerate(tracks)])
    assert found.localisation_m**2 == pytest.approx((2 * 900 + 2 * 1600) / 5)
    assert (found.missed, found.false, found.track_switches, found.block_scans) == pytest.approx((0.2, 0.2, 1, 1))
    # Of a missed and of a false one 200² / 2 each, of the switch 200².
    assert found.distance_m**2 == pytest.approx((5000 + 40_000 + 40_000) / 5)


def test_a_gap_is_no_switch_and_an_exchange_is_two(make_record: Make):
    contacts = {"a": (0, 0, 0), "b": (0, 100, 0)}
    gap = [contacts, {}, contacts]
    exchange = [contacts] * 5 + [{"a": (0, 100, 0), "b": (0, 0, 0)}] * 5
    for tracks, switches in ((gap, 0), (exchange, 2)):
        found = trajectory_metric([make_record(t, contacts, one) for t, one in enumerate(tracks)])
        assert (found.track_switches, found.localisation_m) == pytest.approx((switches, 0))


def test_an_exchange_too_short_for_its_price_is_an_error_of_position(make_record: Make):
    contacts = {"a": (0, 0, 0), "b": (0, 100, 0)}
    tracks = [contacts, {"a": (0, 100, 0), "b": (0, 0, 0)}, contacts]
    found = trajectory_metric([make_record(t, contacts, one) for t, one in enumerate(tracks)])
    assert found.track_switches == 0
    assert found.localisation_m**2 == pytest.approx(20_000 / 3)


def test_in_blocks_it_is_an_upper_bound(make_record: Make):
    """Three contacts, whose tracks change in scan 7 of 40: no border of the eight blocks."""
    rng = np.random.default_rng(5)
    contacts = {name: (0, 80 * row, 0) for row, name in enumerate("abc")}
    scans = []
    for t in range(40):
        names = "123" if t < 7 else "312"
        seen = {
            name: tuple(np.array(at) + rng.normal(0, 5, 3)) for name, at in zip(names, contacts.values(), strict=True)
        }
        scans.append(make_record(t, contacts, seen))
    exact = trajectory_metric(scans)
    bound = trajectory_metric(scans, most_weights=8 * 9)
    assert (exact.block_scans, bound.block_scans) == (1, 5)
    assert exact.track_switches == bound.track_switches == pytest.approx(3)
    assert exact.distance_m < bound.distance_m < 1.5 * exact.distance_m


def test_a_track_that_takes_over_is_a_border_of_blocks(make_record: Make):
    contacts = {"a": (0, 0, 0), "b": (0, 100, 0)}
    first, second = ({f"{name}{number}": at for name, at in contacts.items()} for number in (1, 2))
    scans = [make_record(t, contacts, first if t < 7 else second) for t in range(40)]
    exact, bound = trajectory_metric(scans), trajectory_metric(scans, most_weights=8 * 8)
    assert bound.block_scans == 5
    assert bound.distance_m == pytest.approx(exact.distance_m)


def test_it_is_part_of_the_score(make_record: Make):
    scans = [make_record(t, {"a": (0, 0, 0)}, {"1": (3, 4, 0)}) for t in range(3)]
    found, _ = score(scans)
    assert found.trajectory == trajectory_metric(scans)
    assert found.trajectory.distance_m == pytest.approx(5)


def test_without_scipy_there_is_none(make_record: Make, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trajectories, "find_spec", lambda _: None)
    found, course = score([make_record(0, {"a": (0, 0, 0)}, {"1": (3, 4, 0)})])
    assert found.trajectory is None
    assert course.gospa[0] == found.gospa_m == pytest.approx(5)


def test_doubted_tracks_do_not_count(make_record: Make):
    scan = make_record(0, {"a": (0, 0, 0)}, {})
    doubted = make_record(0, {}, {"1": (0, 0, 0)}).tracks
    assert trajectory_metric([replace(scan, doubted=doubted)]).missed == 1
