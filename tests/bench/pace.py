"""The pace of a scenario in one process, as JSON: ms a tick by stage, and simulated seconds in a second of CPU.

It uses only what older checkouts have too, so that it may be run by the Python of another one.

    python tests/bench/pace.py SCENARIO
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
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
BATCHES, TICKS, FLOWN_S = 60, 40, 2.0  # of a batch


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


def stages_ms(name: str) -> dict[str, float]:
    """Medians of a tick and of its stages."""
    scenario, parameters = load_scenario(name), generate(load_spec()).hardware_profile.parameters
    world = SimWorld(scenario, parameters, scenario.seed, RUN)
    stages = {
        "tick": Stopwatch(world, "tick"),
        "contacts": Stopwatch(world.contacts, "step"),
        "vehicle": Stopwatch(world.vehicle, "step"),
        "radar": Stopwatch(world._radar, "measure"),
    }
    batches = []
    for _ in range(BATCHES):
        before = {stage: watch.spent_s for stage, watch in stages.items()}
        for _ in range(TICKS):
            world.tick()
        batches.append({stage: 1e3 * (watch.spent_s - before[stage]) / TICKS for stage, watch in stages.items()})
    return {stage: statistics.median(batch[stage] for batch in batches) for stage in stages}


def times_real_time(name: str, use: Callable[[Any], object], **options: Any) -> float:
    """Median pace of a flight; `use` takes each frame."""
    flight = Flight(load_scenario(name), run_id=RUN, **options)
    return statistics.median(paces(flight, use))


def paces(flight: Flight, use: Callable[[Any], object]) -> Iterator[float]:
    """Simulated seconds in a second of CPU, of each batch."""
    for _ in range(BATCHES // 4):
        begin = time.thread_time()
        for moment in flight.fly(FLOWN_S):
            if moment.frame is not None:
                use(moment.frame)
        yield FLOWN_S / (time.thread_time() - begin)


def run_times_real_time(name: str) -> float:
    """Median pace of world and tracker alone."""
    scenario, parameters = load_scenario(name), generate(load_spec()).hardware_profile.parameters
    world = SimWorld(scenario, parameters, scenario.seed, RUN)
    tracker = Tracker(RUN, TrackerParameters().of_radar(scenario.radar.unlike_default), scenario.identities)
    return statistics.median(run_paces(world, tracker))


def run_paces(world: SimWorld, tracker: Tracker) -> Iterator[float]:
    """Simulated seconds in a second of CPU, of each batch."""
    for _ in range(BATCHES // 4):
        begin = time.thread_time()
        for _ in range(round(FLOWN_S / TICK_S)):
            frame = world.tick().frame
            if frame is not None:
                tracker.step(scan_of(frame))
        yield FLOWN_S / (time.thread_time() - begin)


def main() -> None:
    """Print the figures of the scenario that is named."""
    name = sys.argv[1]
    figures = stages_ms(name)
    figures["world and tracker"] = run_times_real_time(name)
    figures["flight"] = times_real_time(name, id, agent=None)
    figures["flight with messages"] = times_real_time(name, lambda frame: frame.messages(INGEST), agent=None)
    figures["flight with agent"] = times_real_time(name, id)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
