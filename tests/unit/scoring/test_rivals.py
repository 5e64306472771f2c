"""Somebody's own tracker in the place of the platform's."""

import sys
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from qiki.contracts.enums import FriendFoe, RadarTrackStatus
from qiki.tracking import Tracker, TrackerParameters
from qiki.world.scenario import load_scenario
from qiki_harness.errors import HarnessError
from qiki_harness.scoring import score
from qiki_harness.scoring.offline import fly, looks, tracks_of
from qiki_harness.scoring.rivals import fly_rival, load_rival

BENCH = Path(__file__).parents[2] / "bench" / "tracking"
LAST_PLOTS = """
import numpy as np
import beside
from qiki_harness.scoring import Tracks

class LastPlots:
    '''Takes each plot for a contact at rest.'''

    def step(self, scan):
        position = scan.own_position + scan.range_m[:, None] * scan.line_of_sight
        spread = np.broadcast_to(beside.VARIANCE * np.eye(3), (scan.size, 3, 3))
        ids = [str(row) for row in range(scan.size)]
        return Tracks(ids, position, 0 * position, spread, spread, np.full(scan.size, beside.SURE))

def make_tracker(parameters, identities):
    return LastPlots()

class Broken(LastPlots):
    def step(self, scan):
        found = super().step(scan)
        return Tracks(found.ids, found.position[:, :2], *(getattr(found, name) for name in (
            "velocity", "position_covariance", "velocity_covariance", "existence")))

def broken(parameters, identities):
    return Broken()

class Certain(LastPlots):
    def step(self, scan):
        found = super().step(scan)
        return Tracks(*(getattr(found, name) for name in (
            "ids", "position", "velocity", "position_covariance", "velocity_covariance")), 2 * found.existence + 1)

def certain(parameters, identities):
    return Certain()

def fails(parameters, identities):
    raise RuntimeError("out of order")
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tracker's file, and a module beside it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("last_plots", "beside"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "beside.py").write_text("VARIANCE, SURE = 100.0, 0.5\n")
    path = tmp_path / "last_plots.py"
    path.write_text(LAST_PLOTS)
    return path


class Ours:
    """The platform's tracker as a rival."""

    def __init__(self, parameters, identities) -> None:
        self._tracker = Tracker(UUID(int=1), parameters, identities)

    def step(self, scan):
        reports = self._tracker.step(scan)
        return tracks_of(reports, scan.own_position, scan.own_velocity).take(reports.status != RadarTrackStatus.LOST)


def test_the_platforms_own_tracker_scores_as_it_does_by_itself():
    scenario = load_scenario("crossing")
    ours, _ = score(list(fly(scenario, 3, 20)))
    rival, _ = score(list(fly_rival(scenario, 3, 20, Ours)))
    assert rival.probabilistic_gospa_m == ours.probabilistic_gospa_m
    assert rival.coverage[0].within_99 == pytest.approx(ours.coverage[0].within_99, abs=0.01)


def test_records_have_the_bots_position_as_ours_do():
    """The bot of this scenario flies."""
    scenario = load_scenario("crossing").model_copy(
        update={"bot": load_scenario("crossing").bot.model_copy(update={"velocity_mps": (5.0, 0.0, 0.0)})}
    )
    ours, rival = list(fly(scenario, 3, 5)), list(fly_rival(scenario, 3, 5, Ours))
    assert ours[-1].own_position[0] > 20
    np.testing.assert_array_equal([scan.own_position for scan in ours], [scan.own_position for scan in rival])


def test_a_file_is_a_tracker_with_what_lies_beside_it(file: Path):
    found, _ = score(list(fly_rival(load_scenario("crossing"), 3, 5, load_rival(str(file)))))
    assert (found.contacts, found.never_tracked) == (4, 0)
    assert 0 < found.gospa_m < 100
    assert found.identity_switches > 0


