"""The workspace's main process, on real processes: what ends is started again, and the keeper ends last."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qiki_harness import keeper
from qiki_harness.errors import DeadlineError
from qiki_harness.testing import until

DEADLINE_S = 20.0
NOTES = "import os, sys; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n')"
LIVES = f"{NOTES}; import signal; signal.pause()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {LIVES}"


@pytest.fixture
def keep(tmp_path: Path):
    """Keeps a Python program running; gives the keeper's process and what tells the pids of the program's lives."""
    running: list[subprocess.Popen[bytes]] = []
    notes = tmp_path / "lives"

    def start(program: str, *, command: str = sys.executable):
        # As in the image: the file itself, with nothing of ours to import.
        script = (
            f"import pathlib, runpy, sys; sys.argv[0] = {keeper.__file__!r}; space = runpy.run_path(sys.argv[0]);"
            f"space['main'].__globals__['PID_FILE'] = pathlib.Path({str(tmp_path / 'pid')!r});"
            f"space['main'].__globals__['LOCK_FILE'] = pathlib.Path({str(tmp_path / 'lock')!r});"
            "space['main'](sys.argv[1:])"
        )
        words = [sys.executable, "-IS", "-c", script, command, "-c", program, str(notes)]
        running.append(subprocess.Popen(words, stderr=subprocess.DEVNULL))
        return running[-1], lambda: [int(line) for line in notes.read_text().split()] if notes.exists() else []

    yield start
    for process in running:
        process.kill()
        process.wait()
    for line in notes.read_text().split() if notes.exists() else []:
        if alive(int(line)):
            os.kill(int(line), signal.SIGKILL)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_ends_is_started_again(keep):
    process, lives = keep(NOTES)
    until("it to have lived thrice", lambda: len(lives()) >= 3, DEADLINE_S)
    assert process.poll() is None


def test_what_is_killed_is_started_again(keep):
    _, lives = keep(LIVES)
    first = until("it to live", lives, DEADLINE_S)[0]
    os.kill(first, signal.SIGKILL)
    assert until("its next life", lambda: lives()[1:], DEADLINE_S) != [first]


def test_a_call_restarts_it(keep, tmp_path):
    process, lives = keep(LIVES)
    first = until("it to live", lives, DEADLINE_S)[0]
    assert int((tmp_path / "pid").read_text()) == process.pid
    process.send_signal(signal.SIGHUP)
    until("its next life", lambda: len(lives()) == 2, DEADLINE_S)
    assert not alive(first)


def test_what_is_run_instead_has_its_place_until_it_ends(keep, tmp_path):
    _, lives = keep(LIVES)
    first = until("it to live", lives, DEADLINE_S)[0]
    (tmp_path / "other.py").write_text(f"import signal; open({str(tmp_path / 'instead')!r}, 'w'); signal.pause()")
    script = (
        f"import pathlib; from qiki_harness import keeper; keeper.PID_FILE = pathlib.Path({str(tmp_path / 'pid')!r});"
        f"keeper.LOCK_FILE = pathlib.Path({str(tmp_path / 'lock')!r}); keeper.instead('other')"
    )
    with subprocess.Popen([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(tmp_path)}) as other:
        until("the other to run", (tmp_path / "instead").exists, DEADLINE_S)
        assert not alive(first)
        assert len(lives()) == 1
        other.kill()
    until("its next life", lambda: len(lives()) == 2, DEADLINE_S)


@pytest.mark.parametrize("program", [LIVES, STUBBORN], ids=["obedient", "stubborn"])
def test_told_to_end_it_ends_what_it_kept(keep, program):
    process, lives = keep(program)
    pid = until("it to live", lives, DEADLINE_S)[0]
    process.terminate()
    assert process.wait(DEADLINE_S) == 0
    assert not alive(pid)


def test_a_call_in_a_pause_starts_one_life(keep, tmp_path):
    """The marker decides whether a life ends at once or lasts."""
    marker = tmp_path / "lasts"
    process, lives = keep(f"{NOTES}; import pathlib, signal; pathlib.Path({str(marker)!r}).exists() and signal.pause()")
    until("its pauses to be long", lambda: len(lives()) >= 4, DEADLINE_S)
    marker.touch()
    process.send_signal(signal.SIGHUP)
    count = len(lives())
    until("a life that lasts", lambda: len(lives()) > count and alive(lives()[-1]), DEADLINE_S)
    with pytest.raises(DeadlineError):
        until("another life", lambda: len(lives()) > count + 1, 1.5)


def test_a_command_that_is_not_there_does_not_end_it(keep):
    process, _ = keep(LIVES, command="/no/such/command")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)


def test_without_a_command_it_says_so():
    done = subprocess.run([sys.executable, keeper.__file__], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "keeper: no command given\n")
