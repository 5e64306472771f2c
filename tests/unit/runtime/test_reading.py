"""Unknown fields are ignored and logged at debug level."""

import logging

from qiki.contracts.radar import RadarFrame
from qiki.runtime.reading import read_payload

FRAME = """{"frame_id": "37dcb32c-ae13-5156-ae80-0f4c663824de", "sensor_id": "37dcb32c-ae13-5156-ae80-0f4c663824de",
"timestamp": "2026-01-01T00:00:00Z", "colour": 1, "detections": [{"range_m": 1, "bearing_deg": 2, "elev_deg": 3,
"vr_mps": 4, "snr_db": 5, "rcs_dbsm": 6, "taste": 7}]}"""


def test_unknown_fields_are_named_at_debug_level(caplog):
    with caplog.at_level(logging.DEBUG, "qiki.runtime.reading"):
        frame = read_payload(RadarFrame, FRAME.encode())
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG] == [
        "RadarFrame: unknown field colour ignored",
        "RadarFrame: unknown field detections.0.taste ignored",
    ]
    assert b"colour" not in frame.to_json()


def test_nothing_is_said_above_debug_level(caplog):
    with caplog.at_level(logging.INFO, "qiki.runtime.reading"):
        read_payload(RadarFrame, FRAME.encode())
    assert not caplog.records
