"""From messages to drafts: code and severity from the publisher, else from the table."""

import json
from datetime import UTC, datetime

import pytest

from qiki.audit.intake import read_draft
from qiki.audit.record import START, seal, unseal
from qiki.contracts.cloudevents import BrokenEventError
from qiki.contracts.events import CODE, EVENTS, GUARD_ALERT, POWER_CRITICAL, RUN_STARTED, SEVERITY, EventKind

MOMENT = datetime(2026, 1, 1, 0, 0, 7, tzinfo=UTC)
STORED = datetime(2026, 11, 23, 12, tzinfo=UTC)
OWN = {kind.ce_type for kind in EVENTS if kind.subject.endswith(".audit")}
FOREIGN = [kind for kind in EVENTS if kind.ce_type not in OWN]


def without(headers, *names):
    return {name: value for name, value in headers.items() if name not in names}


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: f"{kind.code} {kind.ce_type}")
def test_every_event_of_the_table_is_registered_as_the_table_says(kind: EventKind):
    draft = read_draft(kind.subject, kind.headers("id-1", MOMENT, "some-service"), b'{"a": 1}', STORED)
    assert (draft.event_id, draft.code, draft.severity) == ("id-1", kind.code, kind.severity)
    assert (draft.event_type, draft.timestamp, draft.payload) == (kind.ce_type, MOMENT, {"a": 1})
    assert draft.source == kind.source.replace("{service}", "some-service")


def test_severity_follows_the_event():
    headers = {**GUARD_ALERT.headers("id", MOMENT), SEVERITY: "CRITICAL"}
    assert read_draft(GUARD_ALERT.subject, headers, b"{}", STORED).severity == "CRITICAL"


@pytest.mark.parametrize(
    ("kind", "code", "severity"),
    [
        (RUN_STARTED, 500, "INFO"),
        (GUARD_ALERT, 802, "WARNING"),
        (POWER_CRITICAL, None, "INFO"),  # its type alone says nothing of the level
    ],
)
def test_without_a_code_it_is_the_tables_where_that_is_unique(kind: EventKind, code, severity):
    headers = without(kind.headers("id", MOMENT), CODE, SEVERITY)
    draft = read_draft("qiki.events.v1.anywhere", headers, b"{}", STORED)
    assert (draft.code, draft.severity) == (code, severity)


def test_a_code_without_a_severity_takes_that_of_the_table():
    headers = without(POWER_CRITICAL.headers("id", MOMENT), SEVERITY)
    draft = read_draft(POWER_CRITICAL.subject, headers, b"{}", STORED)
    assert (draft.code, draft.severity) == (603, "CRITICAL")


def test_an_outsiders_event_is_registered_without_a_code():
    headers = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "/sensors/door", "ce-type": "com.example.opened"}
    draft = read_draft("qiki.events.v1.door", headers, b"", STORED)
    assert (draft.code, draft.severity, draft.payload, draft.timestamp) == (None, "INFO", None, STORED)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({CODE: "abc"}, "x-qiki-code: 'abc': expected a whole number from 100 to 999"),
        ({CODE: "99"}, "x-qiki-code: '99'"),
        ({CODE: "1000"}, "x-qiki-code: '1000'"),
        ({CODE: "²"}, "x-qiki-code"),
        ({CODE: "9" * 5000}, r"x-qiki-code: '9{40}'\.\.\. \(5000 characters\): expected a whole number"),
        ({SEVERITY: "X" * 5000}, r"x-qiki-severity: 'X{40}'\.\.\. \(5000 characters\): expected one of"),
        ({SEVERITY: "bad"}, "x-qiki-severity: 'bad': expected one of INFO, WARNING, ERROR, CRITICAL"),
        ({"ce-source": "urn:qiki:registrar:audit"}, "reserved for the registrar"),
        ({"ce-source": "urn:qiki:registrar:radar"}, "reserved for the registrar"),
    ],
)
def test_a_wrong_header_is_refused(changes, reason):
    headers = {**RUN_STARTED.headers("id", MOMENT), **changes}
    with pytest.raises(BrokenEventError, match=reason):
        read_draft(RUN_STARTED.subject, headers, json.dumps({}).encode(), STORED)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def read(body: bytes):
    return read_draft(RUN_STARTED.subject, RUN_STARTED.headers("id", MOMENT), body, STORED)


def kept(depth: int) -> bool:
    try:
        read(nested(depth))
    except BrokenEventError:
        return False
    return True


def test_data_nested_too_deeply_for_a_record_are_refused_and_the_deepest_that_fit_are_kept():
    deepest = max(depth for depth in range(1, 400) if kept(depth))
    assert 50 < deepest < 399
    body = nested(deepest)
    assert unseal(seal(read(body), START, STORED).line).fields["payload"] == json.loads(body)


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"NaN"])
def test_a_number_that_is_not_finite_is_refused(number: bytes):
    with pytest.raises(BrokenEventError, match="body: "):
        read(b'{"a": [%b]}' % number)
