"""The picture of a score, where matplotlib is."""

from pathlib import Path

import pytest

from qiki.world.scenario import load_scenario
from qiki_harness.cli.score import score as score_command
from qiki_harness.errors import HarnessError
from qiki_harness.scoring import score
from qiki_harness.scoring.offline import fly
from qiki_harness.scoring.picture import draw, save_picture


@pytest.fixture(scope="module")
def run():
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: tox -e tracking has it")
    scans = list(fly(load_scenario("crossing"), 1, 2.0))
    return scans, score(scans)[1]


def test_it_shows_contacts_tracks_detections_and_gospa(run):
    figure = draw("crossing", *run)
    plan, errors = figure.axes
    assert len(plan.lines) == 4 + 4
    assert len(plan.collections[0].get_offsets()) == sum(len(scan.plots) for scan in run[0])
    assert errors.lines[0].get_label() == "GOSPA"
    assert errors.lines[0].get_ydata() == pytest.approx(run[1].gospa)
    assert figure.get_suptitle() == "crossing"


def test_it_is_written_as_its_name_says(run, tmp_path: Path):
    save_picture(tmp_path / "score.svg", "crossing", *run)
    assert "<svg" in (tmp_path / "score.svg").read_text()


@pytest.mark.parametrize("name", ["score.nothing", "no/folder/score.png"])
def test_a_place_or_format_that_cannot_be_is_one_error(run, tmp_path: Path, name: str):
    with pytest.raises(HarnessError, match=r"score\.\w+: cannot write the picture"):
        save_picture(tmp_path / name, "crossing", *run)


def test_without_matplotlib_the_command_says_so_before_it_flies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("qiki_harness.cli.score.find_spec", lambda _: None)
    monkeypatch.setattr("qiki_harness.cli.score._fly", lambda *_: pytest.fail("it flew"))
    with pytest.raises(HarnessError, match=r"--picture takes matplotlib.*qiki-dtmp\[score\]"):
        score_command(picture=tmp_path / "score.png", live=False)
