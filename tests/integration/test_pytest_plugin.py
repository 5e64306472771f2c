"""The fixtures from another repository: a test there, run by pytest as its author would."""

import os
import re
import subprocess
import sys
import zipfile

import pytest

from qiki_harness.stack import Stack

QIKI = [sys.executable, "-c", "from qiki_harness.cli import main; main()"]

CONDITIONS = "from qiki.contracts.enums import FriendFoe\nfrom qiki_harness.twin.where import below, track\n"


@pytest.fixture
def elsewhere(tmp_path):
    """Runs pytest on a test module in a folder that knows nothing of this repository."""

    def run(text, *options, **environment):
        (tmp_path / "test_elsewhere.py").write_text(CONDITIONS + text)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
        basetemp = f"--basetemp={tmp_path / 'temporary'}"
        kept = {
            name: value for name, value in os.environ.items() if name not in {"NATS_URL", "PYTEST_ADDOPTS", "QSIM_GRPC"}
        }
        return subprocess.run(
            [*command, basetemp, *options, "test_elsewhere.py"],
            cwd=tmp_path,
            env=kept | environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run


def test_a_scenario_file_of_ones_own(elsewhere, tmp_path):
    (tmp_path / "lonely.yaml").write_text(
        "name: lonely\n"
        "description: One ship\n"
        "contacts:\n"
        "  - {id: one, object_type: SHIP, motion: {kind: constant_velocity, position_m: [100, 900, 0]}}\n"
    )
    result = elsewhere(
        "from pathlib import Path\n"
        "def test_it(own_twin):\n"
        "    twin = own_twin(Path('lonely.yaml'), speed=10, seed=3)\n"
        "    twin.await_track(where=track(range_m=below(1000), age_s=1.0))\n"
        "    assert twin.command('sim.pause').ok\n"
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_a_failed_wait_says_what_was_seen_and_what_the_services_said(elsewhere, tmp_path):
    result = elsewhere(
        "def test_it(own_twin):\n"
        "    twin = own_twin('single-pass', speed=10)\n"
        "    twin.await_tracked_frame(frame=5)\n"
        "    twin.await_track(where=track(iff=FriendFoe.FOE), deadline_s=0.2)\n"
    )

    said = result.stdout
    assert result.returncode == 1, said
    assert "AwaitedError: waited 0.2 s for a track whose iff is FOE: none came" in said
    assert re.search(r"tracks came; nearest to it:\n.*: iff is (UNKNOWN|FRIEND)\n", said)
    assert re.search(r"seen since the beginning: \d+ frames, ", said)
    assert "q-sim-radar running healthy" in said
    assert "q-sim-service | " in said
    assert f"the stack is up, its run folder {tmp_path}" in said
    assert "watcher.py" not in said, "the author's test ends where it waits, not in the harness"


def test_a_failed_test_leaves_a_bundle_that_flies_it_again(elsewhere, tmp_path):
    test = (
        "def test_it(own_twin):\n"
        "    twin = own_twin('collision', speed=10, without=('qiki-dev',))\n"
        "    twin.await_tracked_frame(frame=40)\n"
        "    twin.await_track(where=track(iff=FriendFoe.FOE), deadline_s=0.2)\n"
    )
    result = elsewhere(test)

    (bundle,) = (tmp_path / ".qiki/bundles").iterdir()
    assert bundle.name.endswith("-test-elsewhere-py-test-it.qiki.zip")
    assert f"qiki verify .qiki/bundles/{bundle.name}\n" in result.stdout
    verified = subprocess.run([*QIKI, "verify", str(bundle)], capture_output=True, text=True, timeout=120, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert re.match(
        r"the same: run \S+ \(collision, seed 1\), frames 0 to \d{2,}: radar, truth, tracker", verified.stdout
    )
    with zipfile.ZipFile(bundle) as content:
        assert b"waited 0.2 s for a track whose iff is FOE" in content.read("failure.txt")
        assert b"q_sim_radar" in content.read("0/logs/q-sim-radar.log")

    bundle.unlink()
    elsewhere(test, "--bundles", "")
    assert list((tmp_path / ".qiki/bundles").iterdir()) == []


def test_a_stack_that_does_not_start_says_why(elsewhere):
    result = elsewhere("def test_it(own_twin):\n    own_twin('no-such-world')\n")

    assert result.returncode == 1
    assert "q-sim-service died at start (exit code 2)" in result.stdout
    assert "no scenario is called 'no-such-world'" in result.stdout


def test_a_running_stack_of_the_environment_is_watched_and_left_alone(elsewhere, own_twin):
    running = own_twin("single-pass", speed=2)

    result = elsewhere(
        "import pytest\n"
        "def test_it(twin):\n"
        "    assert twin.await_tracked_frame(after=twin.now()).data.tracks >= 0\n"
        "    with pytest.raises(Exception, match='was not started by this test'):\n"
        "        twin.kill('nats')\n",
        **running.stack.info.addresses,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert running.await_tracked_frame(after=running.now())


def test_workers_watch_one_stack_and_nothing_of_it_is_left_when_one_dies(elsewhere, tmp_path):
    for name in ("one", "other"):
        (tmp_path / f"test_{name}.py").write_text(
            "import os, signal\n"
            "from pathlib import Path\n"
            "def test_it(twin):\n"
            "    assert twin.await_tracked_frame(after=twin.now())\n"
            "    with Path('watched').open('a') as file:\n"
            "        file.write(twin.backing.addresses['NATS_URL'] + '\\n')\n"
            f"    if {name!r} == 'one':\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n"
        )

    result = elsewhere("", "-n", "2", "test_one.py", "test_other.py")

    assert "1 failed, 1 passed" in result.stdout, result.stdout + result.stderr
    first, second = (tmp_path / "watched").read_text().split()
    assert first == second
    assert not Stack(tmp_path / "temporary" / "watched" / "stack").alive


def test_nothing_is_imported_before_a_fixture_is_asked_for(elsewhere):
    result = elsewhere(
        "import subprocess, sys\n"
        "def test_it():\n"
        "    code = 'import sys, qiki_harness.pytest_plugin; print(*sys.modules)'\n"
        "    loaded = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout.split()\n"
        "    assert 'qiki_harness.pytest_plugin' in loaded\n"
        "    assert not {'nats', 'grpc', 'pydantic', 'numpy', 'qiki_harness.twin'} & set(loaded)\n"
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_a_test_records_its_stack(elsewhere):
    result = elsewhere(
        "from qiki_harness.recording.reader import Recording\n"
        "from qiki_harness.recording.runs import recorded_run\n"
        "from qiki_harness.recording.verify import verify\n"
        "def test_it(own_twin, record):\n"
        "    twin = own_twin('collision', speed=10, without=('qiki-dev',))\n"
        "    twin.await_tracked_frame(frame=20)\n"
        "    with record(twin) as first:\n"
        "        newest = twin.await_tracked_frame(frame=60)\n"
        "    with record(twin) as second:\n"
        "        pass\n"
        "    assert first.name != second.name\n"
        "    verdict = verify(recorded_run(Recording(first)))\n"
        "    assert verdict.same and verdict.first == 0 and verdict.last >= 59\n"
        "    assert verify(recorded_run(Recording(second))).same\n"
    )
    assert result.returncode == 0, result.stdout + result.stderr
