"""Reading logs that grow."""

from pathlib import Path

from qiki_harness.stack.runfolder import LogFollower, last_words


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
