"""What nobody can read goes to the dead letters with the reason; what stands beside it is untouched."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from qiki.contracts import topics
from qiki.contracts.headers import FRAME, RUN
from qiki.contracts.radar import RadarDetection, RadarFrame
from qiki_harness.twin.checks import check_tracks, settle

MINUTE = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
PLOT = RadarDetection(range_m=900.0, bearing_deg=10.0, elev_deg=1.0, vr_mps=-5.0, snr_db=20.0, rcs_dbsm=3.0)


def frame(**changes):
    """A frame of another radar as JSON, with changes to its first plot."""
    whole = RadarFrame(frame_id=uuid4(), sensor_id=uuid4(), timestamp=MINUTE, detections=(PLOT,))
    values = json.loads(whole.to_json())
    values["detections"][0] |= changes
    return values


def encoded(values):
    return json.dumps(values).encode()  # writes NaN as it is


POISON = {  # what its reason has to say: the body and its headers
    "JSON": (b"{not json", None),
    "EOF": (b"", None),
    "range_m: Input should be a finite": (encoded(frame(range_m=float("nan"))), None),
    "range_m: Input should be greater": (encoded(frame(range_m=-1.0)), None),
    "long range carries no identity": (encoded(frame(range_band=1, transponder_id="SHP-VIPER")), None),
    "timestamp: Input should have timezone": (encoded(frame() | {"timestamp": "2026-01-01T12:00:00"}), None),
    "headers": (encoded(frame()), {RUN: str(uuid4()), FRAME: "minus one"}),
}


def test_poison_is_put_aside_with_its_reason(own_twin):
    twin = own_twin("single-pass", start=False)
    assert twin.command("sim.step", ticks=20).ok

    sequences = {reason: twin.store(topics.FRAMES.subject, *poison) for reason, poison in POISON.items()}

    assert twin.command("sim.step", ticks=20).ok
    for reason, sequence in sequences.items():
        letter = twin.await_dead_letter(origin_sequence=sequence).data
        assert reason in letter.reason
        assert len(letter.reason.splitlines()) == 1
        assert letter.origin_subject == topics.FRAMES.subject
        assert letter.body == POISON[reason][0]
    # The run goes on as if nothing had been.
    check_tracks(twin, *settle(twin))
    twin.await_until("the durable owes nothing", lambda: _nothing_pending(twin))
    assert len(twin.dead_letters()) == len(POISON)
    assert twin.metric("faststream-bridge", "qiki_dead_letters_total") == len(POISON)


def test_a_good_frame_among_poison_is_tracked(own_twin):
    twin = own_twin("empty", start=False)
    good = RadarFrame(frame_id=uuid4(), sensor_id=uuid4(), timestamp=MINUTE, detections=(PLOT,))

    bodies = [b"poison 1", good.to_json(), b"poison 2"]
    sequences = [twin.store(topics.FRAMES.subject, body) for body in bodies]

    twin.await_until("both letters have come", lambda: len(twin.dead_letters()) >= 2)
    assert [letter.data.origin_sequence for letter in twin.dead_letters()] == [sequences[0], sequences[2]]
    assert twin.await_tracked_frame(frame_id=good.frame_id).data.tracks == 1
    track = twin.await_track(run=str(good.sensor_id)).data
    assert track.range_m == pytest.approx(PLOT.range_m, abs=20)
    assert track.timestamp == MINUTE


def _nothing_pending(twin):
    info = twin.jetstream(lambda jetstream: jetstream.consumer_info(topics.QIKI_RADAR_V1, topics.FRAMES_DURABLE))
    return info.num_pending == 0 and info.num_ack_pending == 0
