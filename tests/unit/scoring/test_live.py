"""What came over the bus, put together frame by frame; the messages are those of an offline run."""

from collections.abc import Iterator
from uuid import UUID, uuid5

import numpy as np
import pytest

from qiki.botspec import generate, load_spec
from qiki.contracts import headers, topics
from qiki.contracts.ids import RADAR_SENSOR_ID, run_frame_id
from qiki.contracts.models import RadarFrame, RadarTrack, TrackedFrame
from qiki.tracking import Tracker, TrackerParameters
from qiki.world.scenario import load_scenario
from qiki.world.snapshots import truth
from qiki.world.world import World
from qiki_harness.scoring import score
from qiki_harness.scoring.live import Listener
from qiki_harness.scoring.offline import fly, scan_of

REACH_M = 16_000.0
Message = tuple[str, bytes, dict[str, str]]


def broadcast(name: str, seed: int, seconds: float, run_id: UUID) -> Iterator[list[Message]]:
    """The messages of each frame."""
    scenario = load_scenario(name)
    world = World(scenario, generate(load_spec()).hardware_profile.parameters, seed, run_id)
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
                (topics.TRUTH.subject, truth(world, measured).model_dump_json().encode(), {}),
            ]


def hear(frames: list[list[Message]]) -> Listener:
    """Truth first, as nothing is kept before a run is known."""
    listener = Listener(REACH_M)
    for messages in frames:
        for message in reversed(messages):
            listener.take(*message)
    return listener


@pytest.fixture(scope="module")
def frames() -> list[list[Message]]:
    return list(broadcast("crossing", 3, 3.0, UUID(int=7)))


def test_what_is_heard_scores_as_what_is_run_offline(frames):
    heard, _ = score(hear(frames).records)
    offline, _ = score(list(fly(load_scenario("crossing"), 3, 3.0)))
    assert (heard.scans, heard.contacts) == (30, 4) == (offline.scans, offline.contacts)
    assert heard.gospa_m < 20
    assert heard.gospa_m == pytest.approx(offline.gospa_m, rel=0.01)


def test_records_are_in_world_axes_and_event_time(frames):
    records = hear(frames).records
    assert [record.t_s for record in records] == pytest.approx([number / 10 for number in range(30)])
    assert hear(frames).span_s == pytest.approx(2.9)
    last = records[-1]
    apart = np.linalg.norm(last.tracks.position[:, None] - last.truth.position, axis=2).min(1)
    assert apart.max() < 20


@pytest.mark.parametrize("lost", [0, 1, -2, -1], ids=["frame", "track", "tracked", "truth"])
def test_a_frame_of_which_something_is_missing_does_not_count(frames, lost: int):
    short = [list(messages) for messages in frames]
    del short[5][lost]
    assert len(hear(short).records) == 29


def test_another_run_ends_the_first(frames):
    other = list(broadcast("crossing", 4, 0.5, uuid5(UUID(int=7), "next")))
    listener = hear([*frames[:10], *other])
    assert listener.ended
    assert len(listener.records) == 10


def test_rubbish_harms_nothing(frames):
    listener = Listener(REACH_M)
    for topic in (topics.TRUTH, topics.FRAMES, topics.TRACKS, topics.TRACKED):
        listener.take(topic.subject, b"{", {})
        listener.take(topic.subject, frames[0][0][1], {headers.RUN: "x", headers.FRAME: "no number"})
    assert listener.records == []
    assert listener.span_s == 0


def test_contacts_beyond_the_reach_are_not_asked_for(frames):
    listener = Listener(1_500.0)
    for message in reversed(frames[0]):
        listener.take(*message)
    assert len(listener.records[0].truth.ids) == 1
