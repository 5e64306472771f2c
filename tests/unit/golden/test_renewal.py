"""References are renewed where they have changed, and the difference is said in words."""

from dataclasses import replace
from pathlib import Path

import pytest

from qiki.contracts import topics
from qiki.contracts.headers import Message
from qiki_harness.golden.reference import Reference
from qiki_harness.golden.renewal import renew
from qiki_harness.golden.run import Command, GoldenRun
from qiki_harness.recording.about import about
from qiki_harness.recording.layout import RULES
from qiki_harness.recording.writer import RecordingWriter


def renewed(folder: Path, run: GoldenRun) -> list[str]:
    lines: list[str] = []
    renew({"run": run}, folder, lines.append)
    Reference(folder / "run.mcap", run)  # whole, and of this run
    return lines


def rewritten(path: Path, reference: Reference, old: Message, new: Message) -> None:
    """A reference in which one message is another."""
    with RecordingWriter(path, about("a test", None), {RULES: reference.rules}) as writer:
        for message in reference.messages:
            writer.put(new if message is old else message)


def test_a_reference_is_made_where_there_is_none_and_left_as_it_is_where_nothing_changed(tmp_path: Path, run):
    assert renewed(tmp_path, run) == ["run.mcap: new"]
    before = (tmp_path / "run.mcap").read_bytes()
    assert renewed(tmp_path, run) == ["run.mcap: unchanged"]
    assert (tmp_path / "run.mcap").read_bytes() == before
    assert list(tmp_path.iterdir()) == [tmp_path / "run.mcap"]


def test_a_changed_run_is_told_in_the_words_of_diff(tmp_path: Path, run):
    renewed(tmp_path, run)
    other = replace(run, commands=(Command(4, "sim.rcs.fire", {"axis": "down", "pct": 50.0, "duration_s": 0.5}),))
    lines = renewed(tmp_path, other)
    assert lines[0] == "run.mcap: changed, from A to B"
    assert "orders:" in lines
    assert "frames: different from frame 2 on, 2 before it are the same" in lines
    assert any("bot.position.z: " in line for line in lines)


def test_what_diff_does_not_look_at_is_told_too(tmp_path: Path, recorded, run):
    reference = Reference(recorded, run)
    telemetry = reference.of({topics.TELEMETRY.subject})[3]
    warmer = replace(telemetry, body=telemetry.body.replace(b'"battery":', b'"battery":1'))
    rewritten(tmp_path / "run.mcap", reference, telemetry, warmer)
    lines = renewed(tmp_path, run)
    assert "frames: the same, 10 of them" in lines
    assert lines[-3:-1] == ["B differs from A from frame 2 on, at 2026-01-01T00:00:00.300000Z:", "  qiki.telemetry  "]
    assert lines[-1].startswith("  battery: recorded 1")


def test_other_rules_of_the_guard_are_told(tmp_path: Path, run):
    renewed(tmp_path, run)
    rules = tmp_path / "rules.yaml"
    rules.write_bytes(run.rules.read_bytes() + b"\n# the same\n")
    assert renewed(tmp_path, replace(run, rules=rules))[-1] == "B has other rules of the guard"


@pytest.mark.parametrize("content", [b"", b"rubbish", None])
def test_a_spoilt_reference_is_replaced(tmp_path: Path, recorded, run, content):
    path = tmp_path / "run.mcap"
    path.write_bytes(recorded.read_bytes()[:-1000] if content is None else content)
    (line,) = renewed(tmp_path, run)
    assert line.startswith("run.mcap: new, as the one before cannot be read: ")
