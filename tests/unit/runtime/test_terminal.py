"""Text leaves for a terminal as lines, and cannot drive it."""

import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.runtime.terminal import RED, OutputClosedError, Painted, echo, echo_json, has_colour, overwrite, wipe
from qiki.text import printable, printable_json

HOSTILE = {
    "\x1b[2J": r"\x1b[2J",  # clears the screen
    "\x1b]52;c;aGk=\x07": r"\x1b]52;c;aGk=\x07",  # writes the clipboard
    "\x9b31m": r"\x9b31m",  # C1
    "a\r\nqiki: all is well": r"a\r\nqiki: all is well",
    "\u202eevil\u2066": r"\u202eevil\u2066",  # bidi
    "\u2028\u2029\x85": r"\u2028\u2029\x85",  # line ends for some
    "\ud800\U000e0001\x00\x7f": r"\ud800\U000e0001\x00\x7f",
    "Größe 5 °, ✓ и 中": "Größe 5 °, ✓ и 中",
    "[/x] [red]": "[/x] [red]",
}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items(), ids=range(len(HOSTILE)))
def test_what_would_drive_a_terminal_is_shown(text, shown, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    echo(text, (text, Painted(text, RED)), stream=out)
    assert out.getvalue() == f"{shown}\n{shown}\x1b[31m{shown}\x1b[0m\n"


@given(st.text())
def test_a_line_is_one_line_of_printable_characters(text):
    out = io.StringIO()
    echo(text, stream=out)
    assert out.getvalue() == printable(text) + "\n"
    assert printable(text).isprintable()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda deeper: st.lists(deeper) | st.dictionaries(st.text(), deeper),
    max_leaves=20,
)


@given(json_values, st.sampled_from([None, 1]), st.booleans())
def test_json_is_the_same_document_without_such_characters(value, indent, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    out = io.StringIO()
    echo_json(text, stream=out)
    assert json.loads(out.getvalue()) == value
    assert all(line.isprintable() for line in printable_json(text).split("\n"))


def test_colour_is_for_terminals_whose_users_want_it(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain = io.StringIO()
    echo(Painted("x", RED), stream=plain)
    assert plain.getvalue() == "x\n"
    assert has_colour(Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colour(Terminal())


def test_a_line_is_overwritten_on_a_terminal_only(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    for stream, expected in ((Terminal(), "\r\x1b[K1\r\x1b[K2\r\x1b[K"), (io.StringIO(), "")):
        overwrite("1", stream)
        overwrite("2", stream)
        wipe(stream)
        assert stream.getvalue() == expected


def test_a_reader_that_has_gone_is_an_error_of_its_own():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        with pytest.raises(OutputClosedError):
            echo("x", stream=stream)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, writing)  # what it still holds goes there
        os.close(nowhere)


def test_a_services_one_line_is_one(tmp_path):
    environment = {**os.environ, "NATS_URL": "nats://\x1b[2J\nq-sim-radar: all is well", "PYTHONPATH": "services"}
    done = subprocess.run(
        [sys.executable, "-m", "q_sim_radar"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.rstrip("\n").isprintable()


def test_a_log_on_a_terminal_is_escaped(tmp_path):
    """As a service's under a debugger: texts, names, exceptions."""
    program = textwrap.dedent("""
        import logging, structlog
        from qiki.runtime.logs import configure_logging
        configure_logging("x", "INFO")
        bad = "\\x1b[2J\\r\\n\\u202e"
        try:
            raise ValueError(bad)
        except ValueError:
            structlog.get_logger().exception(bad, given=bad, many=[bad])
        logging.getLogger("nats").error("%s", bad)
    """)
    reading, terminal = pty.openpty()
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, stderr=terminal, check=False, timeout=60)
    os.close(terminal)
    said = b""
    with contextlib.suppress(OSError):  # the other end has gone
        while more := os.read(reading, 65_536):
            said += more
    os.close(reading)
    assert done.returncode == 0
    shown = re.sub("\x1b\\[[0-9;]*m", "", said.decode()).replace("\r\n", "\n")
    assert shown.count(r"\x1b[2J\r\n\u202e") == 4, shown
    assert all(line.isprintable() for line in shown.split("\n"))
