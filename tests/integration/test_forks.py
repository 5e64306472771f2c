"""A stack goes on from the middle of a recorded run."""

import os
import signal
import subprocess
from pathlib import Path
from uuid import UUID

from qiki.contracts import topics
from qiki.contracts.headers import FRAME
from qiki.flight import Flight
from qiki.world.scenario import load_scenario
from qiki_harness.cli.options import QIKI
from qiki_harness.recording.compare import compare
from qiki_harness.recording.flown import record_flight
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.runs import recorded_run
from qiki_harness.recording.verify import verify
from qiki_harness.testing import until

RUN = UUID("5ca1ab1e-0000-4000-8000-000000000078")


def reached(path: Path) -> int:
    """The frame up to which all is recorded: streams are read beside each other."""
    if not path.exists() or not path.stat().st_size:
        return -1
    newest = dict.fromkeys((topics.TRACKED.subject, topics.TRACKS.subject, topics.ESTIMATES.subject), -1)
    for one in Recording(path).messages(newest):
        subject = one.message.subject
        newest[subject] = max(newest[subject], int(one.message.headers[FRAME]))
    return min(newest.values())


def test_a_stack_goes_on_from_a_moment_with_another_future(tmp_path: Path):
    before, after = tmp_path / "before.mcap", tmp_path / "after.mcap"
    record_flight(Flight(load_scenario("mixed-traffic"), run_id=RUN), 30.0, before)
    words = ("up", "--from", f"{before}@21.5", "--seed", "7", "--speed", "4", "--ports", "auto")
    options = ("--run-dir", str(tmp_path), "--record", str(after))
    environment = {name: value for name, value in os.environ.items() if name != "NATS_URL"}
    with subprocess.Popen([*QIKI, *words, *options], env=environment, text=True, stdout=subprocess.PIPE) as process:
        try:
            until("a part of its future is recorded", lambda: reached(after) > 240, 90, 0.5)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert f"goes on from 21.5 s of run {RUN}, as run " in output
    parent, fork = recorded_run(Recording(before)), recorded_run(Recording(after))
    assert fork.summary.run_id in output
    verdict = verify(fork)
    assert verdict.same, verdict.difference
    assert verdict.first == 0
    assert min(verdict.gaps, default=verdict.last) > 230  # the stack ends in the middle of its work
    found = compare(parent, fork)
    assert found.difference is not None
    assert found.frames == found.difference.frame == 215
