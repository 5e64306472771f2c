"""A body is a frame, or poison with its first fault: nothing else comes out of it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faststream_bridge.frames import PoisonError, read_frame, read_origin, read_radar

ID = "6f1c3d1e-0000-4000-8000-000000000001"
PLOT = {"range_m": 1.0, "bearing_deg": 2.0, "elev_deg": 3.0, "vr_mps": 4.0, "snr_db": 5.0, "rcs_dbsm": 6.0}
FRAME = {
    "schema_version": 1,
    "frame_id": ID,
    "sensor_id": ID,
    "timestamp": "2026-01-02T03:04:05Z",
    "detections": [PLOT],
}


def test_a_good_body_is_a_frame():
    assert read_frame(json.dumps(FRAME).encode()).detections[0].vr_mps == 4.0


@pytest.mark.parametrize(
    ("change", "said", "more"),
    [
        ({"frame_id": "x"}, "frame_id: Input should be a valid UUID", False),
        (
            {"detections": [PLOT, PLOT | {"range_m": -1}]},
            "detections.1.range_m: Input should be greater than or equal to 0",
            False,
        ),
        (
            {"detections": [PLOT | {"range_m": -1, "snr_db": -1}]},
            "detections.0.range_m: Input should be greater than or equal",
            True,
        ),
    ],
)
def test_poison_names_its_first_fault_and_counts_the_others(change: dict, said: str, more: bool):
    with pytest.raises(PoisonError) as caught:
        read_frame(json.dumps(FRAME | change).encode())
    assert str(caught.value).startswith(said)
    assert ("(and 1 more)" in str(caught.value)) is more


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_bytes_are_poison(body: bytes):
    with pytest.raises(PoisonError):
        read_frame(body)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.datetimes().map(str)
    | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=100)
@given(
    st.dictionaries(st.sampled_from([*FRAME, "ts_event", "ts_ingest"]), ANYTHING),
    st.dictionaries(st.sampled_from(list(PLOT)), ANYTHING),
)
def test_a_frame_with_anything_in_its_fields_is_a_frame_or_poison(fields: dict, plot: dict):
    body = json.dumps(FRAME | {"detections": [PLOT | plot]} | fields).encode()
    try:
        frame = read_frame(body)
    except PoisonError:
        return
    assert read_frame(frame.to_json()) == frame


def test_headers_that_do_not_read_are_poison():
    with pytest.raises(PoisonError, match="headers: x-qiki-frame: -1 is negative"):
        read_origin({"x-qiki-run": ID, "x-qiki-frame": "-1"})
    assert read_origin(None) is None
    with pytest.raises(PoisonError, match="headers: x-qiki-radar: max_range_m: Field required"):
        read_radar({"x-qiki-radar": "beam_width_rad=wide"})
    assert read_radar(None) is None
