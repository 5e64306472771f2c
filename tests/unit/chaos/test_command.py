"""The command line, the history's file, and what is shown of a verdict."""

import json
from pathlib import Path

import pytest

from qiki_harness.chaos.__main__ import main
from qiki_harness.chaos.checker import check
from qiki_harness.chaos.history import History, read_history
from qiki_harness.chaos.plan import KINDS
from qiki_harness.chaos.report import as_json, as_text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--faults", "kill,nap"], f"no kind nap: there are {', '.join(KINDS)}"),
        (["--minutes", "0"], "expected more than 0"),
        (["--speed", "-1"], "expected more than 0"),
        (["--seed", "one"], "invalid int value"),
    ],
)
def test_a_wrong_command_line_is_said_and_ends_with_2(capsys: pytest.CaptureFixture[str], words: list[str], said: str):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_folder_that_is_not_empty_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    (tmp_path / "history.jsonl").touch()
    with pytest.raises(SystemExit) as ended:
        main(["--faults", "kill", "--keep", str(tmp_path)])
    assert ended.value.code == 2
    assert f"{tmp_path} is not empty" in capsys.readouterr().err


def test_the_plan_is_printed_and_nothing_is_started(capsys: pytest.CaptureFixture[str]):
    shown = []
    for _ in range(2):
        assert main(["--plan", "--seed", "3", "--minutes", "1", "--faults", "kill,cut"]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
    assert {line.split()[2] for line in shown[0].splitlines()} == {"kill", "cut"}


def test_what_is_noted_is_read_again(tmp_path: Path):
    file = tmp_path / "history.jsonl"
    with file.open("w", encoding="utf-8") as lines:
        history = History(lines)
        history.note("read", stream="S", seq=1, id="a")
        history.note("life", service="nats", pid=7)
    first, second = read_history(file)
    assert (first["op"], first["id"], second["pid"]) == ("read", "a", 7)
    assert 0 <= first["t"] <= second["t"]


def test_a_finding_is_shown_with_its_proof(story):
    story.note("fault", number=1, kind="kill", state="begun", service="nats")
    story.note("answer", id="\x1b[2J", ok=True)
    report = check(story.operations)
    lines = list(as_text(story.operations, report))
    assert "finding: invented            1" in lines
    assert "fault: kill                  1" in lines
    found = next(number for number, line in enumerate(lines) if line.startswith("invented: an answer to "))
    assert json.loads(lines[found + 1])["op"] == "answer"
    told = json.loads(as_json(story.operations, report))
    assert told["faults"] == {"kill": 1}
    assert [one["kind"] for one in told["findings"]] == ["invented"]


def test_of_many_findings_the_rest_is_counted(story):
    for number in range(30):
        story.note("answer", id=str(number), ok=True)
    assert list(as_text(story.operations, check(story.operations)))[-1] == "and 10 more: --json has all of them"
