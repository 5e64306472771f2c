"""The examples of docs/library.md run as they stand, and say what they are for."""

import runpy
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qiki.audit import Draft, FileLimits, Journal

FOLDER = Path(__file__).parents[3] / "docs/examples/library"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def example(name: str, *arguments: str) -> list[str]:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(FOLDER / f"{name}.py"))
        return capsys.readouterr().out.splitlines()

    return example


def test_a_flight_shows_the_alert_and_the_decision(run):
    lines = run("fly")
    assert any("46 m" in line or "Unknown" in line for line in lines), lines
    assert any("EXECUTED" in line for line in lines), lines


def test_the_track_is_where_the_plots_are(run):
    (line,) = run("track")
    assert "862" in line
    assert "-20" in line


def test_the_rule_finds_contacts_that_come_close(run):
    lines = run("guard")
    assert lines
    assert all(float(line.split()[-2]) <= 120 for line in lines)


def test_the_log_is_verified_and_searched(run, tmp_path):
    journal = Journal(tmp_path, FileLimits(max_bytes=1 << 20, max_age_s=1000))
    journal.open()
    for code, severity in ((500, "INFO"), (900, "CRITICAL")):
        draft = Draft(f"event-{code}", code, "qiki.events.v1.Test", "urn:qiki:test", NOON, {"n": code}, severity)
        journal.append([draft], NOON)
    journal.close()
    lines = run("audit", str(tmp_path))
    assert lines[0] == "2 records, 0 faults"
    assert len(lines) == 2
    assert "900" in lines[1]


def test_the_engine_climbs(run):
    *decisions, velocity = run("engine")
    assert any("climber: EXECUTED, too slow" in line for line in decisions), decisions
    assert float(velocity.strip("()").split(",")[2]) >= 1.0
