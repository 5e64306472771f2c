"""A hand-made history in which all is well, for tests to break."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from qiki.contracts import topics
from qiki.contracts.ids import estimates_message_id, frame_message_id, run_frame_id, track_message_id
from qiki.contracts.topics import FRAMES_BY_BAND
from qiki_harness.chaos.checker import check
from qiki_harness.chaos.event_checks import CLIENT_SOURCE
from qiki_harness.chaos.history import Operation

RUN = "5ca1ab1e-0000-4000-8000-000000000001"
NEXT = "5ca1ab1e-0000-4000-8000-000000000002"
FRAMES = 4
WINDOW_S = 10.0


class Story:
    """Operations by their names, and the verdict on them."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._ends: dict[str, int] = {}
        self._t = 0.0

    def note(self, op: str, **fields: Any) -> Operation:
        """Add an operation, a second after the one before."""
        self._t += 1.0
        self.operations.append({"t": self._t, "op": op, **fields})
        return self.operations[-1]

    def store(self, stream: str, subject: str, identity: str, **fields: Any) -> Operation:
        """Add what a stream holds at its next place, 0.1 s after the one before."""
        sequence = self._ends[stream] = self._ends.get(stream, 0) + 1
        place = {"stream": stream, "seq": sequence, "subject": subject, "id": identity}
        return self.note("stored", **place, **{"at": sequence / 10, **fields})

    def event(self, identity: str, **fields: Any) -> Operation:
        """Add an event that is stored."""
        of_client = {"source": CLIENT_SOURCE, "event_id": identity}
        return self.store(topics.QIKI_EVENTS_V1, "qiki.events.v1.chaos", identity, **of_client, **fields)

    def record(self, identity: str, sequence: int) -> None:
        """Add the record of an event, in the files and on the audit subject."""
        self.note("audit", sequence=sequence, source=CLIENT_SOURCE, id=identity, hash=f"hash-{sequence}")
        self.store(
            topics.QIKI_EVENTS_V1, topics.AUDIT.subject, f"audit:hash-{sequence}", source="registrar", event_id=""
        )

    def frame(self, run: str, number: int) -> None:
        """Add a frame on its subjects, with one track, one part of estimates and its notice."""
        place = {"run": run, "frame": number}
        for band, topic in FRAMES_BY_BAND.items():
            identity = {"frame_id": str(run_frame_id(UUID(run), number))}
            self.store(
                topics.QIKI_RADAR_V1, topic.subject, frame_message_id(run, number, band.name), **place, **identity
            )
        self.store(topics.QIKI_RADAR_V1, topics.TRACKS.subject, track_message_id(run, number, "a"), **place)
        estimates = estimates_message_id(run, number, 1)
        self.store(topics.QIKI_ESTIMATES_V1, topics.ESTIMATES.subject, estimates, **place)
        notice = f"{run}:{number}"
        self.store(topics.QIKI_TRACKER_V1, topics.TRACKED.subject, notice, **place, tracks=1, parts=1)

    def run(self, run: str, frames: int = FRAMES) -> None:
        """Add a run, each frame of which is measured, stored and tracked."""
        for number in range(frames):
            self.note("measured", run=run, frame=number)
            self.frame(run, number)

    def all(self, op: str, **fields: Any) -> list[Operation]:
        """Return the operations of a kind with these values."""
        return [one for one in self.operations if one["op"] == op and fields.items() <= one.items()]

    def drop(self, op: str, **fields: Any) -> None:
        """Remove the operations of a kind with these values, of which there must be some."""
        gone = self.all(op, **fields)
        assert gone
        self.operations = [one for one in self.operations if one not in gone]

    def verdict(self) -> dict[str, list[str]]:
        """Return the findings' texts by kind."""
        found: dict[str, list[str]] = {}
        for one in check(self.operations).findings:
            found.setdefault(one.kind, []).append(one.what)
        return found

    def declared(self) -> dict[str, int]:
        """Return what is declared, and happened."""
        return {what: count for what, count in check(self.operations).declared.items() if count}


@pytest.fixture
def empty() -> Callable[[], Story]:
    """Make a story without a run."""

    def make() -> Story:
        story = Story()
        windows = {stream.name: WINDOW_S for stream in topics.STREAMS}
        waiting = [stream.name for stream in topics.STREAMS if stream.persist_async]
        story.note("run", window_s=windows, asynchronous=waiting, registered_to=100)
        story.note("life", service="q-sim-service", pid=1)
        return story

    return make


@pytest.fixture
def story(empty: Callable[[], Story]) -> Story:
    """Two events of a client, stored and registered; a command and its answer; a run of four frames; reads."""
    story = empty()
    for number, identity in enumerate(("one", "two"), 1):
        story.note("event", id=identity, client="c", state="sent")
        stored = story.event(identity)
        story.note("event", id=identity, client="c", state="stored", seq=stored["seq"], duplicate=False)
        story.note("followed", stream=topics.QIKI_EVENTS_V1, seq=stored["seq"], id=identity)
        story.record(identity, number)
    story.note("command", id="c1", name="sim.start", state="sent")
    story.note("answer", id="c1", ok=True)
    story.note("command", id="c1", name="sim.start", state="answered", ok=True, run=RUN)
    story.run(RUN)
    read = story.all("stored", subject=topics.FRAMES.subject, frame=2)[0]
    story.note("read", stream=topics.QIKI_RADAR_V1, seq=read["seq"], id=read["id"])
    story.note("newest", frame_id=story.all("stored", subject=topics.FRAMES.subject)[-1]["frame_id"])
    return story
