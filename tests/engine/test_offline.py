"""Set up, tested and run with the network cut: `tox -e offline`.

The wheelhouse is fetched with a network; all else runs in a network namespace with a loopback device and no route.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(1800)
CUT = 'ip link set lo up && exec "$@"'
REACH = "import socket; socket.create_connection(('192.0.2.1', 443), timeout=5)"


def run(line, folder, **variables):
    return subprocess.run(
        list(map(str, line)), cwd=folder, env=variables or None, capture_output=True, text=True, check=False
    )


def output(done):
    assert done.returncode == 0, f"{done.args}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory, copy_checkout):
    """What `scripts/lock --wheelhouse` fetches."""
    if "QIKI_ENGINE_TESTS" not in os.environ:
        pytest.skip("takes an index, and half a minute or more: tox -e offline")
    folder = copy_checkout(tmp_path_factory.mktemp("online") / "QIKI_DTMP")
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    output(run(["scripts/lock", "--wheelhouse", "../wheels"], folder, **environment | {"PYTHON": interpreter()}))
    # Only the wheels are left of what was made with a network.
    shutil.rmtree(folder)
    return folder.parent / "wheels"


def interpreter():
    """The one that our own environment was made with."""
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}")


@pytest.fixture(scope="module")
def namespace():
    """The command that cuts the network off another."""
    for unshare in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        line = [*unshare, "sh", "-c", CUT, "sh"]
        try:
            if subprocess.run([*line, "true"], capture_output=True, check=False).returncode == 0:
                return line
        except OSError:
            break
    return pytest.skip("this user may not make a network namespace, or there is no unshare or ip")


@pytest.fixture(scope="module")
def offline(tmp_path_factory, copy_checkout, wheelhouse, namespace):
    """Runs a command in a fresh copy of the checkout, with the network cut and no cache or setting to draw on."""
    home = tmp_path_factory.mktemp("home")
    folder = copy_checkout(tmp_path_factory.mktemp("offline") / "QIKI_DTMP")
    environment = {
        "HOME": str(home),
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_RETRIES": "0",
        "PYTHON": interpreter(),
        "UV_CACHE_DIR": str(home / "uv"),
        "UV_NO_CONFIG": "1",
    }

    def cut(*words, **variables):
        return run([*namespace, *words], folder, **environment | variables)

    cut.folder = folder
    cut.wheels = str(wheelhouse)
    return cut


def test_the_network_is_cut(offline):
    done = offline(interpreter(), "-c", REACH)
    assert "Network is unreachable" in done.stderr


def test_the_checkout_is_set_up_from_the_wheelhouse_and_from_nothing_else(offline):
    alone = offline("scripts/setup", "dev")
    assert "No matching distribution found" in alone.stderr, "there was a network, or a cache"
    output(offline("scripts/setup", "dev", QIKI_WHEELHOUSE=offline.wheels))
    # Later on it takes no wheelhouse: all is there.
    output(offline("scripts/setup", "dev"))
    assert "as their RECORDs say" in output(offline(".venv/bin/qiki", "manifest"))


def test_unit_tests_and_the_whole_stack_run_in_it(offline):
    assert " passed" in output(offline(".venv/bin/pytest", "-q", "tests/unit/contracts"))
    # In one namespace: each has a loopback device of its own.
    stack = "scripts/up -d && scripts/smoke_test.sh; status=$?; .venv/bin/qiki down; exit $status"
    assert "10 of 10 checks passed" in output(offline("sh", "-c", stack))


def test_a_renewal_that_fails_leaves_the_locks_as_they_were(offline):
    done = offline("scripts/lock", "--upgrade")
    assert done.returncode != 0
    assert output(run(["git", "status", "--porcelain", "locks"], offline.folder, **os.environ)) == ""
