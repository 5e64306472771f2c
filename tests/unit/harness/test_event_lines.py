"""Lines of `qiki events`."""

import io

import pytest

from qiki_harness.cli.eventlines import EventLines, event_line
from qiki_harness.event_details import details

RUN = "fbec51c3-eb58-4302-adf7-5f10d9f58582"
RECORD = {
    "code": 802, "event_type": "qiki.events.v1.Refusal", "source": "urn:qiki:q-sim-service:control",
    "severity": "WARNING", "registered_at": "2026-11-23T18:28:20.123456Z",
    "payload": {"schema_version": 1, "category": "security", "source": "control", "ts_epoch": 1.5, "command": "sim.x",
                "sender": "me", "request_id": None, "reason": "no such command"},
}  # fmt: skip


def test_a_line_says_when_how_bad_what_who_and_why():
    assert event_line(RECORD, "18:28:20") == (
        "18:28:20 WARN 802 SECURITY_VIOLATION    q-sim-service:control   no such command command=sim.x sender=me"
    )


def test_what_matters_stands_within_80_columns():
    long = RECORD | {"source": "urn:qiki:faststream-bridge:radar_guard", "code": 211}
    assert len(event_line(long | {"payload": None}, "18:28:20")) <= 63


def test_an_outsiders_event_is_named_by_its_type():
    outside = RECORD | {"code": None, "event_type": "com.example.door.opened", "source": "/door", "payload": [1]}
    assert event_line(outside, "18:28:20") == "18:28:20 WARN --- opened                /door                   [1]"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (None, ""),
        ("word", '"word"'),
        ({"b": 1, "frames": 10, "a": 0.123456789}, "frames=10 b=1 a=0.123457"),
        ({"shed_loads": ["radar"], "faults": [], "on": False}, 'shed_loads=["radar"] on=false'),
        ({"run_id": RUN, "rests_on": [{"age_s": 1}]}, f'run_id={RUN} rests_on=[{{"age_s":1}}]'),
    ],
)
def test_details_are_the_payloads_own(payload, expected):
    assert details(payload, long=True) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"head": {"sequence": 7, "signature": "A" * 88}, "adopted": 2}, "adopted=2"),
        (None, ""),
        ([1], "[1]"),
        ({"run_id": RUN, "rests_on": [{"age_s": 1}], "tick": 65}, "tick=65"),
        ({"shed_loads": ["radar", "lidar"], "loads": [1, 2]}, "shed_loads=radar; lidar loads=[1,2]"),
        ({"post_results": [{"status": 1}] * 12, "health_score": 0.529412}, "post_results=(12) health_score=0.529412"),
        ({"id": RUN, "track_id": RUN, "rule_id": "SPOOF", "subject": "SPOOF", "iff": 3, "mode": 3},
         "mode=3 id=fbec51c3 rule_id=SPOOF iff=3"),
        ({"mode": "SAFE", "reasons": [f"close (track {RUN})", "lost"]}, "close (track fbec51c3); lost mode=SAFE"),
    ],
)  # fmt: skip
def test_in_short_there_is_what_people_read(payload, expected):
    assert details(payload) == expected


def test_a_line_is_cut_where_it_is_no_longer_read_and_a_long_one_is_not():
    many = RECORD | {"payload": {f"name{number}": number for number in range(100)}}
    for long, end in ((False, "…"), (True, "name99=99")):
        out = io.StringIO()
        EventLines(out, long=long).show(b"", many)
        line = out.getvalue().splitlines()[1]
        assert line.endswith(end)
        assert (len(line) <= 160) is not long


def test_what_an_outsider_publishes_drives_no_terminal():
    assert event_line(RECORD | {"payload": {"message": "a\x1b[2Jb\nc"}}, "18:28:20").endswith(r" a\x1b[2Jb\nc")


def test_each_day_has_a_line_of_its_own():
    out = io.StringIO()
    lines = EventLines(out)
    for moment in ("2026-11-23T23:59:59.000000Z", "2026-11-24T00:00:00.000000Z", "2026-11-24T00:00:01.000000Z"):
        lines.show(b"", RECORD | {"registered_at": moment})
    assert [text[:15] for text in out.getvalue().splitlines()] == [
        "-- 2026-11-23 (", "23:59:59 WARN 8", "-- 2026-11-24 (", "00:00:00 WARN 8", "00:00:01 WARN 8",
    ]  # fmt: skip
