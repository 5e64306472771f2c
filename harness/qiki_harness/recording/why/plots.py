"""The plots that tracks were corrected by: not published, so they are computed by flying the run again."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from qiki.clock import rfc3339
from qiki.contracts.headers import Message
from qiki.errors import UserError
from qiki.flight import FlownFrame
from qiki.flight.digest import canonical
from qiki.guard.messages import track_messages
from qiki.guard.rules import GuardRules
from qiki.tracking.tracks import NO_PLOT
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.reflight import fly_recorded, last_tick, plan_of
from qiki_harness.recording.runs import recorded_run
from qiki_harness.recording.why.archive import Place


@dataclass
class PlotBook:
    """The plots of some tracks, frame by frame.

    Attributes:
        rows: place of the plot among its frame's detections; none where the track was missed
        problem: why they are not known; empty where they are
    """

    rows: dict[Place, int] = field(default_factory=dict)
    problem: str = ""
    _flown: dict[Place, bytes] = field(default_factory=dict)
    _hits: dict[str, list[int]] = field(default_factory=dict)

    def add(self, frame: FlownFrame, tracks: frozenset[str]) -> None:
        """Add the plots of these tracks at a flown frame, and keep their messages."""
        tracked = frame.tracked
        reports, number = tracked.reports, tracked.number
        if tracks.isdisjoint(reports.track_id):
            return
        messages = track_messages(tracked, rfc3339(reports.moment))
        for track, row, message in zip(reports.track_id, reports.plot.tolist(), messages, strict=True):
            if track in tracks:
                self._flown[number, track] = canonical(message)
                if row != NO_PLOT:
                    self.rows[number, track] = row
                    self._hits.setdefault(track, []).append(number)

    def agrees(self, place: Place, recorded: Message) -> bool:
        """Return whether the flown track is the recorded one, so that its plot is the recorded one's too."""
        return self._flown.get(place) == canonical(recorded)

    def newest(self, place: Place) -> int | None:
        """Return the newest frame, not later than this one, in which the track has a plot."""
        frame, track = place
        hits = self._hits.get(track, [])
        count = bisect_right(hits, frame)
        return hits[count - 1] if count else None


def book_of(recording: Recording, run_id: str, rules: GuardRules | None, last: Mapping[str, int]) -> PlotBook:
    """Return the plots of tracks, each up to the frame that `last` gives it.

    Args:
        rules: of the guard, if the bridge had other ones than the platform's own
    """
    book = PlotBook()
    if not last:
        return book
    try:
        run = recorded_run(recording, run_id)
        flight = plan_of(run, rules).without_agent.flight()
        for moment in fly_recorded(flight, run, last_tick(run), with_agent=False):
            if moment.frame is not None:
                number = moment.frame.measured.number
                book.add(moment.frame, frozenset(track for track, frame in last.items() if frame >= number))
                if number >= max(last.values()):
                    break
    except UserError as error:
        book.problem = str(error)
    return book
