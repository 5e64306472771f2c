"""`qiki score --live` on a running stack."""

import json
import os
import subprocess
import sys

QIKI = [sys.executable, "-c", "from qiki_harness.cli import main; main()"]


def test_a_running_stack_is_scored(own_twin):
    twin = own_twin("crossing", seed=1, speed=5)
    words = ["score", "--live", "--nats", twin.stack.info.addresses["NATS_URL"], "--seconds", "5", "--json"]

    keys = {"QIKI_KEYS_DIR": twin.stack.info.addresses["QIKI_KEYS_DIR"]}  # the operator's: a viewer sees no truth
    done = subprocess.run(
        [*QIKI, *words], env=os.environ | keys, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["score"]["contacts"] == 4
    assert told["score"]["scans"] >= 45
    assert told["score"]["gospa_m"] < 100
    assert done.stderr == "measuring 5 s of the simulation\n"


def test_a_dead_tracker_is_not_waited_for(own_twin):
    twin = own_twin("crossing", without=("faststream-bridge",))
    words = ["score", "--live", "--nats", twin.stack.info.addresses["NATS_URL"], "--seconds", "86400"]

    keys = {"QIKI_KEYS_DIR": twin.stack.info.addresses["QIKI_KEYS_DIR"]}  # the operator's: a viewer sees no truth
    done = subprocess.run(
        [*QIKI, *words], env=os.environ | keys, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert "no frame with its truth and tracks came from nats://127.0.0.1:" in done.stderr