def test_it_is_told_of_the_radar_and_of_the_identities():
    told = {}

    def factory(parameters, identities):
        told.update(parameters=parameters, identities=identities)
        return Ours(parameters, identities)

    scenario = load_scenario("mixed-traffic")
    coarse = scenario.model_copy(update={"radar": scenario.radar.model_copy(update={"range_floor_m": 20.0})})
    list(fly_rival(coarse, 1, 0.5, factory))
    assert told["parameters"].range_floor_m == 20.0
    assert set(told["identities"].values()) <= {FriendFoe.FRIEND, FriendFoe.FOE}
    assert told["identities"] == scenario.identities


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("{file}:nobody", r"has no function nobody\(parameters, identities\)"),
        ("no.such.module", "cannot be imported: ModuleNotFoundError"),
        ("{file}x.py", "cannot be imported: FileNotFoundError"),
        ("json", r"has no function make_tracker\(parameters, identities\)"),
    ],
)
def test_what_is_no_tracker_is_said(file: Path, named: str, reason: str):
    with pytest.raises(HarnessError, match=reason):
        load_rival(named.format(file=file))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("broken", r"it fails on the scan at 0 s: ValueError\('position: shape \(\d+, 2\) \(expected \(\d+, 3\)\)'\)"),
        ("certain", r"it fails on the scan at 0 s: ValueError\('existence: not all values are from 0 to 1'\)"),
        ("fails", r"it cannot be made: RuntimeError\('out of order'\)"),
    ],
)
def test_a_tracker_that_fails_is_told_from_ours(file: Path, name: str, reason: str):
    with pytest.raises(HarnessError, match=reason):
        list(fly_rival(load_scenario("crossing"), 3, 1, load_rival(f"{file}:{name}")))


@pytest.mark.parametrize("associator", ["gnn", "jpda"])
def test_stone_soup_is_one(associator: str):
    pytest.importorskip("stonesoup", reason="Stone Soup is not installed: tox -e tracking has it", exc_type=ImportError)
    scenario = load_scenario("crossing").model_copy(update={"frame_rate_hz": 1.0})
    found, _ = score(list(fly_rival(scenario, 3, 10, load_rival(f"{BENCH / 'stone_soup.py'}:{associator}"))))
    assert (found.contacts, found.never_tracked) == (4, 0)
    assert np.isfinite(found.gospa_m)


class TestLmb:
    @pytest.fixture
    def lmb(self, monkeypatch: pytest.MonkeyPatch):
        pytest.importorskip("multisensor_lmb_filters_rs", reason="tox -e tracking installs it, from Python 3.12 on")
        monkeypatch.setattr(sys, "path", list(sys.path))
        monkeypatch.delitem(sys.modules, "lmb", raising=False)
        return load_rival(str(BENCH / "lmb.py"))

    def test_it_tracks_from_the_second_scan_on(self, lmb):
        scans = list(fly_rival(load_scenario("crossing"), 3, 20, lmb))
        assert [len(scan.tracks.ids) for scan in scans[:2]] == [0, 4]
        found, _ = score(scans)
        assert (found.contacts, found.never_tracked, found.identity_switches) == (4, 0, 0)
        assert found.gospa_m < 20
        assert 2 < found.nees_position < 3.5  # covariances wrong by a factor of 1.5 would leave it

    def test_it_doubts_what_is_seen_once(self, lmb):
        scans = list(fly_rival(load_scenario("clutter"), 1, 20, lmb))
        doubted = np.concatenate([scan.doubted.existence for scan in scans])
        assert 0 < np.median(doubted) < 0.1
        assert score(scans)[0].false < 0.01

    def test_a_scan_without_plots_is_a_prediction(self, lmb):
        scenario = load_scenario("crossing")
        first, second, third, *_ = (look.scan for look in looks(scenario, 3, 1.0))
        rival = lmb(TrackerParameters(), {})
        rival.step(first)
        before = rival.step(second)
        before = before.take(before.existence > 0.5)
        none = np.zeros(0, dtype=np.intp)
        columns = ("range_m", "line_of_sight", "doppler_mps", "snr_db")
        after = rival.step(replace(third, **{name: getattr(third, name)[none] for name in columns}))
        assert after.ids == before.ids
        assert (after.existence < before.existence).all()
        lapse_s = (third.t_us - second.t_us) / 1e6
        np.testing.assert_allclose(after.position, before.position + lapse_s * before.velocity, atol=1e-6)
