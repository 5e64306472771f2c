"""A program beside a measurement: how fast the machine is in the meantime, and how punctual.

python -m qiki_harness.budgets.calibration    runs until its input ends, and prints the two figures as JSON
"""

import hashlib
import json
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from qiki.runtime.terminal import echo_json

_TICK_S = 0.1
_LOOP_EVERY = 10  # ticks
_ROUNDS = 400
_PROGRAM = [sys.executable, "-P", "-m", "qiki_harness.budgets.calibration"]


@dataclass
class Calibration:
    """The machine during a measurement, once that is over: CPU time of the loop, and the jitter of a metronome."""

    loop_ms: float = 0.0
    jitter_ms: float = 0.0


@contextmanager
def calibrating() -> Iterator[Calibration]:
    """Run the program as long as the context lasts."""
    process = subprocess.Popen(_PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    found = Calibration()
    try:
        yield found
        output, _ = process.communicate()
    finally:
        process.kill()
        process.wait()
    found.loop_ms, found.jitter_ms = json.loads(output)


def jitter_ms(times_s: list[float]) -> float:
    """Return the upper quartile of the deviation from the median interval; 0 where there are no two intervals.

    It is no higher percentile: a topic with a message a second, and one more at each change, has few regular intervals.
    """
    gaps = [after - before for before, after in pairwise(times_s)]
    if len(gaps) < 2:
        return 0.0
    middle = statistics.median(gaps)
    return 1e3 * statistics.quantiles((abs(gap - middle) for gap in gaps), n=4)[-1]


def loop_ms() -> float:
    """Return the CPU time of work such as the services do: texts of numbers, dictionaries, sorting, hashing."""
    began_s = time.process_time()
    entries: dict[str, float] = {}
    for number in range(_ROUNDS):
        text = json.dumps({"id": number, "position": [number / 7, number / 3, 1.0], "name": f"track {number}"})
        digest = hashlib.sha256(text.encode()).hexdigest()
        entries[digest] = sum(json.loads(text)["position"])
    sorted(entries.items(), key=lambda entry: entry[1])
    return 1e3 * (time.process_time() - began_s)


def main() -> None:
    """Tick, and run the loop once a second, at least once."""
    loop_ms()  # the first time is another
    loops, ticks, next_s = [loop_ms()], list[float](), time.monotonic()
    while not select.select([sys.stdin], [], [], max(0.0, next_s - time.monotonic()))[0]:
        ticks.append(time.monotonic())
        if len(ticks) % _LOOP_EVERY == 0:
            loops.append(loop_ms())
        next_s += _TICK_S
    echo_json(json.dumps([statistics.median(loops), jitter_ms(ticks)]))


if __name__ == "__main__":
    main()
