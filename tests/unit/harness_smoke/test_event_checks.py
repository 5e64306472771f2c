"""What events, audit records and metrics must be for their checks to pass."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from qiki.audit.record import START, Draft, seal
from qiki.contracts import topics
from qiki.contracts.audit import AuditRecord
from qiki.contracts.enums import FSMState
from qiki.contracts.events import BOOT_OK, CODE, COMMAND_REFUSED, SAFE_MODE_ENTERED, Evidence, LifeCycle, SystemMode
from qiki.contracts.headers import MESSAGE_ID
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.checks.agent import names
from qiki_harness.smoke.checks.events import check_chain, check_event
from qiki_harness.smoke.checks.jetstream import ASKED, DURABLES, FRESH_S, GAUGES, judge
from qiki_harness.twin import UnreadableError
from registrar.registry import audit_headers

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def event(message):
    body = LifeCycle(source="registrar", ts_epoch=NOON.timestamp())
    return message(BOOT_OK.subject, body, BOOT_OK.headers("event-1", NOON, "registrar"), 7)


@pytest.fixture
def entries():
    """Five lines of an audit log."""
    head, lines = START, []
    for number in range(5):
        draft = Draft(f"event-{number}", 500, "qiki.events.v1.RunStarted", "urn:x", NOON, {"n": number}, "INFO")
        lines.append(seal(draft, head, NOON + timedelta(seconds=number)))
        head = lines[-1].head
    return lines


def test_an_event_of_the_table_and_an_audit_record_are_right(event, message, entries):
    assert check_event(event).type == BOOT_OK.ce_type
    record = message(topics.AUDIT.subject, entries[0].line[:-1], audit_headers(entries[0]))
    assert check_event(record).type == "qiki.events.v1.AuditRecord"


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"ce-specversion": "0.3"}, "ce-specversion"),
        ({"ce-type": "qiki.events.v1.Unheard"}, "Unheard is not known on this subject"),
        ({"ce-source": "urn:qiki:registrar:weather"}, "urn:qiki:registrar:weather does not raise"),
        ({CODE: "999"}, "999: expected 100 or 101"),
        ({MESSAGE_ID: "event-2"}, "is 'event-2', ce-id 'event-1'"),
    ],
    ids=["version", "type", "source", "code", "id"],
)
def test_an_event_that_is_not_of_the_table_is_named_with_its_place(event, headers, words):
    wrong = replace(event, headers={**event.headers, **headers})
    with pytest.raises(UnreadableError, match=words) as failed:
        check_event(wrong)
    assert str(failed.value).startswith(f"{BOOT_OK.subject}, sequence 7: ")


def test_a_body_that_is_not_of_its_type_is_no_event_either(event):
    with pytest.raises(UnreadableError, match="no LifeCycle: ts_epoch: Field required"):
        check_event(replace(event, body=b'{"source": "registrar"}'))
    with pytest.raises(UnreadableError, match="not known on this subject"):
        check_event(replace(event, subject=COMMAND_REFUSED.subject))


def test_a_chain_counts_its_links_up_to_the_record(entries):
    records = [AuditRecord.from_json(entry.line) for entry in entries]
    assert check_chain(records, 5) == 4
    assert check_chain([*reversed(records), records[0]], 3) == 2


def test_a_chain_that_is_broken_or_too_short_shows_no_order(entries):
    records = [AuditRecord.from_json(entry.line) for entry in entries]
    changed = records[2].model_copy(update={"previous_hash": records[0].hash})
    with pytest.raises(CheckFailedError, match="record 3 does not follow record 2"):
        check_chain([*records[:2], changed], 3)
    with pytest.raises(CheckFailedError, match="record 4 does not follow record 2"):
        check_chain([records[1], records[3]], 4)
    with pytest.raises(CheckFailedError, match="record 1 has none before it"):
        check_chain(records, 1)


def page(asked_epoch, durables=DURABLES):
    registry = CollectorRegistry()
    if asked_epoch is not None:
        Gauge(ASKED, "", registry=registry).set(asked_epoch)
    for name in GAUGES:
        gauge = Gauge(name, "", ["stream", "consumer"], registry=registry)
        for durable in durables:
            gauge.labels(*durable).set(3)
    return generate_latest(registry).decode()


def test_fresh_metrics_of_every_durable_are_right():
    assert judge(page(1000.0), 1002.5).startswith("asked 2.5 s ago; messages waiting: radar_frames_pull 3, ")


def test_metrics_that_are_old_or_missing_are_not():
    with pytest.raises(CheckFailedError, match="last asked never"):
        judge(page(None), 1000.0)
    with pytest.raises(CheckFailedError, match=f"last asked {FRESH_S + 1:.0f} s ago"):
        judge(page(1000.0), 1001.0 + FRESH_S)
    with pytest.raises(CheckFailedError, match="consumer_lag has no value for registrar_events_pull"):
        judge(page(1000.0, DURABLES[:2] + DURABLES[2:][:1]), 1000.0)


@pytest.mark.parametrize("page", ["<html>no\nmetrics</html>", f"{ASKED} yesterday", f'{ASKED}{{a="1" 2', "x{} 1 2 3"])
def test_a_page_without_metrics_is_not_read(page):
    with pytest.raises(CheckFailedError, match=r"the bridge's metrics do not read|last asked never"):
        judge(page, 1000.0)


def test_safe_mode_names_its_alert_by_its_place_in_the_stream(message):
    alert = message(topics.GUARD.subject, sequence=41)

    def entered(*places, subject=topics.GUARD.subject):
        body = SystemMode(
            ts_epoch=0.0, run_id="", mode="SAFE_MODE", previous="NORMAL", state=FSMState.ERROR_STATE, trigger="x",
            reasons=("x",), rests_on=tuple(Evidence(subject=subject, sequence=one, age_s=0.1) for one in places),
        )  # fmt: skip
        headers = SAFE_MODE_ENTERED.headers(str(UUID(int=1)), NOON)
        return message(SAFE_MODE_ENTERED.subject, body, headers, 42)

    assert names(entered(12, 41), alert)
    assert not names(entered(12), alert)
    assert not names(entered(41, subject=topics.TRACKED.subject), alert)
    with pytest.raises(UnreadableError, match="sequence 42: no SystemMode"):
        names(replace(entered(41), body=b"{}"), alert)
