"""The pace of a scenario in one process: ms a tick by stage, and simulated seconds in a second of CPU.

For each line that it reads it measures a short round and prints it as JSON: so two checkouts are measured in turn, and
a busy machine slows both. It uses only what older checkouts have too.

    python tests/bench/pace.py SCENARIO
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from qiki.botspec import generate, load_spec
from qiki.contracts.ticks import TICK_S
from qiki.flight import Flight, scan_of
from qiki.tracking import Tracker, TrackerParameters
from qiki.world.scenario import load_scenario
from qiki.world.world import SimWorld

RUN = UUID(int=3)
INGEST = datetime(2026, 1, 1, tzinfo=UTC)
TICKS = 20  # of a round


class Stopwatch:
    """CPU time of a method, put in its place."""

    def __init__(self, owner: Any, name: str) -> None:
        self._method = getattr(owner, name)
        self.spent_s = 0.0
        setattr(owner, name, self)

    def __call__(self, *values: Any, **named: Any) -> Any:
        """Call the method."""
        begin = time.thread_time()
        result = self._method(*values, **named)
        self.spent_s += time.thread_time() - begin
        return result


class Pace:
    """Runs of one scenario: of the world alone, with a tracker, and flights."""

    def __init__(self, name: str) -> None:
        self._scenario = load_scenario(name)
        self._world, self._tracked = self._new_world(), self._new_world()
        self._stages = {
            "tick": Stopwatch(self._world, "tick"),
            "contacts": Stopwatch(self._world.contacts, "step"),
            "vehicle": Stopwatch(self._world.vehicle, "step"),
            "radar": Stopwatch(self._world._radar, "measure"),
        }
        radar = self._scenario.radar.unlike_default
        self._tracker = Tracker(RUN, TrackerParameters().of_radar(radar), self._scenario.identities)
        self._flight, self._published = (Flight(self._scenario, run_id=RUN, agent=None) for _ in range(2))
        self._piloted = Flight(self._scenario, run_id=RUN)

    def round(self) -> dict[str, float]:
        """One round of each."""
        before = {stage: watch.spent_s for stage, watch in self._stages.items()}
        for _ in range(TICKS):
            self._world.tick()
        figures = {stage: 1e3 * (watch.spent_s - before[stage]) / TICKS for stage, watch in self._stages.items()}
        return figures | {
            "world and tracker": _times_real_time(self._track),
            "flight": _times_real_time(self._flight.tick),
            "flight with messages": _times_real_time(self._publish),
            "flight with agent": _times_real_time(self._piloted.tick),
        }

    def _new_world(self) -> SimWorld:
        parameters = generate(load_spec()).hardware_profile.parameters
        return SimWorld(self._scenario, parameters, self._scenario.seed, RUN)

    def _track(self) -> None:
        frame = self._tracked.tick().frame
        if frame is not None:
            self._tracker.step(scan_of(frame))

    def _publish(self) -> None:
        frame = self._published.tick().frame
        if frame is not None:
            frame.messages(INGEST)


def _times_real_time(tick: Callable[[], object]) -> float:
    begin = time.thread_time()
    for _ in range(TICKS):
        tick()
    return TICKS * TICK_S / (time.thread_time() - begin)


def main() -> None:
    """Measure a round for each line."""
    pace = Pace(sys.argv[1])
    for _ in sys.stdin:
        print(json.dumps(pace.round()), flush=True)


if __name__ == "__main__":
    main()
