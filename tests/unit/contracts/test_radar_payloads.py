"""Frames, detections and tracks as JSON, against the contract's text."""

import json
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from qiki.contracts.radar import RadarDetection, RadarFrame, RadarTrack

FRAME_ID = "6f1c3d1e-0000-4000-8000-000000000001"
SENSOR_ID = "6f1c3d1e-0000-4000-8000-000000000002"
AT = "2026-01-02T03:04:05.000006Z"
PLOT = {"range_m": 1200.5, "bearing_deg": 10.0, "elev_deg": -5.0, "vr_mps": -3.0, "snr_db": 20.0, "rcs_dbsm": 1.0}
FRAME = {"frame_id": FRAME_ID, "sensor_id": SENSOR_ID, "timestamp": AT, "detections": [PLOT]}
TRACK = PLOT | {"track_id": FRAME_ID, "status": 2, "timestamp": AT}
PLOT_KEYS = [
    "range_m", "bearing_deg", "elev_deg", "vr_mps", "snr_db", "rcs_dbsm", "transponder_on", "transponder_mode",
    "transponder_id", "range_band", "id_present",
]  # fmt: skip
FRAME_KEYS = ["schema_version", "frame_id", "sensor_id", "timestamp", "ts_event", "ts_ingest", "detections"]
TRACK_KEYS = [
    "schema_version", "track_id", "object_type", "iff", "transponder_on", "transponder_mode", "transponder_id",
    "quality", "status", "range_m", "bearing_deg", "elev_deg", "vr_mps", "snr_db", "rcs_dbsm", "position", "velocity",
    "position_covariance", "velocity_covariance", "age_s", "miss_count", "timestamp", "ts_event", "ts_ingest",
    "range_band", "id_present",
]  # fmt: skip


def read(model: type, body: dict[str, Any]) -> Any:
    return model.from_json(json.dumps(body).encode())


def written(model: type, body: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(read(model, body).to_json())
    return content


@pytest.mark.parametrize(
    ("model", "body", "keys"),
    [(RadarDetection, PLOT, PLOT_KEYS), (RadarFrame, FRAME, FRAME_KEYS), (RadarTrack, TRACK, TRACK_KEYS)],
)
def test_keys_are_the_contracts_in_its_order(model: type, body: dict[str, Any], keys: list[str]):
    assert list(written(model, body)) == keys


def test_what_a_detection_leaves_out_has_the_contracts_default():
    left_out = {
        "transponder_on": False,
        "transponder_mode": 0,
        "transponder_id": None,
        "range_band": 0,
        "id_present": None,
    }
    assert written(RadarDetection, PLOT) == PLOT | left_out


def test_enums_travel_as_integers_and_uuids_as_text():
    claims = {"transponder_mode": 3, "transponder_id": "F-1", "range_band": 2, "id_present": True}
    assert written(RadarDetection, PLOT | claims).items() >= claims.items()
    track = written(RadarTrack, TRACK | {"object_type": 5, "iff": 2, "status": 4})
    assert (track["object_type"], track["iff"], track["status"], track["track_id"]) == (5, 2, 4, FRAME_ID)
    assert type(track["status"]) is int


def test_event_time_is_the_timestamp_under_its_later_name():
    frame = written(RadarFrame, FRAME | {"ts_event": "1999-01-01T00:00:00Z"})
    assert (frame["timestamp"], frame["ts_event"], frame["ts_ingest"]) == (AT, AT, None)


@pytest.mark.parametrize(
    ("given_text", "text"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05.1+02:30", "2026-01-02T00:34:05.100000Z"),
        ("0033-04-03T15:00:00Z", "0033-04-03T15:00:00.000000Z"),
    ],
)
def test_times_are_written_in_utc_with_six_decimals(given_text: str, text: str):
    assert written(RadarFrame, FRAME | {"timestamp": given_text})["timestamp"] == text


@pytest.mark.parametrize(
    "wrong",
    [
        "2026-01-02T03:04:05",
        "2026-01-02",
        "yesterday",
        "",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
        None,
        True,
        1e300,
    ],
)
@pytest.mark.parametrize(("model", "body"), [(RadarFrame, FRAME), (RadarTrack, TRACK)])
def test_a_time_without_a_zone_or_without_sense_is_refused(model: type, body: dict[str, Any], wrong: Any):
    with pytest.raises(ValidationError, match="timestamp"):
        read(model, body | {"timestamp": wrong})


@pytest.mark.parametrize("name", list(PLOT))
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", '"nan"', "1" + "0" * 400])
def test_a_number_that_is_not_finite_is_refused_in_a_detection(name: str, number: str):
    body = json.dumps(PLOT | {name: "HERE"}).replace('"HERE"', number)
    with pytest.raises(ValidationError, match=name):
        RadarDetection.from_json(body.encode())


FLOATS_OF_A_TRACK = [*PLOT, "quality", "age_s"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
@pytest.mark.parametrize("name", FLOATS_OF_A_TRACK)
def test_a_number_that_is_not_finite_is_refused_in_a_track(name: str, number: str):
    body = json.dumps(TRACK | {name: "HERE"}).replace('"HERE"', number)
    with pytest.raises(ValidationError, match=name):
        RadarTrack.from_json(body.encode())


@pytest.mark.parametrize(
    "part",
    [
        {"position": {"x": 0, "y": "HERE", "z": 0}},
        {"velocity": {"x": 0, "y": 0, "z": "HERE"}},
        {"position_covariance": [0, 0, "HERE", 0, 0, 0]},
        {"velocity_covariance": ["HERE", 0, 0, 0, 0, 0]},
    ],
)
def test_a_number_that_is_not_finite_is_refused_within_a_tracks_parts(part: dict[str, Any]):
    body = json.dumps(TRACK | part).replace('"HERE"', "Infinity")
    with pytest.raises(ValidationError, match=next(iter(part))):
        RadarTrack.from_json(body.encode())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("range_m", -0.1), ("bearing_deg", 360.0), ("bearing_deg", -1e-9), ("elev_deg", 90.1), ("elev_deg", -90.1),
        ("snr_db", -1.0), ("transponder_mode", 4), ("transponder_mode", -1), ("range_band", 3), ("range_m", None),
        ("range_m", [1]), ("transponder_id", 5),
    ],
)  # fmt: skip
def test_a_detection_out_of_bounds_is_refused(name: str, value: Any):
    with pytest.raises(ValidationError, match=name):
        read(RadarDetection, PLOT | {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quality", 1.01), ("quality", -0.01), ("age_s", -1.0), ("miss_count", -1), ("miss_count", 0.5), ("status", 5),
        ("object_type", 6), ("iff", 4), ("position_covariance", [0] * 5), ("velocity_covariance", [0] * 7),
        ("schema_version", 2), ("track_id", "not a uuid"), ("position", {"x": 1, "y": 2}),
    ],
)  # fmt: skip
def test_a_track_out_of_bounds_is_refused(name: str, value: Any):
    with pytest.raises(ValidationError, match=name):
        read(RadarTrack, TRACK | {name: value})


