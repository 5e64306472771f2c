"""What a record says."""

import time
from types import SimpleNamespace

import pytest

from qiki.contracts import topics
from qiki_harness.twin import Twin, UnreadableError, records
from qiki_harness.twin.records import MissingHeaderError

PAGE = """# HELP qiki_bridge_frames_total Frames handled
# TYPE qiki_bridge_frames_total counter
qiki_bridge_frames_total{outcome="tracked"} 40.0
qiki_bridge_frames_total{outcome="poison"} 2.0
# TYPE qiki_radar_active_tracks gauge
qiki_radar_active_tracks 7.0
"""


def test_an_event_has_its_attributes_code_and_fields(fill, watcher):
    fill.event(802, rule_id="SPOOF")
    (record,) = watcher.events()

    event = record.data
    assert (event.id, event.type, event.source) == ("1", "qiki.events.v1.Test", "urn:test")
    assert (event.code, event.severity, event.fields) == (802, None, {"rule_id": "SPOOF"})


def test_an_event_of_another_sender_needs_no_headers(ledger, watcher):
    ledger.add("qiki.events.v1.bios_status", b"{}", None)
    (record,) = watcher.events()

    assert record.data.code is None


def test_a_dead_letter_has_its_origin_and_its_bytes(ledger, watcher):
    headers = {"x-qiki-reason": "bad", "x-qiki-origin-subject": "a.b", "x-qiki-origin-seq": "12"}
    ledger.add("qiki.dlq.v1.a.b", b"\xff", headers)
    (record,) = watcher.dead_letters()

    letter = record.data
    assert (letter.reason, letter.origin_subject, letter.origin_sequence, letter.body) == ("bad", "a.b", 12, b"\xff")


def test_a_payload_is_read_once(fill, watcher):
    fill.track(1)
    (record,) = watcher.tracks()

    assert record.data is record.data


def test_the_payloads_that_were_read_first_are_forgotten(fill, watcher, monkeypatch):
    monkeypatch.setattr(records, "PAYLOADS_KEPT", 3)
    records._READ.clear()
    for number in range(5):
        fill.track(number, range_m=float(number))

    assert [record.data.range_m for record in watcher.tracks()] == [0, 1, 2, 3, 4]
    assert ["data" in vars(record) for record in watcher.tracks()] == [False, False, True, True, True]
    assert watcher.tracks()[0].data.range_m == 0  # read again


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("qiki_bridge_frames_total", {}, 42),
        ("qiki_bridge_frames_total", {"outcome": "poison"}, 2),
        ("qiki_bridge_frames_total", {"outcome": "old"}, 0),
        ("qiki_radar_active_tracks", {}, 7),
        ("no_such_metric", {}, 0),
    ],
)
def test_a_metric_is_summed_over_what_is_not_asked(name, labels, value):
    assert Twin.metric(SimpleNamespace(metrics_page=lambda _: PAGE), "bridge", name, **labels) == value


def test_a_record_knows_when_it_came(fill, watcher):
    before_s = time.monotonic()
    fill.track(1)
    fill.track(2)

    first, second = watcher.tracks()
    assert before_s <= first.came_s <= second.came_s <= time.monotonic()


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"{", "Invalid JSON: EOF while parsing an object at line 1 column 1"),
        (b'{"range_m": "far"}', "track_id: Field required (and 8 more)"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(ledger, watcher, body, fault):
    ledger.add(topics.TRACKS.subject, body, {}, 7)
    ledger.add(topics.TELEMETRY.subject, body, {})

    with pytest.raises(UnreadableError) as kept:
        _ = watcher.tracks()[0].data
    assert str(kept.value) == f"qiki.radar.v1.tracks, sequence 7: no RadarTrack: {fault}"
    with pytest.raises(UnreadableError, match=r"^qiki\.telemetry: no TelemetrySnapshot: "):
        _ = watcher.telemetry()[0].data


def test_a_header_that_is_missing_or_wrong_is_named_with_its_place(ledger, watcher):
    ledger.add(topics.TRACKS.subject, b"", {"x-qiki-frame": "ten"}, 7)
    (record,) = watcher.tracks()

    with pytest.raises(MissingHeaderError, match=r"^qiki\.radar\.v1\.tracks, sequence 7: x-qiki-run: is missing$"):
        _ = record.run
    with pytest.raises(UnreadableError, match=r"sequence 7: x-qiki-frame: 'ten': expected a whole number"):
        _ = record.frame
    assert watcher.tracks(run="a") == watcher.tracks(frame=10) == []
