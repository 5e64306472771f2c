"""A body is a frame, or poison with its first fault: nothing else comes out of it."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from faststream_bridge.frames import Poison, PoisonError, StoredFrame, read_content, read_frame
from qiki.contracts.fields import first_fault
from qiki.contracts.frame_columns import FrameColumns
from qiki.contracts.radar import RadarDetection, RadarFrame

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
    assert read_frame(json.dumps(FRAME).encode()).plots.vr_mps == (4.0,)


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
    | st.sampled_from([10**400, 1.0, "1", " 2.5 ", "1e3", "true", "off", ID, ID.upper(), 1_700_000_000, "2026-01-02"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200)
@given(
    st.dictionaries(st.sampled_from([*FRAME, "ts_event", "ts_ingest"]), ANYTHING),
    st.dictionaries(st.sampled_from(list(RadarDetection.model_fields)), ANYTHING),
)
def test_a_frame_with_anything_in_its_fields_is_what_its_model_says(fields: dict, plot: dict):
    body = json.dumps(FRAME | {"detections": [PLOT | plot]} | fields).encode()
    assert said(read_frame, body) == said(lambda one: FrameColumns.of_frame(RadarFrame.from_json(one)), body)


def said(read: Callable[[bytes], FrameColumns], body: bytes) -> object:
    """The frame, or its first fault."""
    try:
        return read(body)
    except ValidationError as error:
        return first_fault(error)
    except PoisonError as error:
        return str(error)


@pytest.mark.parametrize(
    ("headers", "reason", "claimed"),
    [
        ({"x-qiki-run": ID, "x-qiki-frame": "-1"}, "headers: x-qiki-frame: '-1': expected a whole", False),
        (
            {"x-qiki-run": ID, "x-qiki-frame": "9" * 5000},
            "headers: x-qiki-frame: '" + "9" * 40 + "'... (5000 characters): expected",
            False,
        ),
        ({"x-qiki-run": ID, "x-qiki-frame": "7", "x-qiki-radar": "beam_width_rad=wide"}, "headers: x-qiki-radar", True),
    ],
)
def test_headers_that_do_not_read_are_poison(headers: dict[str, str], reason: str, claimed: bool):
    content = read_content(json.dumps(FRAME).encode(), headers)
    assert isinstance(content, Poison)
    assert content.reason.startswith(reason)
    assert (content.origin is not None) is claimed


def test_poison_keeps_the_origin_that_its_headers_claim():
    content = read_content(b"{", {"x-qiki-run": ID, "x-qiki-frame": "7"})
    assert isinstance(content, Poison)
    assert content.origin is not None
    assert content.origin.frame == 7


def test_a_frame_of_another_radar_has_no_origin():
    content = read_content(json.dumps(FRAME).encode(), None)
    assert isinstance(content, StoredFrame)
    assert (content.origin, content.radar) == (None, None)


@pytest.mark.parametrize(
    ("detection", "count", "reason"),
    [
        ("{}", 1_300_000, "bytes (expected at most 2052096)"),
        ("{}", 600_000, "600002 objects and lists (expected at most 16000)"),
        ("[]", 600_000, "600002 objects and lists (expected at most 16000)"),
        ("{}", 15_000, "detections.0.range_m: Field required (and 5 more)"),
        ("0", 900_000, "detections.0: Input should be a valid dictionary"),
    ],
)
def test_a_frame_of_too_many_detections_is_poison_at_little_memory(detection: str, count: int, reason: str):
    """Faults of all of them together would take gigabytes."""
    detections = f"[{','.join([detection] * count)}]"
    body = json.dumps(FRAME).replace(json.dumps([PLOT]), detections).encode()
    script = (
        "import resource, sys\n"
        "from faststream_bridge.frames import read_content\n"
        "body = sys.stdin.buffer.read()\n"
        "read_content(b'{}', None)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(read_content(body, None).reason)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], input=body, capture_output=True, check=True)
    said, grown_kb = done.stdout.decode().splitlines()
    assert reason in said
    assert int(grown_kb) < 100_000


def test_a_frame_as_large_as_the_contract_allows_is_read():
    longest = -1.2345678901234567e-300
    plot = {name: longest if name == "vr_mps" else 1.2345678901234567e-300 for name in PLOT} | {
        "transponder_id": "X" * 20,
        "id_present": True,
    }
    body = json.dumps(FRAME | {"detections": [plot] * 4000}, indent=1).encode()
    assert len(read_frame(body).plots.range_m) == 4000
    with pytest.raises(PoisonError, match="at most 4000 items"):
        read_frame(json.dumps(FRAME | {"detections": [PLOT] * 4001}).encode())
