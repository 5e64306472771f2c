"""The same run id, scenario, seed and commands: the same bytes but for `ts_ingest`, at any speed."""

import re
from uuid import UUID

from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import SEQUENCE
from qiki_harness.twin.checks import settle

RUN = UUID("5ca1ab1e-0000-4000-8000-000000000001")
SEED = 2026
FRAMES = 70
FRAMES_ACROSS_KILLS = 200
TS_INGEST = re.compile(rb'"ts_ingest":"[^"]*"')


def test_speed_changes_nothing(own_twin):
    slow, fast = (own_twin("mixed-traffic", seed=SEED, run_id=RUN, speed=speed) for speed in (1, 10))

    assert_same(captured(slow), captured(fast))


def test_kills_change_nothing_that_is_stored(own_twin):
    disturbed, quiet = (own_twin("crossing", seed=SEED, run_id=RUN, speed=speed) for speed in (3, 10))

    for killed in ("q-sim-radar", "faststream-bridge", "nats"):
        newest = disturbed.tracked_frames()[-1:]
        disturbed.await_tracked_frame(frame=newest[0].frame + 5 if newest else 5)
        disturbed.kill(killed)
        disturbed.await_ready()

    assert_same(stored(disturbed, FRAMES_ACROSS_KILLS), stored(quiet, FRAMES_ACROSS_KILLS))


def test_another_seed_measures_otherwise(world):
    measured = {}
    for seed in (1, 2, 1):
        twin = world("crossing", seed=seed)
        assert twin.command("sim.step", ticks=20).ok
        run, _ = settle(twin)
        plots = [record.data.detections for record in twin.frames(run=run)]
        assert measured.setdefault(seed, plots) == plots

    assert all(a != b for a, b in zip(measured[1], measured[2], strict=True))


def assert_same(one, other):
    """Show the first difference, not all that follows from it."""
    assert one.keys() == other.keys()
    for name in one:
        assert len(one[name]) == len(other[name]), name
        for number, (a, b) in enumerate(zip(one[name], other[name], strict=True)):
            assert a == b, f"{name} {number}"


def captured(twin):
    """What the radar, the tracker and the truth said of the first frames."""
    twin.await_truth(frame=FRAMES, deadline_s=60)
    truth = [_same_but_ingest(record) for record in twin.truth() if record.data.frame < FRAMES]
    assert len(truth) == FRAMES
    return stored(twin, FRAMES) | {"truth": truth}


def stored(twin, frames):
    """What of it the broker keeps."""
    twin.await_tracked_frame(frame=frames, deadline_s=60)
    announced = sum(record.data.tracks for record in twin.tracked_frames() if record.frame < frames)
    # Tracks are another stream than what is said of them, and may come in later.
    twin.await_until("their tracks have come", lambda: sum(r.frame < frames for r in twin.tracks()) >= announced)
    records = {band.name: twin.frames(band=band) for band in RadarRangeBand}
    records |= {"tracks": twin.tracks(), "tracked": twin.tracked_frames()}
    said = {
        name: [_same_but_ingest(record) for record in several if record.frame < frames]
        for name, several in records.items()
    }
    assert all(len(said[name]) == frames for name in said if name != "tracks")
    assert len(said["tracks"]) == announced > frames
    return said


def _same_but_ingest(record):
    # The sequence names a place in the stream, where frames and tracks interleave as they come.
    headers = {name: value for name, value in record.headers.items() if name != SEQUENCE}
    return record.subject, headers, TS_INGEST.sub(b'"ts_ingest":null', record.body)
