"""Small scenes to score."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from qiki_harness.scoring import ScanRecord, Tracks, Truth


def record(
    t_s: float,
    truth: Mapping[str, tuple],
    tracks: Mapping[str, tuple],
    variance: float = 1.0,
    own_position: tuple = (0, 0, 0),
) -> ScanRecord:
    """A scan of contacts and tracks at rest, with equal covariances."""

    def points(placed: Mapping[str, tuple]):
        return np.array(list(placed.values()), dtype=float).reshape(-1, 3)

    spread = np.broadcast_to(variance * np.eye(3), (len(tracks), 3, 3))
    still, found = np.zeros((len(truth), 3)), np.zeros((len(tracks), 3))
    return ScanRecord(
        t_s,
        Truth(list(truth), points(truth), still),
        Tracks(list(tracks), points(tracks), found, spread, spread, np.ones(len(tracks))),
        np.zeros((0, 3)),
        np.array(own_position, dtype=float),
    )


@pytest.fixture
def make_record() -> Callable[..., ScanRecord]:
    return record
