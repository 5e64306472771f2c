"""The run folder: `stack.json` whole or not at all, one supervisor, sockets that fit, logs that grow."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from qiki_harness.errors import StackError
from qiki_harness.stack.model import Failure, ServiceHealth, ServiceStatus, StackInfo, StackOptions, StackState, State
from qiki_harness.stack.runfolder import LogFollower, RunFolder, last_words, private_folder, user_folder

STATUS = ServiceStatus(
    "db", "/logs/db.log", state=State.RUNNING, health=ServiceHealth.HEALTHY, pid=7, ready_after_s=0.5,
    waiting_for=("a (healthy)",), ports={"DB_PORT": 4222, "DB_HTTP_PORT": 8222},
)  # fmt: skip
INFO = StackInfo(
    "default", Path("/run"), Path("/c.yml"), 1, Path("/run/control.sock"), 12.5,
    addresses={"DB_URL": "db://x"}, services={"db": STATUS},
)  # fmt: skip


@pytest.mark.parametrize(
    "info",
    [INFO, replace(INFO, state=StackState.FAILED, failure=Failure("db died", 3, ("last", "words")))],
)
def test_what_is_written_is_read(tmp_path: Path, info: StackInfo):
    folder = RunFolder(tmp_path)
    folder.write(info)
    assert folder.read() == info


def test_where_there_was_never_a_stack(tmp_path: Path):
    assert RunFolder(tmp_path).read() is None
    assert not RunFolder(tmp_path / "none").alive


def test_a_place_that_cannot_be_used_is_said_in_a_line(tmp_path: Path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StackError, match=r"file/run.*: cannot be used: Not a directory"):
        _ = RunFolder(file / "run").alive
    with pytest.raises(StackError, match=r"file/run.*: cannot be used: Not a directory"):
        RunFolder(file / "run").lock()


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"failure": null, "services": {}, "more": 1}'])
def test_a_foreign_file_is_refused_in_a_line(tmp_path: Path, text: str):
    (tmp_path / "stack.json").write_text(text)
    with pytest.raises(StackError, match=r"stack\.json: is not of this version of qiki: remove it"):
        RunFolder(tmp_path).read()


def test_a_second_supervisor_is_refused(tmp_path: Path):
    folder = RunFolder(tmp_path / "new")
    lock = folder.lock()
    assert folder.alive
    with pytest.raises(StackError, match="a stack runs already in"):
        folder.lock()
    os.close(lock)
    assert not folder.alive
    os.close(folder.lock())


def test_a_deep_folders_socket_lies_elsewhere(tmp_path: Path):
    shallow, deep = RunFolder(Path("/x")), RunFolder(tmp_path / ("d" * 100))
    assert shallow.control == Path("/x/control.sock")
    assert deep.control.parent == user_folder()
    assert deep.control != RunFolder(tmp_path / ("d" * 101)).control
    assert len(os.fsencode(deep.control)) < 104


def test_the_users_folder_is_his_alone():
    assert user_folder().stat().st_mode & 0o777 == 0o700
    assert user_folder().stat().st_uid == os.getuid()


def test_ports_and_urls_by_name():
    assert INFO.port("DB_PORT") == 4222
    assert INFO.http_url("db") == "http://127.0.0.1:8222"
    with pytest.raises(KeyError):
        INFO.port("NONE_PORT")
    with pytest.raises(KeyError):
        replace(INFO, services={"db": replace(STATUS, ports={})}).http_url("db")


def test_options_survive_the_way_to_the_supervisor():
    options = StackOptions(Path("/c.yml"), Path("/run"), "n", {"A": "1"}, {"P": 2}, auto_ports=True, without=("a", "b"))
    assert StackOptions.from_json(options.to_json()) == options


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (STATUS, "db running healthy for a (healthy)"),
        (ServiceStatus("db", "", state=State.EXITED, exit_code=3), "db exited exit code 3"),
        (ServiceStatus("db", "", state=State.RUNNING, detail="refused"), "db running: refused"),
    ],
)
def test_a_status_says_itself(status: ServiceStatus, text: str):
    assert str(status) == text


def append(log: Path, text: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(text)


def test_last_words_are_the_last_lines_that_say_something(tmp_path: Path):
    log = tmp_path / "a.log"
    log.write_bytes(b"one\ntwo\n\n  \nthr\xffee\n")
    assert last_words(log, 2) == ("two", "thr\ufffdee")
    assert last_words(log, 0) == ()
    assert last_words(tmp_path / "none.log") == ()


def test_of_a_long_log_only_the_end_is_read(tmp_path: Path):
    log = tmp_path / "a.log"
    log.write_text("x" * 200_000 + "\nlast\n")
    assert last_words(log, 1) == ("last",)


def test_followed_from_the_end_in_whole_lines(tmp_path: Path):
    a, b = tmp_path / "a.log", tmp_path / "b.log"
    append(a, "old\n")
    follower = LogFollower([a, b])
    assert list(follower.new_lines()) == []
    append(a, "one\ntw")
    append(b, "begin\n")
    assert list(follower.new_lines()) == [("a", "one"), ("b", "begin")]
    append(a, "o\n")
    assert list(follower.new_lines()) == [("a", "two")]


def test_a_log_that_is_begun_anew_is_read_from_its_start(tmp_path: Path):
    log = tmp_path / "a.log"
    append(log, "a long old line\n")
    follower = LogFollower([log])
    log.write_text("new\n")
    assert list(follower.new_lines()) == [("a", "new")]


@pytest.mark.parametrize("mode", [0o755, 0o701, 0o770, 0o777])
def test_a_folder_that_others_can_use_is_refused_and_stays(tmp_path: Path, mode: int):
    folder = tmp_path / "mine"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(StackError, match=r"mine: others may have files in it .*; remove it$"):
        private_folder(folder)
    assert folder.stat().st_mode & 0o777 == mode


def test_a_link_in_the_place_of_the_folder_is_refused(tmp_path: Path):
    (tmp_path / "theirs").mkdir(mode=0o700)
    (tmp_path / "mine").symlink_to(tmp_path / "theirs")
    with pytest.raises(StackError, match=r"mine: cannot be used \(.*\); remove it$"):
        private_folder(tmp_path / "mine")


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "mine").mkdir(mode=0o700)
    monkeypatch.setattr("os.getuid", lambda: 4711)
    with pytest.raises(StackError, match="others may have files in it"):
        private_folder(tmp_path / "mine")


def test_a_run_folder_that_was_open_is_closed(tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o755)
    os.close(RunFolder(tmp_path / "run").lock())
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
