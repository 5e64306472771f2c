"""The bench of rivals: its scenes, and the diagram of the quality."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from qiki_harness.scoring.consistency import Bin, Reliability
from qiki_harness.scoring.offline import Look, looks

BENCH = Path(__file__).parents[2] / "bench" / "tracking"
OWN = ("hard", "quality", "tables")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch):
    """Import a module of the bench, as its own modules do."""
    monkeypatch.syspath_prepend(str(BENCH))
    for name in OWN:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in OWN:
        sys.modules.pop(name, None)


class TestHardScenes:
    @pytest.fixture
    def fly(self, load):
        def flown(name: str, seconds: float = 60.0) -> list[Look]:
            scenario = load("hard").build(name)
            return list(looks(scenario.model_copy(update={"frame_rate_hz": 1.0}), 1, seconds))

        return flown

    def test_turns_of_nine_g(self, load):
        scenario = load("hard").build("turns-9g").model_copy(update={"frame_rate_hz": 10.0})
        velocity = np.array([look.truth.velocity for look in looks(scenario, 1, 60)])
        acceleration = np.linalg.norm(np.diff(velocity, axis=0) / 0.1, axis=2)
        assert np.quantile(acceleration[acceleration > 1], 0.5) == pytest.approx(9 * 9.81, rel=0.05)
        assert (acceleration > 80).any(0).all()

    def test_formations_that_converge(self, fly):
        west, east = (
            np.array([look.truth.position[half] for look in fly("converging")]) for half in (slice(8), slice(8, 16))
        )
        apart = np.linalg.norm(west[0][:, None] - west[0], axis=2)
        assert apart[apart > 0].min() == pytest.approx(60, abs=1)
        between = np.linalg.norm(west[:, :, None] - east[:, None], axis=3).min((1, 2))
        assert between[0] > 2000
        assert between.min() < 60

    def test_contacts_that_blink(self, fly):
        flight = fly("blinking")
        assert np.mean([look.scan.size for look in flight]) == pytest.approx(0.55 * 12, rel=0.2)

    def test_clutter_that_is_dense(self, fly):
        assert np.mean([look.scan.size for look in fly("dense-clutter")]) > 10 + 15

    def test_a_melee(self, fly):
        flight = fly("melee")
        position = flight[0].truth.position
        assert len(position) == 40
        assert np.ptp(position, axis=0).max() < 3000

    def test_contacts_that_are_never_resolved(self, fly):
        flight = fly("unresolved", 180.0)
        assert len(flight) == 180
        for look in flight:
            first, second = look.truth.position[::2], look.truth.position[1::2]
            assert np.linalg.norm(first - second, axis=1) == pytest.approx([20] * 4)
            assert np.linalg.norm(first, axis=1) == pytest.approx([5000] * 4, rel=0.2)
            assert look.scan.size <= 4 + 2  # a plot a pair, and false alarms


class TestQuality:
    @pytest.fixture
    def quality(self, load):
        pytest.importorskip("matplotlib", reason="matplotlib is not installed: tox -e tracking has it")
        return load("quality")

    @pytest.fixture
    def measured(self, quality):
        pooled = quality.Quality(Reliability(0.08, (Bin(10, 0.05, 0.1), Bin(12_000, 0.97, 1.0))), (10, 1_300))
        return {"crossing": pooled, quality.POOLED: pooled}

    def test_counts_are_in_the_table_and_in_the_picture(self, quality, measured, tmp_path: Path):
        assert "| 0.9 to 1.0 | 0.9700 | 1.0000 | 12,000 | 1,300 |" in quality.quality_section(measured)
        quality.draw_quality(measured, tmp_path / "one.svg")
        picture = (tmp_path / "one.svg").read_text()
        assert all(count in picture for count in (">10<", ">(10)<", ">1,300<", ">(12,000)<"))

    def test_the_same_measurement_is_the_same_file(self, quality, measured, tmp_path: Path):
        for name in ("one.svg", "other.svg"):
            quality.draw_quality(measured, tmp_path / name)
        assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()

    def test_few_tracks_have_a_wide_interval(self, quality):
        low, high = quality._interval(np.array([0.9, 0.9]), np.array([10, 10_000]))
        assert (low[0], high[0]) == pytest.approx((0.596, 0.982), abs=0.001)
        assert high[1] - low[1] < 0.02

    def test_tracks_of_all_scenarios_are_pooled(self, quality, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(quality, "scenario_names", lambda: ["crossing", "clutter", "empty"])
        monkeypatch.setattr(quality, "SEEDS", (1,))
        monkeypatch.setattr(quality, "SECONDS", 5.0)
        measured = quality.measure_quality()
        assert list(measured) == ["crossing", "clutter", quality.POOLED]
        tracks = {name: sum(one.tracks for one in found.diagram.bins) for name, found in measured.items()}
        assert tracks[quality.POOLED] == tracks["crossing"] + tracks["clutter"]
        assert measured[quality.POOLED].diagram.bins[0].said < 0.1  # tentative tracks count
        assert measured["crossing"].different[-1] >= 4
