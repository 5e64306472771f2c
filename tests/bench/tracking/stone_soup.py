"""Stone Soup in the place of the platform's tracker: `qiki score --tracker tests/bench/tracking/stone_soup.py:gnn`.

It takes Stone Soup, which `tox -e tracking` installs; `:jpda` is its other associator.
"""

from collections.abc import Mapping

from peer import Peer, PeerParameters

from qiki.contracts.enums import FriendFoe
from qiki.tracking import Scan, TrackerParameters
from qiki_harness.scoring import Tracks

TUNED = PeerParameters()


class Stepped:
    """A run of Stone Soup that is given one scan after another."""

    def __init__(self, associator: str, given: TrackerParameters) -> None:
        self._next: list[Scan] = []
        self._steps = Peer(associator, given, given.expected_false_alarms, TUNED).follow(iter(self._next.pop, None))

    def step(self, scan: Scan) -> Tracks:
        """Return the confirmed tracks after a scan."""
        self._next.append(scan)
        return next(self._steps)


def gnn(parameters: TrackerParameters, _: Mapping[str, FriendFoe]) -> Stepped:
    """Return a tracker with global nearest neighbour."""
    return Stepped("gnn", parameters)


def jpda(parameters: TrackerParameters, _: Mapping[str, FriendFoe]) -> Stepped:
    """Return a tracker with joint probabilistic data association."""
    return Stepped("jpda", parameters)
