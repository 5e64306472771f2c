"""Headers: CloudEvents in binary mode, message ids, and where a frame comes from."""

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qiki.contracts import ids
from qiki.contracts.enums import FriendFoe, RadarRangeBand
from qiki.contracts.events import EVENTS, GUARD_ALERT
from qiki.contracts.headers import FrameOrigin, cloud_event, probability, triple
from qiki.contracts.numbers import MAX_FRAME

RUN = "6f1c3d1e-0000-4000-8000-000000000001"
TIME = "2026-01-02T03:04:05.000006Z"
ORIGIN = FrameOrigin(RUN, 7, (1.5, -2.0, 1e-300), (0.1, 0.0, -0.0), {"F-1": FriendFoe.FRIEND})


def test_attributes_are_spelled_as_the_nats_binding_spells_them():
    assert cloud_event("id", "type", "urn:source", TIME) == {
        "Nats-Msg-Id": "id",
        "ce-specversion": "1.0",
        "ce-id": "id",
        "ce-type": "type",
        "ce-source": "urn:source",
        "ce-time": TIME,
        "content-type": "application/json",
    }


@pytest.mark.parametrize(
    ("band", "message_id", "kind"),
    [
        (RadarRangeBand.RR_UNSPECIFIED, f"{RUN}:7", "qiki.radar.v1.UNSPECIFIEDFrame"),
        (RadarRangeBand.RR_LR, f"{RUN}:7:LR", "qiki.radar.v1.LRFrame"),
        (RadarRangeBand.RR_SR, f"{RUN}:7:SR", "qiki.radar.v1.SRFrame"),
    ],
)
def test_headers_of_a_frame_on_each_of_its_subjects(band: RadarRangeBand, message_id: str, kind: str):
    headers = ORIGIN.headers(band, TIME)
    assert headers["Nats-Msg-Id"] == headers["ce-id"] == message_id
    assert headers["ce-type"] == kind
    assert headers["ce-source"] == "urn:qiki:q-sim-service:radar"
    assert headers["x-range-band"] == band.name
    assert (headers["x-qiki-run"], headers["x-qiki-frame"]) == (RUN, "7")
    assert headers["x-qiki-own-position"] == "1.5 -2.0 1e-300"
    assert headers["x-qiki-own-velocity"] == "0.1 0.0 -0.0"


@pytest.mark.parametrize(("value", "text"), [(0.9, "0.90"), (0.9567, "0.95"), (0.999999, "0.99"), (1.0, "1.00")])
def test_what_is_short_of_certain_is_not_written_as_certain(value: float, text: str):
    assert probability(value) == text


def test_an_origin_is_the_same_after_its_headers():
    assert FrameOrigin.read(ORIGIN.headers(RadarRangeBand.RR_SR, TIME)) == ORIGIN


def test_the_identities_of_a_run_are_read_once():
    one, other = (FrameOrigin.read(ORIGIN.headers(band, TIME)) for band in list(RadarRangeBand)[:2])
    assert one is not None
    assert other is not None
    assert one.identities is other.identities
    with pytest.raises(TypeError):
        one.identities["F-2"] = FriendFoe.FOE  # type: ignore[index]


@settings(max_examples=60)
@given(st.data())
def test_identities_and_numbers_of_any_kind_survive_their_headers(wire: SimpleNamespace, data: st.DataObject):
    numbers = st.tuples(wire.numbers, wire.numbers, wire.numbers)
    sides = st.dictionaries(wire.words, st.sampled_from(FriendFoe), max_size=4)
    number = data.draw(st.integers(0, MAX_FRAME))
    origin = FrameOrigin(RUN, number, data.draw(numbers), data.draw(numbers), data.draw(sides))
    headers = origin.headers(RadarRangeBand.RR_UNSPECIFIED, TIME)
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert FrameOrigin.read(headers) == origin


@pytest.mark.parametrize("headers", [None, {}, {"Nats-Msg-Id": "x"}])
def test_a_frame_without_a_run_is_another_radars(headers: dict[str, str] | None):
    assert FrameOrigin.read(headers) is None


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("x-qiki-frame", "-1", "x-qiki-frame: '-1': expected"),
        ("x-qiki-frame", "seven", "seven"),
        ("x-qiki-frame", "", "x-qiki-frame: '': expected"),
        ("x-qiki-own-position", "1 2", "x-qiki-own-position: '1 2' is not three finite numbers"),
        ("x-qiki-own-position", "1 2 3 4", "not three finite numbers"),
        ("x-qiki-own-position", "1 2 north", "north"),
        ("x-qiki-own-velocity", "nan 0 0", "x-qiki-own-velocity: 'nan 0 0' is not three finite numbers"),
        ("x-qiki-own-velocity", "0 inf 0", "not three finite numbers"),
        ("x-qiki-identities", "F-1=9", "9 is not a valid FriendFoe"),
        ("x-qiki-identities", "F-1=friend", "friend"),
    ],
)
def test_headers_that_do_not_read_are_refused(name: str, value: str, problem: str):
    headers = ORIGIN.headers(RadarRangeBand.RR_UNSPECIFIED, TIME) | {name: value}
    with pytest.raises(ValueError, match=problem):
        FrameOrigin.read(headers)


@pytest.mark.parametrize("missing", ["x-qiki-run", "x-qiki-frame"])
def test_half_of_an_origin_is_refused(missing: str):
    headers = ORIGIN.headers(RadarRangeBand.RR_UNSPECIFIED, TIME)
    del headers[missing]
    with pytest.raises(ValueError, match=f"{missing}: is missing"):
        FrameOrigin.read(headers)


def test_numbers_are_written_in_their_shortest_exact_form():
    assert triple((1, 0.1, 1 / 3)) == "1.0 0.1 0.3333333333333333"


def test_ids_follow_from_run_and_counter():
    run = UUID(RUN)
    assert ids.run_frame_id(run, 12) == uuid5(run, "12")
    assert ids.run_frame_id(run, 1) != ids.track_id(run, 1)
    assert ids.track_message_id(RUN, 12, "T") == f"{RUN}:12:T"
    assert ids.run_frame_id(run, 12) != ids.run_frame_id(UUID(int=1), 12)


RANGES = {1: "BOOT_ INIT_", 2: "SENSOR_ RADAR_", 3: "ACTUATOR_", 4: "COMM_ NATS_", 5: "NAV_", 6: "POWER_", 7: "HEALTH_",
          8: "SECURITY_", 9: "CRITICAL_ SYSTEM_ RECOVERY_"}  # fmt: skip


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.subject)
def test_events_lie_in_the_contracts_ranges(event):
    assert event.name.startswith(tuple(RANGES[event.code // 100].split()))
    assert event.subject.startswith("qiki.events.v1.")
    assert event.severity in {"INFO", "WARNING", "ERROR", "CRITICAL"}
    assert event.source.startswith("urn:qiki:")
    assert event.when


def test_headers_of_an_event_carry_code_and_severity():
    headers = GUARD_ALERT.headers("event-1", datetime(2026, 1, 2, 3, 4, 5, 6, UTC))
    assert headers == cloud_event("event-1", GUARD_ALERT.ce_type, GUARD_ALERT.source, TIME) | {
        "x-qiki-code": "802",
        "x-qiki-severity": "WARNING",
    }
