"""`qiki why`: what it prints, what it finds by an id, and what it refuses."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from qiki.contracts import topics
from qiki.contracts.headers import MESSAGE_ID
from qiki_harness.cli import main
from qiki_harness.recording.check import summarise
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.runs import chosen_run
from qiki_harness.recording.why.archive import Archive
from qiki_harness.recording.why.targets import Targets

Why = Callable[..., tuple[int, str, str]]


@pytest.fixture
def why(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Why:
    """Runs the command; gives status, output and complaint."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["qiki", "why", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return run


def ids(path: Path, subject: str) -> list[str]:
    return [one.message.headers[MESSAGE_ID] for one in Recording(path).messages({subject})]


def test_without_an_id_it_lists_what_there_is(why: Why, struck: Path):
    status, out, err = why(struck)
    assert (status, err) == (0, "")
    head, *rows, last = out.splitlines()
    assert head.split() == ["TIME", "KIND", "ID", "WHAT"]
    assert last.endswith(": 2 commands, 3 decisions, 4 modes, 1 alert, 33 tracks, 7 events")
    assert [row.split()[2] for row in rows[:4]] == ["mode", "mode", "decision", "command"]
    alert = next(row for row in rows if row.split()[2] == "alert")
    assert why(struck, alert.split()[3])[1].startswith("alert UNKNOWN_CONTACT_CLOSE (critical): ")
    recording = Recording(struck)
    targets = Targets(Archive(recording, chosen_run(recording, summarise(recording))))
    for row in rows:  # every id of the table is enough
        assert targets.find(row.split()[3]).kind == row.split()[2]


def test_the_chain_of_a_command_in_lines_and_in_json(why: Why, struck: Path):
    order = json.loads(list(Recording(struck).messages({topics.ORDERS.subject}))[-1].message.body)
    _, out, _ = why(struck, "--command", order["message_id"])
    kinds = [line.split()[0] for line in out.splitlines()]
    assert kinds == ["command", "decision", "proposal", "alert", "track", "frame", "plot", "mode", "alert", "computed:"]
    status, text, _ = why(struck, "--command", order["message_id"], "--json")
    values = json.loads(text)
    assert (status, list(values)) == (0, ["chain", "remarks"])
    root: dict[str, Any] = values["chain"]
    assert (root["kind"], root["subject"], root["body"]) == ("command", topics.ORDERS.subject, order)
    plot = root["causes"][0]["causes"][0]["causes"][0]["causes"][0]["causes"][0]["causes"][0]
    assert (plot["kind"], plot["computed"], set(plot["body"]) >= {"range_m", "bearing_deg", "vr_mps", "snr_db"}) == (
        "plot",
        True,
        True,
    )
    assert "detections" not in json.dumps(values)


def test_the_list_is_for_programs_too(why: Why, struck: Path):
    listed = json.loads(why(struck, "--json")[1])["listed"]
    assert {row["kind"] for row in listed} == {"command", "decision", "mode", "alert"}
    assert all(row["id"].startswith(row["short_id"]) for row in listed)


def test_an_id_is_found_whole_or_by_its_beginning(why: Why, struck: Path):
    (alert,) = ids(struck, topics.GUARD.subject)
    run, _, within = alert.partition(":")
    outputs = {why(struck, text)[1] for text in (alert, within, within[:12], within[:12].upper())}
    assert len(outputs) == 1
    track = within.split(":")[1]
    assert why(struck, track)[1] == why(struck, "--track", track[:8])[1]
    assert why(struck, run[:8])[0] == 2


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("zz",), "no command, decision, mode, alert, track or event has an id that begins with 'zz' (there are 2 com"),
        (("",), "no command, decision, mode, alert, track or event has an id that begins with ''"),
        (("--decision", "371"), "no decision has an id that begins with '371', but an alert has"),
        (("--without", "371"), "no track has an id that begins with '371', but an alert has"),
        (("--set", "sede=1"), "--set sede: there is no such field (near it: seed"),
        (("--event", "a", "--track", "b"), "why takes one id at a time"),
        (("--seconds", "3"), "--seconds is for --without and --set"),
        (("--run", "nobody"), "it has no run nobody (expected one of: "),
        (("--rules", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_what_is_wrong_is_one_line(why: Why, struck: Path, words: tuple[str, ...], problem: str):
    status, out, err = why(struck, *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert problem in err


def test_several_that_begin_alike_are_named(why: Why, struck: Path):
    begun = "4"
    status, _, err = why(struck, begun)
    assert status == 2
    assert "'4' begins the ids of " in err


def test_what_if_is_told_in_lines_and_in_json(why: Why, struck: Path):
    (alert,) = ids(struck, topics.GUARD.subject)
    track = alert.split(":")[2]
    status, out, _ = why(struck, "--without", track[:8])
    assert status == 0
    first, same, *_ = out.splitlines()
    assert first == f"what if track {track} were hidden from the agent:"
    assert same == "  the unchanged flight is the same as the recording"
    assert "  first decision that differs, at 37.20 s:" in out
    assert "    changed:   none" in out
    assert "  commands only unchanged:\n    37.20 s  mode.set mode=ERROR_STATE" in out
    values = json.loads(why(struck, "--set", "seed=3", "--seconds", "2", "--json")[1])["what_if"]
    assert values["changes"] == ["seed were 3 instead of 1"]
    assert values["same_as_recording"] is True
    assert values["first_difference"] is None
    assert values["changed"]["nearest"] == "boulder"


def test_a_bundle_is_asked_as_a_recording(why: Why, flown: Path, struck: Path, tmp_path: Path):
    path = tmp_path / "a.qiki.zip"
    with ZipFile(path, "w") as bundle:
        bundle.write(flown, "0/recording.mcap")
        bundle.write(struck, "1/recording.mcap")
    (alert,) = ids(struck, topics.GUARD.subject)
    assert why(path, alert)[1] == why(struck, alert)[1]
    assert why(path)[1].count("\nrun ") == 2
    status, out, _ = why(path, "--without", alert.split(":")[2], "--seconds", "1")
    assert status == 0
    assert "frames with a hidden track: 10" in out


def test_rubbish_and_a_cut_file(why: Why, struck: Path, tmp_path: Path):
    rubbish, cut = tmp_path / "rubbish.mcap", tmp_path / "cut.mcap"
    rubbish.write_bytes(b"rubbish" * 100)
    whole = struck.read_bytes()
    cut.write_bytes(whole[: 2 * len(whole) // 3])
    status, _, err = why(rubbish)
    assert (status, err) == (2, f"qiki: {rubbish}: it is no MCAP file\n")
    status, out, _ = why(cut)
    assert status == 0
    assert "decision" in out
    row = next(line for line in out.splitlines() if " command " in line)
    assert why(cut, row.split()[3])[0] == 0
