"""What the commands print."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from qiki.runtime.terminal import Painted
from qiki_harness.cli.options import compose_file, run_folder, running_stack
from qiki_harness.cli.output import (
    Progress,
    by_hand,
    prefixes,
    summary,
    table,
)
from qiki_harness.errors import HarnessError
from qiki_harness.stack import ServiceHealth, ServiceStatus, StackInfo, State


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


NATS = ServiceStatus("nats", "", state=State.RUNNING, health=ServiceHealth.HEALTHY, ready_after_s=0.126)
INIT = ServiceStatus(
    "init", "", one_shot=True, state=State.EXITED, exit_code=0, ready_after_s=0.5, held_by="nats", held_s=0.13
)
RADAR = ServiceStatus("radar", "", state=State.WAITING, waiting_for=("init (completed successfully)",))
INFO = StackInfo(
    "default", Path("/p/.qiki/default"), Path("/p/c.yml"), 1, Path("/c"), 0.0,
    addresses={"NATS_URL": "nats://x", "QSIM_GRPC": "y"}, services={s.name: s for s in (NATS, INIT, RADAR)},
)  # fmt: skip


def test_columns_are_as_wide_as_they_need():
    assert table(("A", "B"), [("long", "x"), ("s", "yy")]) == ["A     B", "long  x", "s     yy"]


def test_a_cell_makes_no_row():
    assert table(("A", "B"), [("a\nb", "x"), ("s", "yy")]) == ["A     B", r"a\nb  x", "s     yy"]


def test_log_prefixes_line_up():
    assert prefixes(["a", "long"]) == {"a": Painted("a    |", 36), "long": Painted("long |", 32)}


def test_progress_tells_each_service_once():
    stream = io.StringIO()
    progress = Progress(stream)
    progress.show(INFO)
    progress.show(INFO)
    assert stream.getvalue().splitlines() == [
        "  ✓ nats   ready   0.13 s",
        "  ✓ init   done    0.50 s  (waited for nats until 0.13 s)",
    ]


def test_on_a_terminal_progress_says_what_is_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    Progress(stream).show(INFO)
    assert "… radar waits for init (completed successfully)" in stream.getvalue()


@pytest.mark.parametrize("detached", [True, False])
def test_the_summary_has_at_most_six_lines(detached: bool):
    lines = summary(INFO, detached=detached)
    assert len(lines) <= 6
    assert lines[0] == "Stack 'default' is up: 3 services in 0.5 s."
    assert "NATS_URL=nats://x  QSIM_GRPC=y" in lines[2]
    assert ("qiki down" in lines[-1]) is detached


def test_the_summarys_commands_name_the_stack():
    assert "qiki ps --name t1" in summary(replace(INFO, name="t1"), detached=True)[-1]


def test_what_the_user_runs_is_told_in_full():
    info = replace(INFO, services={"radar": replace(RADAR, by_hand="cd /p && A=1 python -m radar")})
    assert by_hand(info) == [
        "Run radar yourself (variables also in /p/.qiki/default/radar.env):",
        "  cd /p && A=1 python -m radar",
    ]
    assert by_hand(INFO) == []


def test_the_project_is_found_from_within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "docker-compose.phase1.yml").touch()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert compose_file() == tmp_path / "docker-compose.phase1.yml"
    assert run_folder("t1", None) == tmp_path / ".qiki" / "t1"
    assert run_folder("t1", Path("/elsewhere")) == Path("/elsewhere/t1")


@pytest.mark.parametrize("name", ["a/b", "..", ""])
def test_a_name_must_make_a_folder(name: str, tmp_path: Path):
    with pytest.raises(HarnessError, match="cannot name a stack"):
        run_folder(name, tmp_path)


def test_a_stack_that_must_run_is_missed(tmp_path: Path):
    with pytest.raises(HarnessError, match=r"no stack 'x' runs in .*: start it with `qiki up`"):
        running_stack("x", tmp_path)