@pytest.mark.parametrize("name", ["frame_id", "sensor_id", "timestamp"])
def test_a_frame_needs_its_ids_and_its_time(name: str):
    with pytest.raises(ValidationError, match=name):
        read(RadarFrame, {key: value for key, value in FRAME.items() if key != name})


@pytest.mark.parametrize(("model", "body"), [(RadarDetection, PLOT), (RadarTrack, TRACK)])
@pytest.mark.parametrize("identity", [{"transponder_id": "F-1"}, {"id_present": True}])
def test_long_range_carries_no_identity(model: type, body: dict[str, Any], identity: dict[str, Any]):
    with pytest.raises(ValidationError, match="long range carries no identity"):
        read(model, body | identity | {"range_band": 1})
    assert written(model, body | identity | {"range_band": 2}).items() >= identity.items()


@pytest.mark.parametrize("nothing", [None, False])
def test_long_range_may_say_that_there_is_no_identity(nothing: bool | None):
    assert written(RadarDetection, PLOT | {"range_band": 1, "id_present": nothing})["id_present"] is nothing


@pytest.mark.parametrize(("model", "body"), [(RadarDetection, PLOT), (RadarFrame, FRAME), (RadarTrack, TRACK)])
def test_fields_of_a_later_version_are_ignored(model: type, body: dict[str, Any]):
    assert written(model, body | {"azimuth_rate": 1, "extra": {"deep": []}}) == written(model, body)


def test_a_frame_holds_at_most_4000_detections():
    assert len(read(RadarFrame, FRAME | {"detections": [PLOT] * 4000}).detections) == 4000
    with pytest.raises(ValidationError, match="detections"):
        read(RadarFrame, FRAME | {"detections": [PLOT] * 4001})


def test_an_empty_frame_is_a_frame():
    assert read(RadarFrame, FRAME | {"detections": []}).detections == ()


def test_payloads_are_frozen():
    frame = read(RadarFrame, FRAME)
    with pytest.raises(ValidationError, match="frozen"):
        frame.frame_id = UUID(SENSOR_ID)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b'"frame"', b"\xff\xfe", b'{"frame_id":"\\ud800"}', b"[" * 5000]
)
def test_what_is_no_json_object_is_refused_as_such(body: bytes):
    with pytest.raises(ValidationError):
        RadarFrame.from_json(body)


@settings(max_examples=40)
@given(st.data())
def test_detections_frames_and_tracks_survive_json(wire: SimpleNamespace, data: st.DataObject):
    original = data.draw(wire.detections | wire.frames | wire.tracks)
    again = type(original).from_json(original.to_json())
    assert again == original
    assert again.to_json() == original.to_json()


@pytest.mark.parametrize("model", [RadarDetection, RadarTrack])
@pytest.mark.parametrize(
    "identity",
    ["x" * 129, "A\x1b[2J", "A\r\nB", "\x00", "A\x7f", "A\x9bB", "A\u202eB", "A\u2066B", "A\u200fB", "\ufeffA", "A\n"],
)
def test_an_identity_that_is_long_or_would_drive_a_terminal_is_refused(model: type, identity: str):
    body = (TRACK if model is RadarTrack else PLOT) | {"transponder_id": identity}
    with pytest.raises(ValidationError, match="transponder_id"):
        read(model, body)


@pytest.mark.parametrize("model", [RadarDetection, RadarTrack])
@pytest.mark.parametrize("identity", [None, "", "SHP-ALBA", "a.b_c-9", "x" * 128, "Борт 7", "é☃ [/x]", "\U0001f6f0"])
def test_any_other_identity_is_read(model: type, identity: str | None):
    body = (TRACK if model is RadarTrack else PLOT) | {"transponder_id": identity}
    assert read(model, body).transponder_id == identity
