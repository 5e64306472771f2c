"""Compare two recorded runs: what they were made with, what they follow from, where they part, and how they went."""

import contextlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from pydantic import ValidationError

from qiki.contracts import topics
from qiki.contracts.events import PROPOSAL_ACCEPTED, Decision
from qiki.contracts.headers import Message
from qiki.contracts.radar import RadarFrame, RadarTrack
from qiki.contracts.telemetry import TruthSnapshot
from qiki.flight.digest import DECISIONS, GROUPS, FrameCollector, FrameMessages, run_of
from qiki.world.vehicle.orders import Fork
from qiki_harness.manifest.diff import Comparison as Manifests
from qiki_harness.manifest.model import Manifest
from qiki_harness.recording.difference import Difference, first_difference, has_frame, lacks, rank
from qiki_harness.recording.layout import MANIFEST
from qiki_harness.recording.runs import LATE_RECORDED, RecordedRun, recorded_frames, words_of
from qiki_harness.scoring import score
from qiki_harness.scoring.live import ScoredFrame, scan_record

_REACH_M = 16_000.0
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NAMED = 5
_NOT_INPUTS = {"run_id", "timestamp", "speed"}


@dataclass(frozen=True)
class Comparison:
    """Two runs, A and B.

    Attributes:
        environment, inputs, orders: sentences about what differs
        frames: number of frames that are the same, from the first common one on
        difference: the first, its values those of A and B; None where the common frames are the same
        nameless: their ids differ, so ids do not count
        metrics: name, and values of A and B
    """

    environment: tuple[str, ...]
    inputs: tuple[str, ...]
    orders: tuple[str, ...]
    frames: int
    difference: Difference | None
    nameless: bool
    metrics: tuple[tuple[str, str, str], ...]

    @property
    def same(self) -> bool:
        """True if there are common frames, and they are the same."""
        return self.frames > 0 and self.difference is None


def compare(one: RecordedRun, other: RecordedRun) -> Comparison:
    """Compare two runs. The agent's events count where the agent conducted both."""
    runs = (one, other)
    nameless = one.summary.run_id != other.summary.run_id
    groups = GROUPS if one.lockstep and other.lockstep else tuple(group for group in GROUPS if group != DECISIONS)
    frames, difference = _first_difference(runs, groups, nameless=nameless)
    columns = [_metrics(run) for run in runs]
    metrics = tuple((name, columns[0].get(name, "-"), columns[1].get(name, "-")) for name in columns[0] | columns[1])
    return Comparison(
        tuple(_environment(runs)), tuple(_inputs(runs)), tuple(_orders(runs)), frames, difference, nameless, metrics
    )


def _environment(runs: tuple[RecordedRun, RecordedRun]) -> Iterator[str]:
    abouts = [run.recording.about for run in runs]
    for name in ("product", "python", "commit", "locks"):
        a, b = (getattr(about, name) for about in abouts)
        if a != b:
            yield f"{name}: {a or '?'} in A, {b or '?'} in B"
    texts = [run.recording.attachments().get(MANIFEST) for run in runs]
    try:
        a_manifest, b_manifest = (Manifest.model_validate_json(text or b"") for text in texts)
    except ValidationError:
        return
    yield from (str(one) for one in Manifests(a_manifest, b_manifest).differences() if not one.allowed)


def _inputs(runs: tuple[RecordedRun, RecordedRun]) -> Iterator[str]:
    """Yield what differs in what the runs follow from."""
    a_inputs, b_inputs = (run.described.model_dump(mode="json", exclude=_NOT_INPUTS) for run in runs)
    scenarios = [inputs["scenario"].get("name") for inputs in (a_inputs, b_inputs)]
    if scenarios[0] != scenarios[1]:
        yield f"scenario: {scenarios[0]} in A, {scenarios[1]} in B"
        return
    found = list(_leaves(a_inputs, b_inputs, ""))
    yield from (f"{path}: {a} in A, {b} in B" for path, a, b in found[:_NAMED])
    if len(found) > _NAMED:
        yield f"and {len(found) - _NAMED} more"


