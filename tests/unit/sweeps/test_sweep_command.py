"""`qiki sweep`: what it prints, what it refuses, and Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from qiki_harness.cli import main
from qiki_harness.cli.options import QIKI
from qiki_harness.sweeps.store import Results
from qiki_harness.testing.wait import until

FAR = (*QIKI, "sweep", "avoid", "--seeds", "40", "--seconds", "5", "--workers", "2")


@pytest.fixture
def sweep(monkeypatch, capsys):
    """Runs the command; gives status, output and complaint."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["qiki", "sweep", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


def test_results_and_a_run_are_shown(sweep, flown, tmp_path):
    path = flown(task="", scenarios=("crossing",), seeds=1)
    status, out, _ = sweep("show", path)
    assert status == 0
    assert re.search(r"^crossing +none +1 +0%", out, re.MULTILINE)
    assert f"{path}: 1 of 1 runs, digest of all " in out
    with Results.read(path) as results:
        key = results.rows()[0].result.key
    status, out, _ = sweep("show", path, key[:8], "--record", tmp_path / "run.mcap")
    assert status == 0
    assert f"run {key[:12]}: crossing, none, seed 0" in out
    assert "never closer than 50 m to an unknown: held, least " in out
    assert "flown again: the same" in out
    assert (tmp_path / "run.mcap").stat().st_size


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("avoid", "--seeds", "x"), "--seeds: Value error, expected a number of seeds, a range as 5-20"),
        (("avoid", "--engine", "warp"), "no engine 'warp' is installed"),
        (("avoid", "--set", "difficulty"), "--set difficulty: expected FIELD=VALUE"),
        (("avoid", "--address", "a:1"), "--address is of a Ray cluster: add --on ray"),
        (("lost.yaml",), "lost.yaml: cannot be read: No such file"),
        (("bad.yaml",), "bad.yaml:2: engine: is not a known key"),
        (("bad.yaml", "--seeds", "2"), "describes the whole sweep: leave --seeds out"),
        (("--scenario", "broken.yaml"), "broken.yaml:1: name: is missing"),
        (("show", "lost.sqlite"), "lost.sqlite: there is no such file"),
        (("show", "bad.yaml"), "bad.yaml: "),
    ],
)
def test_bad_input_is_one_line(sweep, tmp_path, monkeypatch, words, complaint):
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text("seeds: 1\nengine: none\n")
    Path("broken.yaml").write_text("contacts: []\n")
    status, out, err = sweep(*words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert complaint in err


def test_ctrl_c_ends_it_and_the_same_command_goes_on(tmp_path):
    path = tmp_path / "results.sqlite"
    begun = subprocess.Popen([*FAR, "-o", path], stderr=subprocess.PIPE, text=True, start_new_session=True)
    until("a run is flown", lambda: _flown(path) > 0)
    os.killpg(begun.pid, signal.SIGINT)  # as a terminal does
    _, err = begun.communicate(timeout=60)
    assert begun.returncode == 130
    done = _flown(path)
    assert f"{done} of 40 runs are flown: the same command goes on" in err
    assert 0 < done < 40
    again = subprocess.Popen([*FAR, "-o", path], stderr=subprocess.PIPE, text=True)
    assert f"{done} of 40 runs, 0.00 runs/s" in again.stderr.readline()
    until("another run is flown", lambda: _flown(path) > done)
    workers = psutil.Process(again.pid).children(recursive=True)
    again.kill()
    again.communicate(timeout=60)
    psutil.wait_procs(workers, timeout=30)
    assert not [worker for worker in workers if worker.is_running()]
    assert done < _flown(path) < 40


def test_a_second_ctrl_c_ends_runs_that_hang(tmp_path, engines):
    once = tmp_path / "begun"
    engines.write_text(engines.read_text().replace("while True:", f"while open({str(once)!r}, 'w'):"))
    words = ("sweep", "avoid", "--seeds", "2", "--workers", "1", "--engine", f"{engines}:Sleeper")
    begun = subprocess.Popen([*QIKI, *words, "-o", tmp_path / "results.sqlite"], stderr=subprocess.PIPE, text=True)
    until("the first run hangs", once.exists)
    (worker,) = [one for one in psutil.Process(begun.pid).children() if "spawn_main" in " ".join(one.cmdline())]
    begun.send_signal(signal.SIGINT)
    until("it ends by the next ones", lambda: begun.poll() is not None or begun.send_signal(signal.SIGINT), poll_s=5.0)
    _, err = begun.communicate(timeout=60)
    assert begun.returncode == 130
    assert err.endswith("0 of 2 runs are flown: the same command goes on\n")
    psutil.wait_procs([worker], timeout=30)
    assert not worker.is_running()


def _flown(path):
    if not path.exists() or not path.stat().st_size:
        return 0
    with Results.read(path) as results:
        return len(results.keys)
