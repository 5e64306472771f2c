"""`qiki score` offline: what it prints, and what it refuses."""

import io
import json
import sys
from functools import partial

import pytest

from qiki_harness.cli import main
from qiki_harness.cli.score import measuring
from qiki_harness.scoring import score, trajectory_metric


def qiki(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["qiki", *words])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert qiki(monkeypatch, "score", "crossing", "--seed", "3", "--seconds", "2") == 0
    figures, ellipsoids = capsys.readouterr().out.split("\n\n")
    title, head, *rows = figures.splitlines()
    assert title == "crossing, seed 3, 2 s at 10 frames/s"
    assert head.split() == ["METRIC", "VALUE"]
    told = dict(row.rsplit("  ", 1) for row in rows)
    assert {name.strip(): value for name, value in told.items()}["identity switches"] == "0"
    assert any(name.startswith("GOSPA") for name in told)
    _, *ahead = ellipsoids.splitlines()
    assert [row.split("  ")[0] for row in ahead] == ["now", "2 s ahead", "5 s ahead", "10 s ahead"]
    assert ahead[-1].split()[-5:] == ["-", "-", "-", "-", "0"]


def test_the_trajectory_metric_has_its_parts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert qiki(monkeypatch, "score", "crossing", "--seconds", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    first = next(row for row, line in enumerate(lines) if line.startswith("trajectory metric"))
    parts = [line.split("  ")[1] for line in lines[first + 1 : first + 5]]
    assert parts == ["localisation", "missed, a scan", "false, a scan", "track switches"]


def test_an_upper_bound_and_a_missing_solver_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(score.__globals__, "trajectory_metric", partial(trajectory_metric, most_weights=8))
    assert qiki(monkeypatch, "score", "crossing", "--seconds", "2") == 0
    bound = next(line for line in capsys.readouterr().out.splitlines() if "upper bound" in line)
    assert int(bound.split()[-1]) > 1
    monkeypatch.setattr("qiki_harness.scoring.trajectories.find_spec", lambda _: None)
    assert qiki(monkeypatch, "score", "crossing", "--seconds", "2") == 0
    said = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("trajectory metric"))
    assert said.endswith("not there: it takes scipy, pip install 'qiki-dtmp[score]'")


def test_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert qiki(monkeypatch, "score", "crossing", "--seconds", "1", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["run"] == "crossing, seed 1, 1 s at 10 frames/s"
    assert told["score"]["scans"] == len(told["over_time"]["gospa"]) == 10
    assert [one["ahead_s"] for one in told["score"]["coverage"]] == [0, 2, 5, 10]
    assert told["score"]["gospa_m"] == pytest.approx(sum(told["over_time"]["gospa"]) / 10)


def test_json_of_nothing_is_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert qiki(monkeypatch, "score", "empty", "--seconds", "1", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["score"]["nees_position"] is None
    assert told["over_time"]["nees_position"] == [None] * 10


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nowhere"], "no scenario is called 'nowhere'"),
        (["crossing", "--seconds", "0.05"], "no frame comes in it"),
        (["crossing", "--seconds", "-1"], "--seconds"),
        (["crossing", "--live"], "leave the scenario and --seed out"),
        (["--live", "--seed", "3"], "leave the scenario and --seed out"),
        (["--live", "--tracker", "json"], "leave --tracker out"),
        (["crossing", "--tracker", "json"], "has no function make_tracker"),
    ],
)
def test_what_cannot_be_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
):
    assert qiki(monkeypatch, "score", *words) == 2
    told = capsys.readouterr()
    assert complaint in told.err
    assert len(told.err.splitlines()) == 1
    assert told.out == ""


@pytest.mark.parametrize(
    ("terminal", "shown"),
    [
        (True, "\r\x1b[Kmeasured 0 of 60 s\r\x1b[Kmeasured 13 of 60 s\r\x1b[K"),
        (False, "measuring 60 s of the simulation\n"),
    ],
)
def test_a_live_measurement_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch, terminal: bool, shown: str):
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    with measuring(60.0, stream) as progress:
        progress(0.0)
        progress(12.9)
    assert stream.getvalue() == shown
