"""The chain of reasons: from a command back over decision, proposal, alert, track and frame to the plots."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from uuid import UUID

from qiki.contracts.fields import Payload
from qiki.guard.rules import GuardRules
from qiki_harness.recording.layout import Recorded
from qiki_harness.recording.why import phrases
from qiki_harness.recording.why.archive import TRACKS, Archive, Place, track_of
from qiki_harness.recording.why.citations import Citation, resolve
from qiki_harness.recording.why.descriptions import element_of, missing, plot_of, time_of
from qiki_harness.recording.why.element import Element
from qiki_harness.recording.why.links import ABOUT_TRACKS, DECISION, ESTIMATES, NOTICES, Links
from qiki_harness.recording.why.plots import book_of

_OF_FRAMES = frozenset({NOTICES, ESTIMATES, TRACKS, *ABOUT_TRACKS})
_NO_TRACK = ""


@dataclass(frozen=True)
class Chain:
    """The reasons of one thing, and remarks on what is not known of them."""

    root: Element
    remarks: tuple[str, ...]


class _AboutTrack(Payload):
    """The part of an event that names its track."""

    track_id: UUID


def chain_of(archive: Archive, one: Recorded, rules: GuardRules | None = None) -> Chain:
    """Return the reasons of an event or an order.

    Args:
        rules: of the guard, if the bridge had other ones than the platform's own, for flying the run again
    """
    links = Links(archive)
    behind = list(links.chain(one))
    citations = {citation for event in behind for citation in links.citations(event)}
    cited = resolve(archive.recording, archive.run_id, citations)
    places = [_place(archive, each) for each in (*behind, *cited.values()) if each.message.subject in _OF_FRAMES]
    made = _Elements(archive, links, cited, places, rules)
    return Chain(made.reasons(one), tuple(made.remarks))


def track_chain(archive: Archive, track: str, rules: GuardRules | None = None) -> Chain:
    """Return the plots of a track, and what followed from it: alerts, decisions, commands."""
    links, span = Links(archive), archive.tracks[track]
    every = {citation for one in archive.events for citation in links.citations(one)}
    citations = {one for one in every if one.evidence.subject in {TRACKS, *ABOUT_TRACKS}}
    cited = resolve(archive.recording, archive.run_id, citations)
    places = [(frame, track) for frame in range(span.first, span.last + 1)]
    made = _Elements(archive, links, cited, places, rules)
    return Chain(made.life(track, places), tuple(made.remarks))


class _Elements:
    """Makes the elements of a chain.

    Args:
        places: frames and tracks that the chain leads to
        rules: with which the run is flown again

    Attributes:
        remarks: on what is not known; the keys of a dictionary, each once
    """

    def __init__(
        self,
        archive: Archive,
        links: Links,
        cited: Mapping[Citation, Recorded],
        places: Collection[Place],
        rules: GuardRules | None,
    ) -> None:
        self.remarks: dict[str, None] = {}
        if archive.live:
            self._remark("the agent was live: how old its evidence was is wall time")
        self._archive, self._links, self._cited = archive, links, cited
        last: dict[str, int] = {}
        for frame, track in places:
            last[track] = max(last.get(track, frame), frame)
        last.pop(_NO_TRACK, None)
        self._book = book_of(archive.recording, archive.run_id, rules, last)
        if self._book.problem:
            self._remark(f"which plots a track rests on is not known: {self._book.problem}")
        frames = {frame for place in places for frame in (place[0], self._book.newest(place)) if frame is not None}
        self._frames, self._tracks = archive.of_frames(frames, {place for place in places if place[1]})

    def reasons(self, one: Recorded, age_s: float | None = None) -> Element:
        """Return a message with all that it rests on."""
        return replace(element_of(self._archive, one, age_s), causes=tuple(self._causes(one)))

    def life(self, track: str, places: Collection[Place]) -> Element:
        """Return a track with the frames and plots at its places, and with what followed from it."""
        known = [place for place in places if place in self._tracks]
        plots = [place for place in known if self._row(place) is not None]
        newest = element_of(self._archive, self._tracks[known[-1]])
        text = f"{newest.text}; frames {known[0][0]} to {known[-1][0]}"
        if not self._book.problem:
            text += f", {len(plots)} plots"
            differing = sum(not self._book.agrees(place, self._tracks[place].message) for place in known)
            if differing:
                self._remark(f"plots are not known in {differing} frames: the run flown again is not the same there")
        return replace(
            newest,
            text=text,
            causes=tuple(self._frame(frame, self._row((frame, track))) for frame, _ in plots),
            effects=tuple(self._followed(one) for one in self._first_effects(track)),
        )

    def _causes(self, one: Recorded) -> Iterator[Element]:
        subject = one.message.subject
        if subject in ABOUT_TRACKS:
            yield self._track(one)
        elif subject == TRACKS:
            yield from self._plots(one)
        elif subject in {NOTICES, ESTIMATES}:
            yield self._frame(self._archive.frame_of(one), None, one)
        elif subject == DECISION:
            text = phrases.proposal(self._links.decision(one))
            yield Element("proposal", text, causes=tuple(self._evidence(one)))
        else:
            yield from self._evidence(one)
        if behind := self._links.behind(one):
            yield self.reasons(behind, self._age_s(one, behind))

    def _evidence(self, one: Recorded) -> Iterator[Element]:
        for citation in self._links.citations(one):
            found = self._cited.get(citation)
            evidence = citation.evidence
            yield missing(evidence) if found is None else self.reasons(found, evidence.age_s)

    def _track(self, about: Recorded) -> Element:
        """Return the track that an event is about, at its frame."""
        place = _place(self._archive, about)
        if found := self._tracks.get(place):
            return self.reasons(found, self._age_s(about, found))
        return Element("track", f"{phrases.short(place[1])} at frame {place[0]} is not in the recording")

    def _plots(self, one: Recorded) -> Iterator[Element]:
        """Yield the frame of a track with its plot; the newest one that has a plot for a track that was missed."""
        frame, track = _place(self._archive, one)
        if not self._book.problem and not self._book.agrees((frame, track), one.message):
            self._remark(
                f"which plots track {phrases.short(track)} rests on is not known: "
                f"the run flown again has another one at frame {frame} (qiki verify)"
            )
        elif (newest := self._book.newest((frame, track))) is not None:
            yield self._frame(newest, self._book.rows[newest, track], one)
            return
        yield self._frame(frame, None, one)

    def _frame(self, number: int, row: int | None, used_by: Recorded | None = None) -> Element:
        found = self._frames.get(number)
        if found is None:
            return Element("frame", f"{number} is not in the recording")
        age_s = None if used_by is None else self._age_s(used_by, found)
        plots = () if row is None else (plot_of(self._archive, found, row),)
        return replace(element_of(self._archive, found, age_s), causes=plots)

    def _row(self, place: Place) -> int | None:
        """Return the place of a track's plot in a frame; None without one, or where it is not known."""
        return self._book.rows.get(place) if self._book.agrees(place, self._tracks[place].message) else None

    def _first_effects(self, track: str) -> list[Recorded]:
        """Return the events about a track, and those that rest on its messages alone."""
        used = {found.number for found in self._cited.values() if found.message.subject == TRACKS}
        mine = {found.number for found in self._cited.values() if _place(self._archive, found)[1] == track} & used
        return [
            one
            for one in self._archive.events
            if (one.message.subject in ABOUT_TRACKS and _place(self._archive, one)[1] == track)
            or mine & self._uses.get(one.number, set())
        ]

    def _followed(self, one: Recorded) -> Element:
        """Return an event with what followed from it."""
        following = [other for other in self._archive.events if one.number in self._uses.get(other.number, ())]
        if one.message.subject == DECISION:
            commands = (action.command_id for action in self._links.decision(one).actions)
            following += [self._links.orders[command] for command in commands if command in self._links.orders]
        return replace(element_of(self._archive, one), effects=tuple(self._followed(other) for other in following))

    @cached_property
    def _uses(self) -> dict[int, set[int]]:
        """The numbers of the messages that each event rests on, by its own number."""
        return {
            one.number: {self._cited[each].number for each in self._links.citations(one) if each in self._cited}
            for one in self._archive.events
        }

    def _age_s(self, user: Recorded, used: Recorded) -> float:
        return round(max(0.0, time_of(self._archive, user) - time_of(self._archive, used)), 6)

    def _remark(self, text: str) -> None:
        self.remarks[text] = None


def _place(archive: Archive, one: Recorded) -> Place:
    """Return the frame of a message, and the track that it is about; an empty text for none."""
    subject = one.message.subject
    if subject in ABOUT_TRACKS:
        return archive.frame_of(one), str(archive.read(one, _AboutTrack).track_id)
    return archive.frame_of(one), track_of(one) if subject == TRACKS else _NO_TRACK
