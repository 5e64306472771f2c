"""The guard's reports of one run, and the alerts that hold at a frame.

Alerts and their ends come on two subjects, perhaps long after the frames: the order of frames counts, not the order of
arrival.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from qiki.agent.perception.frames import Received
from qiki.contracts.radar import GuardAlert
from qiki.state import State, Stateful, pairs

KEPT_KEYS = 4096
KEPT_IN_ALL = 8192
KEPT_REPORTS = 16
"""Of one rule and track; more would have to come within the frames that are not complete yet."""

Key = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class GuardReport:
    """From a frame on, a rule is met (`alert`) or no longer met (None)."""

    frame: int
    alert: GuardAlert | None
    received: Received

    @property
    def order(self) -> tuple[int, int]:
        """Sort key among the reports of a rule and track."""
        return self.frame, self.received.sequence or 0


class GuardBook(Stateful):
    """The guard's reports of one run, by rule and track; `weight` is their number."""

    STATE = State(_reports=pairs(Key, list[GuardReport]), weight=int)

    def __init__(self) -> None:
        self._reports: dict[Key, list[GuardReport]] = {}
        self.weight = 0

    def add(self, key: Key, report: GuardReport) -> None:
        """Add a report, unless it is there already."""
        reports = self._reports.setdefault(key, [])
        if all(known.order != report.order for known in reports):
            reports.append(report)
            reports.sort(key=lambda one: one.order)
            self.weight += 1 - max(0, len(reports) - KEPT_REPORTS)
            del reports[:-KEPT_REPORTS]
        while len(self._reports) > KEPT_KEYS or self.weight > KEPT_IN_ALL:
            ended = (key for key, reports in self._reports.items() if reports[-1].alert is None)
            self.weight -= len(self._reports.pop(next(ended, None) or next(iter(self._reports))))

    def holding(self, frame: int, tracks: Collection[UUID]) -> Iterator[tuple[GuardAlert, Received]]:
        """Yield the alerts that hold at a frame with these tracks, each with its message."""
        for (_, track), reports in self._reports.items():
            report = _deciding(reports, frame)
            if report is not None and report.alert is not None and track in tracks:
                yield report.alert, report.received

    def settle(self, frame: int, tracks: Collection[UUID]) -> None:
        """Forget reports that can matter at no frame after this one: replaced ones, and those of lost tracks."""
        for (rule, track), reports in self._reports.items():
            deciding = _deciding(reports, frame) if track in tracks else None
            self._reports[rule, track] = [one for one in reports if one is deciding or one.frame > frame]
        self._reports = {key: reports for key, reports in self._reports.items() if reports}
        self.weight = sum(map(len, self._reports.values()))


def _deciding(reports: list[GuardReport], frame: int) -> GuardReport | None:
    """Return the last report at or before a frame."""
    return next((report for report in reversed(reports) if report.frame <= frame), None)
