"""Our NATS binding beside the CloudEvents SDK, whose HTTP binding spells headers alike."""

import json
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent as SdkEvent
from hypothesis import given
from hypothesis import strategies as st

from qiki.contracts.cloudevents import BrokenEventError, header_value, read_cloud_event
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.events import EVENTS, EventKind
from qiki.contracts.headers import FrameOrigin, cloud_event

TIME = "2026-01-02T03:04:05.000006Z"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
GOOD = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "/door", "ce-type": "com.example.opened"}
# What a header may hold at all, once encoded; surrogates are no text.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
JSON = st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=9), max_size=4)


def by_the_sdk(headers, body: bytes) -> SdkEvent:
    return http.from_binary(http.HTTPMessage(dict(headers), body), JSONFormat(), SdkEvent)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: f"{kind.code} {kind.ce_type}")
def test_the_sdk_reads_every_event_of_the_table(kind: EventKind):
    event = by_the_sdk(kind.headers("the id", MOMENT, "some-service"), b'{"a": 1}')
    assert (event.get_id(), event.get_type(), event.get_time()) == ("the id", kind.ce_type, MOMENT)
    assert event.get_source() == kind.source.replace("{service}", "some-service")
    assert (event.get_datacontenttype(), event.get_data()) == ("application/json", {"a": 1})


def test_the_sdk_reads_frames_too():
    headers = FrameOrigin("run", 7, (0, 0, 0), (0, 0, 0)).headers(RadarRangeBand.RR_LR, TIME)
    assert by_the_sdk(headers, b"{}").get_id() == "run:7:LR"


@given(event_id=TEXT, source=TEXT, data=JSON)
def test_what_we_write_the_sdk_reads_and_so_do_we(event_id, source, data):
    headers = cloud_event(event_id, "some.type", source, TIME)
    body = json.dumps(data).encode()
    theirs, ours = by_the_sdk(headers, body), read_cloud_event(headers, body)
    assert (theirs.get_id(), theirs.get_source(), theirs.get_data()) == (event_id, source, data)
    assert (ours.id, ours.source, ours.type, ours.time, ours.data) == (event_id, source, "some.type", MOMENT, data)


@given(event_id=TEXT, subject=TEXT, extension=TEXT, data=JSON)
def test_what_the_sdk_writes_we_read(event_id, subject, extension, data):
    attributes = {
        "id": event_id, "source": "/door", "type": "t", "time": MOMENT, "subject": subject, "ext1": extension,
        "datacontenttype": "application/json; charset=utf-8",
    }  # fmt: skip
    message = http.to_binary(SdkEvent(attributes, data), JSONFormat())
    event = read_cloud_event(message.headers, message.body)
    assert (event.id, event.subject, event.time, event.data) == (event_id, subject, MOMENT, data)
    assert event.extensions == {"ext1": extension}


@given(headers=st.dictionaries(st.sampled_from([*GOOD, "ce-time", "ce-subject", "ce-my_ext", "ce-data"]), TEXT))
def test_what_we_accept_the_sdk_accepts(headers):
    """We may be stricter, never laxer: the SDK makes up what is missing."""
    whole = GOOD | {name: header_value(value) for name, value in headers.items()}
    try:
        ours = read_cloud_event(whole, b"{}")
    except BrokenEventError:
        return
    theirs = by_the_sdk(whole, b"{}")
    assert (theirs.get_id(), theirs.get_subject()) == (ours.id, ours.subject)


@given(TEXT)
def test_encoded_values_are_plain_ascii(text):
    assert all(0x20 < ord(char) < 0x7F and char != '"' for char in header_value(text))


def test_what_needs_no_encoding_stays_as_it_is():
    assert header_value("urn:qiki:x:radar/1?a=b#c") == "urn:qiki:x:radar/1?a=b#c"
    assert header_value('Euro € "10%"') == "Euro%20%E2%82%AC%20%2210%25%22"  # as the binding's own example shows


def test_what_is_optional_may_be_missing():
    event = read_cloud_event(GOOD, b"")
    assert (event.time, event.subject, event.data, event.extensions) == (None, None, None, {})
    assert read_cloud_event({name.upper(): value for name, value in GOOD.items()}, b"[1]").data == [1]


@pytest.mark.parametrize(
    ("changes", "body", "reason"),
    [
        ({"ce-id": None}, b"{}", "ce-id: is missing"),
        ({"ce-source": None}, b"{}", "ce-source: is missing"),
        ({"ce-type": None}, b"{}", "ce-type: is missing"),
        ({"ce-specversion": None}, b"{}", "ce-specversion: is missing"),
        ({"ce-specversion": "0.3"}, b"{}", "ce-specversion: '0.3': expected 1.0"),
        ({"ce-id": ""}, b"{}", "ce-id: is empty"),
        ({"ce-id": "%20"}, b"{}", "ce-id: is empty"),
        ({"ce-id": "%ff"}, b"{}", "ce-id: '%ff' is not percent-encoded UTF-8"),
        ({"ce-time": "yesterday"}, b"{}", "ce-time: 'yesterday': expected RFC 3339 with a zone"),
        ({"ce-time": "2026-01-01T00:00:00"}, b"{}", "ce-time: '2026-01-01T00:00:00': expected RFC 3339 with a zone"),
        ({"ce-my_ext": "x"}, b"{}", "ce-my_ext: no attribute is called so"),
        ({"content-type": "text/plain"}, b"{}", "content-type: text/plain: expected application/json"),
        ({"content-type": "application/cloudevents+json"}, b"{}", "expected binary mode"),
        ({}, b"{not json", "body: not JSON"),
        ({}, b'{"a": NaN}', "body: not JSON"),
        ({}, b"\xff\xfe", "body: not JSON"),
        ({}, b"[" * 5000, "body: not JSON"),
    ],
)
def test_a_broken_event_is_refused_with_the_reason(changes, body: bytes, reason: str):
    headers = {name: value for name, value in (GOOD | changes).items() if value is not None}
    with pytest.raises(BrokenEventError) as refusal:
        read_cloud_event(headers, body)
    assert reason in str(refusal.value)


def test_a_message_without_headers_is_no_event():
    with pytest.raises(BrokenEventError, match="ce-specversion: is missing"):
        read_cloud_event(None, b"{}")
