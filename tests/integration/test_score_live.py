"""`qiki score --live` on a running stack."""

import json
import subprocess
import sys

QIKI = [sys.executable, "-c", "from qiki_harness.cli import main; main()"]


def test_a_running_stack_is_scored(own_twin):
    twin = own_twin("crossing", seed=1, speed=5)
    words = ["score", "--live", "--nats", twin.stack.info.addresses["NATS_URL"], "--seconds", "5", "--json"]

    done = subprocess.run([*QIKI, *words], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["score"]["contacts"] == 4
    assert told["score"]["scans"] >= 45
    assert told["score"]["gospa_m"] < 100
