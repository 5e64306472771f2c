"""A tracker that was stopped and restored goes on to the bit; broken snapshots say what is wrong."""

from collections.abc import Callable
from uuid import UUID

import numpy as np
import pydantic_core
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qiki.contracts.enums import FriendFoe
from qiki.tracking import Scan, SnapshotError, Tracker, TrackerParameters
from qiki.tracking.tracks import MAGIC, NO_TRACKS, TRACK, appended, without

FRAMES = 25
IDENTITIES = {"F-1": FriendFoe.FRIEND}


@pytest.fixture(scope="module")
def scans(make_scans: Callable[[int], list[Scan]]):
    return make_scans(FRAMES)


def written(tracker: Tracker, scans: list[Scan]):
    return [pydantic_core.to_json(tracker.step(scan).rows()) for scan in scans]


def fresh(run_id: UUID):
    return Tracker(run_id, TrackerParameters(), IDENTITIES)


def test_the_same_scans_give_the_same_bytes(scans: list[Scan], run_id: UUID):
    assert written(fresh(run_id), scans) == written(fresh(run_id), scans)


def test_another_run_gives_other_names_to_the_same_tracks(scans: list[Scan], run_id: UUID):
    one, other = fresh(run_id), fresh(type(run_id)(int=5))
    for scan in scans:
        first, second = one.step(scan), other.step(scan)
        assert not set(first.track_id) & set(second.track_id)
        np.testing.assert_array_equal(first.position, second.position)


@settings(max_examples=15, deadline=None)
@given(splits=st.sets(st.integers(0, FRAMES), max_size=4))
def test_a_tracker_restored_at_any_frames_continues_to_the_bit(scans: list[Scan], run_id: UUID, splits: set[int]):
    tracker, result = fresh(run_id), []
    for frame, scan in enumerate(scans):
        if frame in splits:
            tracker = Tracker.restore(tracker.snapshot(), TrackerParameters(), IDENTITIES)
        result += written(tracker, [scan])
    assert result == written(fresh(run_id), scans)


def test_a_snapshot_says_whose_and_until_when_it_is(scans: list[Scan], run_id: UUID):
    tracker = fresh(run_id)
    written(tracker, scans)
    restored = Tracker.restore(tracker.snapshot(), TrackerParameters(), IDENTITIES)
    assert (restored.run_id, restored.t_us, len(restored)) == (run_id, scans[-1].t_us, len(tracker))
    assert restored.snapshot() == tracker.snapshot()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda s: b"QIKITRK0" + s[8:], "begins with"),
        (lambda _: b"", "begins with"),
        (lambda s: s[:-1], "records take"),
        (lambda s: s.replace(b"reply_mode", b"reply_mood"), "another version"),
        (lambda s: s.replace(b'"run_id"', b'"ruin_id"'), "header does not read"),
        (lambda s: s[:12] + b"[" + s[13:], "header does not read"),
        (lambda s: s[: len(MAGIC) + 2], "header does not read"),
    ],
)
def test_broken_bytes_are_refused(scans: list[Scan], run_id: UUID, spoil: Callable[[bytes], bytes], reason: str):
    tracker = fresh(run_id)
    written(tracker, scans[:3])
    with pytest.raises(SnapshotError, match=reason):
        Tracker.restore(spoil(tracker.snapshot()), TrackerParameters(), IDENTITIES)


def test_records_are_joined_and_dropped_whole():
    tracks = np.frombuffer(np.random.default_rng(1).bytes(5 * TRACK.itemsize), dtype=TRACK)
    gone = np.array([False, True, False, False, True])
    assert appended(tracks[:2], tracks[2:]).tobytes() == tracks.tobytes()
    assert without(tracks, gone).tobytes() == b"".join(tracks[row].tobytes() for row in (0, 2, 3))
    assert without(tracks, gone).dtype == appended(NO_TRACKS, tracks).dtype == TRACK
