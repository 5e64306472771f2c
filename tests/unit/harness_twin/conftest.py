"""A twin's histories without a stack: filled by hand."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand, RadarTrackStatus
from qiki.contracts.estimates import TrackEstimate, TrackEstimates
from qiki.contracts.headers import ESTIMATES, FRAME, MESSAGE_ID, RUN, FrameOrigin, cloud_event
from qiki.contracts.ids import RADAR_SENSOR_ID, estimates_message_id, run_frame_id, track_id, track_message_id
from qiki.contracts.radar import RadarDetection, RadarFrame, RadarTrack, TrackedFrame
from qiki_harness.twin.backing import ForeignStack
from qiki_harness.twin.history import Ledger
from qiki_harness.twin.watcher import Watcher
from qiki_harness.twin.wire import Wire

RUN_ID = UUID("0a000000-0000-4000-8000-000000000001")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOWHERE = {"NATS_URL": "nats://127.0.0.1:1", "QSIM_GRPC": "127.0.0.1:1"}


def plot(range_m, **more):
    band = RadarRangeBand.RR_SR if range_m <= 5000 else RadarRangeBand.RR_LR
    values = {"bearing_deg": 1.0, "elev_deg": 0.0, "vr_mps": 0.0, "snr_db": 20.0, "rcs_dbsm": 0.0, "range_band": band}
    return RadarDetection(range_m=range_m, **values | more)


class Filler:
    """Adds messages to a ledger as the services would publish them."""

    def __init__(self, ledger):
        self.ledger = ledger
        self._sequence = 0

    def add(self, subject, body, headers):
        self._sequence += 1
        self.ledger.add(subject, body, headers, self._sequence)

    def frame(self, number, plots=(), band=RadarRangeBand.RR_UNSPECIFIED):
        moment = NOON + timedelta(seconds=number / 10)
        frame = RadarFrame(
            frame_id=run_frame_id(RUN_ID, number), sensor_id=RADAR_SENSOR_ID, timestamp=moment, detections=plots
        )
        origin = FrameOrigin(str(RUN_ID), number, (0, 0, 0), (0, 0, 0))
        self.add(topics.FRAMES_BY_BAND[band].subject, frame.to_json(), origin.headers(band, "2026-01-01T12:00:00Z"))

    def frames(self, number, plots):
        """On its three subjects."""
        self.frame(number, plots)
        self.frame(number, tuple(p for p in plots if p.range_m > 5000), RadarRangeBand.RR_LR)
        self.frame(number, tuple(p for p in plots if p.range_m <= 5000), RadarRangeBand.RR_SR)

    def track(self, number, counter=0, **values):
        identity = track_id(RUN_ID, counter)
        given = {"range_m": 100.0, "bearing_deg": 0.0, "elev_deg": 0.0, "vr_mps": 0.0, "snr_db": 1.0, "rcs_dbsm": 0.0}
        given |= {"status": RadarTrackStatus.TRACKED, "timestamp": NOON + timedelta(seconds=number / 10)}
        report = RadarTrack(track_id=identity, **given | values)
        event = track_message_id(str(RUN_ID), number, str(identity))
        headers = cloud_event(event, "qiki.radar.v1.Track", "urn:qiki:faststream-bridge:radar", "2026-01-01T12:00:00Z")
        self.add(topics.TRACKS.subject, report.to_json(), headers | {RUN: str(RUN_ID), FRAME: str(number)})

    def estimates(self, number, *counters, part=1, parts=1):
        one = {"state": (0.0,) * 9, "covariance": (0.0,) * 45, "mode_probabilities": (1.0,), "existence": 1.0}
        body = TrackEstimates(
            run_id=str(RUN_ID),
            frame=number,
            timestamp=NOON + timedelta(seconds=number / 10),
            part=part,
            parts=parts,
            tracks=[TrackEstimate(track_id=track_id(RUN_ID, counter), **one) for counter in counters],
        )
        event = estimates_message_id(str(RUN_ID), number, part)
        source = "urn:qiki:faststream-bridge:radar"
        headers = cloud_event(event, "qiki.estimates.v1.TrackEstimates", source, "2026-01-01T12:00:00Z")
        self.add(topics.ESTIMATES.subject, body.to_json(), headers | {RUN: str(RUN_ID), FRAME: str(number)})

    def tracked(self, number, tracks, parts=None):
        body = TrackedFrame(
            run_id=str(RUN_ID),
            frame_id=run_frame_id(RUN_ID, number),
            frame=number,
            timestamp=NOON + timedelta(seconds=number / 10),
            tracks=tracks,
        )
        headers = {MESSAGE_ID: f"{RUN_ID}:{number}:tracked", RUN: str(RUN_ID), FRAME: str(number)}
        headers |= {} if parts is None else {ESTIMATES: str(parts)}
        self.add(topics.TRACKED.subject, body.to_json(), headers)

    def event(self, code, **fields):
        headers = {"ce-id": "1", "ce-type": "qiki.events.v1.Test", "ce-source": "urn:test", "x-qiki-code": str(code)}
        self.add("qiki.events.v1.test", json.dumps(fields).encode(), headers)


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def fill(ledger):
    return Filler(ledger)


@pytest.fixture
def watcher(ledger):
    return Watcher(ForeignStack(NOWHERE), ledger, Wire(NOWHERE["NATS_URL"], ledger))


@pytest.fixture
def run_id():
    return str(RUN_ID)


@pytest.fixture
def make_plot():
    return plot
