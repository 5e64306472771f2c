"""The history, in the order that the checks ask for; and what a check reports."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from qiki.contracts import topics
from qiki_harness.chaos.history import Operation

SIMULATOR = "q-sim-service"
Place = tuple[str, int]  # run and frame


@dataclass(frozen=True)
class Finding:
    """A broken promise, with the operations that prove it.

    Attributes:
        kind: lost, doubled, reordered, invented; or stuck: something did not come back
    """

    kind: str
    what: str
    operations: tuple[Operation, ...] = ()


@dataclass
class Report:
    """Findings, and how often something happened that is declared to happen."""

    findings: list[Finding] = field(default_factory=list)
    declared: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, what: str, *operations: Operation) -> None:
        """Add a finding."""
        self.findings.append(Finding(kind, what, operations))


class Facts:
    """An index of a history."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._by_op: dict[str, list[Operation]] = defaultdict(list)
        for operation in operations:
            self._by_op[operation["op"]].append(operation)

    def of(self, op: str, **fields: Any) -> list[Operation]:
        """Return the operations of a kind whose fields have these values."""
        return [one for one in self._by_op[op] if all(one.get(name) == value for name, value in fields.items())]

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The fields of all `run` operations."""
        return {name: value for one in self._by_op["run"] for name, value in one.items()}

    @cached_property
    def _streams(self) -> Mapping[str, list[Operation]]:
        found: dict[str, list[Operation]] = defaultdict(list)
        for one in sorted(self._by_op["stored"], key=lambda one: int(one["seq"])):
            found[one["stream"]].append(one)
        return found

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams that hold something."""
        return tuple(self._streams)

    def stored(self, stream: str, subject: str | None = None) -> list[Operation]:
        """Return what a stream held at the end, in its order."""
        return [one for one in self._streams.get(stream, ()) if subject in {None, one["subject"]}]

    @cached_property
    def _ids(self) -> Mapping[str, Mapping[str, list[Operation]]]:
        found: dict[str, dict[str, list[Operation]]] = defaultdict(lambda: defaultdict(list))
        for stream, held in self._streams.items():
            for one in held:
                found[stream][one["id"]].append(one)
        return found

    def by_id(self, stream: str) -> Mapping[str, list[Operation]]:
        """Return what a stream held at the end, by message id."""
        return self._ids.get(stream, {})

    def by_place(self, topic: topics.Topic[Any]) -> Mapping[Place, list[Operation]]:
        """Return what was stored of a topic, by run and frame, each message once, in the stream's order."""
        found: dict[Place, list[Operation]] = defaultdict(list)
        for one in once(self.stored(str(topic.stream), topic.subject)):
            found[(one["run"], one["frame"])].append(one)
        return found

    @cached_property
    def seen_s(self) -> Mapping[str, float]:
        """The runs that the simulator itself showed, each with the time when it was first seen."""
        shown = [*self._by_op["measured"], *self._by_op["mention"], *self.of("command", state="answered")]
        found: dict[str, float] = {}
        for one in sorted(shown, key=lambda one: float(one["t"])):
            if one.get("run"):
                found.setdefault(one["run"], one["t"])
        return found

    @cached_property
    def died(self) -> frozenset[str]:
        """The runs that ended with the simulator's process."""
        lives = self.of("life", service=SIMULATOR)[1:]
        before = [[run for run, seen_s in self.seen_s.items() if seen_s < life["t"]] for life in lives]
        return frozenset(runs[-1] for runs in before if runs)

    @cached_property
    def buried(self) -> frozenset[tuple[str, int]]:
        """Subject and sequence of the messages that became dead letters."""
        letters = self.stored(topics.QIKI_DLQ_V1)
        return frozenset((one["origin_subject"], one["origin_seq"]) for one in letters)

    def calm(self, begin_s: float, end_s: float) -> bool:
        """Return whether no fault lasted at any time between."""
        return not any(begin < end_s and begin_s < end for begin, end in self._troubles)

    @cached_property
    def _troubles(self) -> list[tuple[float, float]]:
        """Each from a fault's begin until all was ready again."""
        ready = [float(one["t"]) for one in self._by_op["ready"]]
        begun = [float(one["t"]) for one in self.of("fault", state="begun")]
        return [(at_s, min((t for t in ready if t > at_s), default=float("inf"))) for at_s in begun]


def once(stored: Iterable[Operation]) -> Iterator[Operation]:
    """Yield each message without those that bear its id again."""
    seen: set[str] = set()
    for one in stored:
        if one["id"] not in seen:
            seen.add(one["id"])
            yield one
