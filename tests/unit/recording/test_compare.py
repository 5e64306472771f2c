"""Two recorded runs are compared: what differs is said in words."""

import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from qiki.contracts import topics
from qiki.contracts.headers import FRAME, Message
from qiki.flight import Flight
from qiki.world.scenario import load_scenario
from qiki_harness.recording.compare import Comparison, compare
from qiki_harness.recording.flown import record_flight
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.runs import recorded_run
from qiki_harness.recording.writer import RecordingWriter

Fly = Callable[..., Path]


@pytest.fixture
def fly(tmp_path: Path) -> Fly:
    """Fly collision, and record it."""

    def make(name: str, seconds: float = 2.0, seed: int = 1, run: int = 1, fire_after: int | None = None) -> Path:
        flight = Flight(load_scenario("collision"), seed=seed, run_id=UUID(int=run))
        path = tmp_path / f"{name}.mcap"
        if fire_after is None:
            record_flight(flight, seconds, path)
        else:
            tick = flight.tick

            def firing() -> object:
                if flight.world.tick_count == fire_after:
                    flight.command("sim.rcs.fire", axis="up", pct=100.0, duration_s=1.0)
                return tick()

            flight.tick = firing  # type: ignore[method-assign, assignment]
            record_flight(flight, seconds, path)
        return path

    return make


def of(a: Path, b: Path) -> Comparison:
    return compare(*(recorded_run(Recording(path)) for path in (a, b)))


def test_the_same_run_twice(fly: Fly):
    found = of(fly("a"), fly("b"))
    assert found.same
    assert (found.environment, found.inputs, found.orders, found.frames, found.nameless) == ((), (), (), 20, False)
    assert all(a == b for _, a, b in found.metrics)
    assert {"closest approach", "GOSPA", "guard alerts"} <= {name for name, _, _ in found.metrics}


def test_ids_of_another_run_do_not_count(fly: Fly):
    found = of(fly("a"), fly("b", run=2))
    assert found.same
    assert (found.frames, found.nameless) == (20, True)


def test_another_seed_differs_in_the_first_frame(fly: Fly):
    found = of(fly("a"), fly("b", seed=2))
    assert found.inputs == ("seed: 1 in A, 2 in B",)
    assert found.difference is not None
    assert (found.difference.frame, found.frames) == (0, 0)
    assert found.difference.key[0] == topics.FRAMES.subject


@pytest.mark.parametrize("run", [1, 2])
def test_an_order_shows_in_the_frame_after_it(fly: Fly, run: int):
    found = of(fly("a", run=1), fly("b", run=run, fire_after=20))
    assert any(re.search(r"in A, rcs.fire at tick 20 .* in B", one) for one in found.orders)
    assert found.difference is not None
    assert (found.difference.frame, found.frames) == (10, 10)
    assert found.difference.key[0] == topics.TRUTH.subject
    assert found.difference.field == "bot.position.z"
    assert (found.difference.one, float(found.difference.other) > 0) == ("0.0", True)


def test_the_common_frames_are_compared_and_what_one_has_missed_is_no_difference(fly: Fly, tmp_path: Path):
    whole = fly("a", 2.0)
    part = tmp_path / "part.mcap"
    recording = Recording(whole)
    with RecordingWriter(part, recording.about) as writer:
        for one in recording.messages():
            if not missed(one.message):
                writer.put(one.message, one.sequence, one.came_ns)
    assert of(whole, part).same
    assert of(part, whole).same
    assert of(part, whole).frames == 12


def test_ids_count_by_their_places_where_one_begins_later(fly: Fly, tmp_path: Path):
    whole, part = fly("a", run=1), tmp_path / "part.mcap"
    recording = Recording(fly("b", run=2))
    with RecordingWriter(part, recording.about) as writer:
        for one in recording.messages():
            if not missed(one.message):
                writer.put(one.message, one.sequence, one.came_ns)
    found = of(whole, part)
    assert (found.same, found.frames, found.nameless) == (True, 12, True)


def test_runs_without_a_common_frame_are_not_the_same(fly: Fly, tmp_path: Path):
    paths = []
    for name, frames in (("early", range(8)), ("late", range(12, 20))):
        paths.append(tmp_path / f"{name}.mcap")
        recording = Recording(fly(f"{name}-whole"))
        with RecordingWriter(paths[-1], recording.about) as writer:
            for one in recording.messages():
                number = one.message.headers.get(FRAME)
                if number is None or int(number) in frames:
                    writer.put(one.message, one.sequence, one.came_ns)
    found = of(*paths)
    assert (found.same, found.frames, found.difference) == (False, 0, None)


def missed(message: Message) -> bool:
    """The first eight frames, and the truth of two."""
    frame = message.headers.get(FRAME)
    truth = message.subject == topics.TRUTH.subject
    return bool(frame and int(frame) < 8) or (truth and any(b'"frame":%d,' % one in message.body for one in (3, 9, 15)))
