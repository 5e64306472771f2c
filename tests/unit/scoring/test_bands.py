"""The tracker's score of each shipped scenario, within committed bands."""

import re
from pathlib import Path

import pytest

from qiki.world.scenario import scenario_names
from qiki_harness.errors import HarnessError
from qiki_harness.scoring.bands import ROOM, faults, load, measure, to_toml

FILE = Path(__file__).parents[2] / "bench" / "bands.toml"


def test_every_scenario_has_bands():
    assert set(load(FILE)) == set(scenario_names())


@pytest.mark.parametrize("name", scenario_names())
def test_the_score_is_within_its_bands(name: str):
    assert faults(load(FILE)[name], measure(name)) == []


def test_what_is_seen_is_within_the_bands_that_are_written_around_it(tmp_path: Path):
    seen = {"calm": dict.fromkeys(ROOM, 0.0), "wild": dict.fromkeys(ROOM, 0.789)}
    file = tmp_path / "bands.toml"
    file.write_text(to_toml(seen))
    bands = load(file)
    assert bands.keys() == seen.keys()
    for name, figures in seen.items():
        assert faults(bands[name], figures) == []


@pytest.mark.parametrize(
    ("figure", "value", "fault"),
    [
        ("gospa_m", 1.2, "gospa_m: 1.2 (expected 0.9 to 1.1)"),
        ("gospa_m", 0.8, "gospa_m: 0.8 (expected 0.9 to 1.1)"),
        ("identity_switches", 1.5, "identity_switches: 1.5 (expected 1 to 1)"),
        ("gospa_m", None, "gospa_m: none (expected 0.9 to 1.1)"),
    ],
)
def test_worse_better_and_none_are_faults(tmp_path: Path, figure: str, value: float | None, fault: str):
    file = tmp_path / "bands.toml"
    file.write_text(to_toml({"calm": dict.fromkeys(ROOM, 1.0)}))
    seen = dict.fromkeys(ROOM, 1.0) | {figure: value}
    assert faults(load(file)["calm"], {name: one for name, one in seen.items() if one is not None}) == [fault]


def test_a_figure_without_a_band_is_a_fault():
    assert faults({}, {"gospa_m": 1.0}) == ["gospa_m: 1 (expected none)"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"[calm", "bands.toml: "),
        (b"[calm]\ngospa_m = [1.0]\n", "calm.gospa_m"),
        (b"\xff", "can't decode byte 0xff"),
        (None, "No such file"),
    ],
)
def test_a_file_that_has_no_bands_is_one_error(tmp_path: Path, text: bytes | None, reason: str):
    file = tmp_path / "bands.toml"
    if text is not None:
        file.write_bytes(text)
    with pytest.raises(HarnessError, match=re.escape(reason)):
        load(file)