def _leaves(one: Any, other: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in dict.fromkeys((*one, *other)):
            yield from _leaves(one.get(name), other.get(name), f"{path}.{name}" if path else str(name))
    elif isinstance(one, list) and isinstance(other, list):
        for place, (a, b) in enumerate(zip_longest(one, other)):
            yield from _leaves(a, b, f"{path}[{place}]")
    elif one != other:
        yield path, one, other


def _orders(runs: tuple[RecordedRun, RecordedRun]) -> Iterator[str]:
    orders = [[order for tick in sorted(run.orders) for order in run.orders[tick]] for run in runs]
    for name, one in zip("AB", orders, strict=True):
        yield from (f"{words_of(order)} in {name}" for order in one if order.order == Fork.name)
    given = [[words_of(order) for order in one if order.order != Fork.name] for one in orders]
    for number, (a, b) in enumerate(zip_longest(*given)):
        if a != b:
            yield f"order {number}: {a or 'none'} in A, {b or 'none'} in B"
            if number >= _NAMED:
                yield "and so on"
                return


def _first_difference(
    runs: tuple[RecordedRun, RecordedRun], groups: Collection[str], *, nameless: bool
) -> tuple[int, Difference | None]:
    sides, names = [_frames(run, groups) for run in runs], Names()
    a, b = (next(side, None) for side in sides)
    same = 0
    while a and b:
        if a.number == b.number and has_frame(a) and has_frame(b):
            pair = names.plain(a, b) if nameless else (a, b)
            found = first_difference(*pair, partial=same == 0, recorded=True)
            if found:
                return same, found
            same += 1
        a_next, b_next = a.number <= b.number, b.number <= a.number
        a = next(sides[0], None) if a_next else a
        b = next(sides[1], None) if b_next else b
    return same, None


def _frames(run: RecordedRun, groups: Collection[str]) -> Iterator[FrameMessages]:
    return recorded_frames(run, FrameCollector(run.summary.run_id, groups, LATE_RECORDED), groups)


class Names:
    """Names for the ids of two runs: ids that stand at the same places in both have one."""

    def __init__(self) -> None:
        self._names: tuple[dict[str, str], dict[str, str]] = ({}, {})

    def plain(self, one: FrameMessages, other: FrameMessages) -> tuple[FrameMessages, FrameMessages]:
        """Return a frame of both runs with names for ids, and with numbers for message ids."""
        sides = [_by_subject(frame) for frame in (one, other)]
        for subject in sorted(sides[0].keys() & sides[1].keys(), key=lambda subject: rank((subject, ""))):
            for mine, theirs in zip(sides[0][subject], sides[1][subject], strict=False):
                self._pair(_UUID.findall(_text(mine)), _UUID.findall(_text(theirs)))
        first, second = (
            self._renamed(frame, side, names)
            for frame, side, names in zip((one, other), sides, self._names, strict=True)
        )
        return first, second

    def _pair(self, mine: list[str], theirs: list[str]) -> None:
        for a, b in zip(mine, theirs, strict=False):
            if a not in self._names[0] and b not in self._names[1]:
                self._names[0][a] = self._names[1][b] = f"#{len(self._names[0])}"

    def _renamed(self, frame: FrameMessages, side: dict[str, list[Message]], names: dict[str, str]) -> FrameMessages:
        def name(found: re.Match[str]) -> str:
            return names.get(found[0], found[0])

        plain = FrameMessages(frame.number, frame.time)
        for subject, messages in side.items():
            for place, message in enumerate(messages):
                body = _UUID.sub(name, message.body.decode(errors="replace")).encode()
                headers = {key: _UUID.sub(name, value) for key, value in message.headers.items()}
                plain.messages[subject, str(place)] = Message(subject, body, headers)
        return plain


def _by_subject(frame: FrameMessages) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = defaultdict(list)
    for (subject, _), message in frame.messages.items():
        found[subject].append(message)
    return found


def _text(message: Message) -> str:
    headers = " ".join(message.headers[name] for name in sorted(message.headers))
    return f"{message.body.decode(errors='replace')} {headers}"


def _metrics(run: RecordedRun) -> dict[str, str]:
    """Return how a run went, as text by name."""
    summary = run.summary
    found = {"frames": f"{summary.first} to {summary.last}", "orders": str(summary.orders)}
    scored, nearest_m, alerts = [], math.inf, 0
    for frame in _frames(run, GROUPS):
        alerts += sum(subject == topics.GUARD.subject for subject, _ in frame.messages)
        if whole := _scored(frame):
            scored.append(whole)
            nearest_m = min(nearest_m, _nearest_m(whole.truth))
    found["guard alerts"] = str(alerts)
    found["decisions"] = _decisions(run)
    if scored:
        begin = scored[0].truth.timestamp
        times = ((one.truth.timestamp - begin).total_seconds() for one in scored)
        total, _ = score([scan_record(one, t_s, _REACH_M) for one, t_s in zip(scored, times, strict=True)])
        found["closest approach"] = f"{nearest_m:.1f} m"
        found["GOSPA"] = f"{total.gospa_m:.2f} m"
        found["identity switches"] = str(total.identity_switches)
    return found


def _scored(frame: FrameMessages) -> ScoredFrame | None:
    """Return a frame with its truth and tracks; None where one of them is missing."""
    bodies = {subject: message.body for (subject, _), message in frame.messages.items()}
    if topics.TRUTH.subject not in bodies or lacks(frame):
        return None
    tracks = (one.body for (subject, _), one in frame.messages.items() if subject == topics.TRACKS.subject)
    with contextlib.suppress(ValidationError):  # it is a difference, and scored nowhere
        return ScoredFrame(
            TruthSnapshot.from_json(bodies[topics.TRUTH.subject]),
            RadarFrame.from_json(bodies[topics.FRAMES.subject]),
            [RadarTrack.from_json(body) for body in tracks],
        )
    return None


def _decisions(run: RecordedRun) -> str:
    counts: Counter[str] = Counter()
    for recorded in run.recording.messages({PROPOSAL_ACCEPTED.subject}):
        if run_of(recorded.message) == run.summary.run_id:
            with contextlib.suppress(ValidationError):
                counts[Decision.from_json(recorded.message.body).status.name.rpartition("_")[2].lower()] += 1
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "none"


def _nearest_m(truth: TruthSnapshot) -> float:
    bot = truth.bot.position
    return min(_distances_m(bot, (contact.position for contact in truth.contacts)), default=math.inf)


def _distances_m(bot: Any, positions: Iterable[Any]) -> Iterator[float]:
    return (math.dist((bot.x, bot.y, bot.z), (one.x, one.y, one.z)) for one in positions)
