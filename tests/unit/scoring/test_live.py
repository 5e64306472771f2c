"""What came over the bus, put together frame by frame; the messages are those of an offline run."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid5

import numpy as np
import pytest

from qiki.botspec import generate, load_spec
from qiki.contracts import headers, topics
from qiki.contracts.ids import RADAR_SENSOR_ID, run_frame_id
from qiki.contracts.radar import RadarFrame, RadarTrack, TrackedFrame
from qiki.tracking import Tracker, TrackerParameters
from qiki.world.scenario import load_scenario
from qiki.world.truth import truth_body
from qiki.world.world import SimWorld
from qiki_harness.errors import HarnessError
from qiki_harness.scoring import ScanRecord, score
from qiki_harness.scoring.live import TOPICS, await_span, listen, records_of
from qiki_harness.scoring.offline import fly, scan_of
from qiki_harness.twin import ForeignStack
from qiki_harness.twin.history import Ledger
from qiki_harness.twin.watcher import Moment, Watcher
from qiki_harness.twin.wire import Wire

REACH_M = 16_000.0
NOWHERE = "nats://127.0.0.1:1"
Message = tuple[str, bytes, dict[str, str]]


def broadcast(name: str, seed: int, seconds: float, run_id: UUID) -> Iterator[list[Message]]:
    """The messages of each frame."""
    scenario = load_scenario(name)
    world = SimWorld(scenario, generate(load_spec()).hardware_profile.parameters, seed, run_id)
    tracker = Tracker(run_id, TrackerParameters(), scenario.identities)
    for _ in range(round(seconds / 0.05)):
        measured = world.tick().frame
        if measured is not None:
            rows = tracker.step(scan_of(measured)).rows()
            told = {headers.RUN: str(run_id), headers.FRAME: str(measured.number)}
            identity = run_frame_id(run_id, measured.number)
            frame = RadarFrame(
                frame_id=identity,
                sensor_id=RADAR_SENSOR_ID,
                timestamp=measured.timestamp,
                detections=measured.detections.to_models(),
            )
            tracked = TrackedFrame(
                run_id=str(run_id),
                frame_id=identity,
                frame=measured.number,
                timestamp=measured.timestamp,
                tracks=len(rows),
            )
            yield [
                (topics.FRAMES.subject, frame.model_dump_json().encode(), told),
                *((topics.TRACKS.subject, RadarTrack(**row).model_dump_json().encode(), told) for row in rows),
                (topics.TRACKED.subject, tracked.model_dump_json().encode(), told),
                (topics.TRUTH.subject, truth_body(world.contacts, world.contacts.now, measured), {}),
            ]


def hear(frames: list[list[Message]]) -> Watcher:
    """The histories of a listener; truth comes first."""
    ledger = Ledger(TOPICS)
    for messages in frames:
        for message in reversed(messages):
            ledger.add(*message)
    return Watcher(ForeignStack({"NATS_URL": NOWHERE}), ledger, Wire(NOWHERE, ledger))


def records(frames: list[list[Message]], reach_m: float = REACH_M) -> list[ScanRecord]:
    return records_of(hear(frames), reach_m)


@pytest.fixture(scope="module")
def frames() -> list[list[Message]]:
    return list(broadcast("crossing", 3, 3.0, UUID(int=7)))


def test_what_came_over_the_bus_scores_as_what_is_run_offline(frames):
    live, _ = score(records(frames))
    offline, _ = score(list(fly(load_scenario("crossing"), 3, 3.0)))
    assert (live.scans, live.contacts) == (30, 4) == (offline.scans, offline.contacts)
    assert live.gospa_m < 20
    assert live.gospa_m == pytest.approx(offline.gospa_m, rel=0.01)
    assert live.probabilistic_gospa_m == pytest.approx(offline.probabilistic_gospa_m, rel=0.01)
    assert [one.pairs for one in live.coverage] == [one.pairs for one in offline.coverage]


def test_records_are_in_world_axes_and_event_time(frames):
    scans = records(frames)
    assert [scan.t_s for scan in scans] == pytest.approx([number / 10 for number in range(30)])
    last = scans[-1]
    offline = list(fly(load_scenario("crossing"), 3, 3.0))
    for scan, other in zip(scans, offline, strict=True):
        np.testing.assert_allclose(scan.own_position, other.own_position, atol=1e-3)
    apart = np.linalg.norm(last.tracks.position[:, None] - last.truth.position, axis=2).min(1)
    assert apart.max() < 20


@pytest.mark.parametrize("lost", [0, 1, -2, -1], ids=["frame", "track", "tracked", "truth"])
def test_a_frame_of_which_something_is_missing_does_not_count(frames, lost: int):
    short = [list(messages) for messages in frames]
    del short[5][lost]
    assert len(records(short)) == 29


def test_tracks_that_come_after_the_notice_of_a_later_frame_count(frames):
    notices = [messages[-2] for messages in frames]
    others = [[message for message in messages if message not in notices] for messages in frames]
    assert len(records([notices, *others])) == 30


@pytest.fixture
def other_run() -> list[list[Message]]:
    return list(broadcast("crossing", 4, 0.5, uuid5(UUID(int=7), "next")))


def test_another_run_does_not_count(frames, other_run):
    assert len(records([*frames[:10], *other_run])) == 10


def test_listening_ends_with_its_time_with_its_run_and_with_silence(frames, other_run):
    told = []

    def awaited(seconds: float, later: list[list[Message]]) -> float:
        watcher = hear(frames[:1])
        coming = iter(later)

        def now() -> Moment:
            """Let the next frame come when the listener waits for it."""
            moment = Watcher.now(watcher)
            for message in next(coming, []):
                watcher._ledger.add(*message)
            return moment

        watcher.now = now
        await_span(watcher, seconds, silent_s=0.05, progress=told.append)
        return len(watcher.truth())

    assert awaited(2.0, frames[1:]) == 21
    assert told == pytest.approx([0.1 * number for number in range(20)])
    assert awaited(2.0, [*frames[1:10], *other_run]) == 11
    assert awaited(2.0, frames[1:10]) == 10


def test_listening_ends_where_truth_goes_on_and_no_whole_frame_comes(frames):
    watcher, over = hear([]), threading.Event()

    def go_on():
        while not over.wait(0.005):
            watcher._ledger.add(*frames[0][-1])

    with ThreadPoolExecutor(1) as pool:
        pool.submit(go_on)
        try:
            await_span(watcher, seconds=1e6, silent_s=0.1)
        finally:
            over.set()

    assert watcher.truth()
    assert records_of(watcher, REACH_M) == []


def test_a_broker_that_refuses_is_not_waited_for(monkeypatch):
    monkeypatch.setitem(listen.__globals__, "_CONNECT_S", 1e6)
    with pytest.raises(HarnessError, match=r"^no NATS server answers at nats://127\.0\.0\.1:1: .* refused"):
        listen(NOWHERE, 1.0, REACH_M)


def test_rubbish_harms_nothing(frames):
    rubbish = [
        (topic.subject, body, told)
        for topic in TOPICS
        for body, told in (
            (b"{", {}),
            (frames[0][0][1], {headers.RUN: "x", headers.FRAME: "no number"}),
            (frames[0][0][1], {headers.RUN: str(UUID(int=7)), headers.FRAME: "no number"}),
        )
    ]
    assert records([rubbish]) == []
    assert len(records([*frames[:3], rubbish])) == 3


def test_contacts_beyond_the_reach_are_not_asked_for(frames):
    assert len(records(frames[:1], reach_m=1_500.0)[0].truth.ids) == 1
