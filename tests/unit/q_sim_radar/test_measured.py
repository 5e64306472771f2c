"""A measured frame as the three messages that carry it."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from generated.q_sim_api_pb2 import StreamRadarFramesResponse
from generated.radar.v1 import radar_pb2 as pb
from q_sim_radar.backlog import Measured
from q_sim_radar.source import radars_of
from qiki.contracts.enums import FriendFoe
from qiki.contracts.frame_messages import LAST_SUBJECT, frame_messages
from qiki.contracts.headers import Message
from qiki.contracts.ids import run_frame_id
from qiki.contracts.protobuf import timestamp_to_proto, uuid_to_proto
from qiki.contracts.radar import RadarDetection, RadarFrame

RUN = UUID("6f1c3d1e-0000-4000-8000-000000000001")
SENSOR = UUID("6f1c3d1e-0000-4000-8000-000000000002")
AT = datetime(2026, 1, 1, 0, 0, 0, 300_000, UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
NEAR = RadarDetection(
    range_m=100, bearing_deg=1, elev_deg=2, vr_mps=3, snr_db=4, rcs_dbsm=5, range_band=2, transponder_id="F-1",
    transponder_on=True, transponder_mode=1, id_present=True,
)  # fmt: skip
FAR = RadarDetection(
    range_m=9000, bearing_deg=1, elev_deg=2, vr_mps=3, snr_db=4, rcs_dbsm=5, range_band=1, id_present=False
)


def messages(measured: Measured, ts_ingest: datetime) -> list[Message]:
    return frame_messages(measured.frame, measured.origin, measured.radar, ts_ingest)


def response(*plots: RadarDetection) -> StreamRadarFramesResponse:
    return StreamRadarFramesResponse(
        frame=pb.RadarFrame(
            schema_version=1,
            frame_id=uuid_to_proto(run_frame_id(RUN, 3)),
            sensor_id=uuid_to_proto(SENSOR),
            timestamp=timestamp_to_proto(AT),
            detections=[pb.RadarDetection(**plot.model_dump(exclude_none=True)) for plot in plots],
        ),
        run_id=str(RUN),
        number=3,
        own_position=(1.0, 2.0, 3.0),
        own_velocity=(0.5, 0.0, 0.0),
        identities={"F-1": pb.FriendFoe.FRIEND},
    )


def test_the_frame_travels_whole_and_by_range():
    whole, far, near = messages(Measured.from_proto(response(NEAR, FAR, NEAR)), NOW)
    assert [one.subject for one in (whole, far, near)] == [
        "qiki.radar.v1.frames",
        "qiki.radar.v1.frames.lr",
        "qiki.radar.v1.tracks.sr",
    ]
    bands = [[plot["range_band"] for plot in json.loads(one.body)["detections"]] for one in (whole, far, near)]
    assert bands == [[2, 1, 2], [1], [2, 2]]
    assert [one.headers["Nats-Msg-Id"] for one in (whole, far, near)] == [f"{RUN}:3", f"{RUN}:3:LR", f"{RUN}:3:SR"]
    assert near.subject == LAST_SUBJECT


def test_there_is_no_identity_in_the_long_range_message():
    _, far, near = messages(Measured.from_proto(response(NEAR, FAR)), NOW)
    (plot,) = json.loads(far.body)["detections"]
    assert (plot["transponder_id"], plot["id_present"]) == (None, False)
    assert b"F-1" not in far.body
    assert b"F-1" in near.body


def test_body_and_headers_are_the_measured_ones():
    whole = messages(Measured.from_proto(response(NEAR)), NOW)[0]
    frame = RadarFrame.from_json(whole.body)
    assert (frame.frame_id, frame.sensor_id, frame.timestamp, frame.ts_ingest) == (
        run_frame_id(RUN, 3),
        SENSOR,
        AT,
        NOW,
    )
    assert frame.detections == (NEAR,)
    assert whole.headers["ce-time"] == "2026-01-01T00:00:00.300000Z"
    assert whole.headers["x-qiki-own-position"] == "1.0 2.0 3.0"
    assert whole.headers["x-qiki-own-velocity"] == "0.5 0.0 0.0"
    assert Measured.from_proto(response()).origin.identities == {"F-1": FriendFoe.FRIEND}


def test_a_frame_without_a_detection_is_three_messages_too():
    assert [json.loads(one.body)["detections"] for one in messages(Measured.from_proto(response()), NOW)] == [
        [],
        [],
        [],
    ]


def test_a_frame_that_the_contract_does_not_allow_is_refused():
    broken = response(NEAR)
    broken.frame.detections[0].range_m = float("nan")
    with pytest.raises(ValueError, match="range_m"):
        Measured.from_proto(broken)


RADAR = (
    "max_range_m=16000.0&doppler_span_mps=400.0&false_alarm_probability=1e-10&range_resolution_m=15.0&beam_width_rad=0.2"
    "&doppler_resolution_mps=1.6&range_floor_m=1.0&angle_floor_rad=0.001&doppler_floor_mps=0.05"
)


def test_every_message_says_what_the_stream_says_of_the_radar():
    told = [one.headers.get("x-qiki-radar") for one in messages(Measured.from_proto(response(NEAR), RADAR), NOW)]
    assert told == [RADAR] * 3
    assert all("x-qiki-radar" not in one.headers for one in messages(Measured.from_proto(response(NEAR)), NOW))


def test_a_frame_of_a_radar_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="x-qiki-radar: beam_width_rad"):
        Measured.from_proto(response(NEAR), RADAR.replace("=0.2", "=nan"))


def test_the_stream_says_it_of_each_run():
    told = [("x-qiki-run", "b"), ("x-qiki-radar", "a "), ("x-qiki-radar", f"b {RADAR}")]
    assert radars_of(told) == {"a": "", "b": RADAR}
