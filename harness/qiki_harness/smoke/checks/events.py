"""Events as anybody would read them, and one that is made to happen, followed into the audit log."""

import re
from itertools import pairwise

from qiki.audit.record import DamagedLineError, unseal
from qiki.contracts import topics
from qiki.contracts.audit import AUDIT_SOURCE, AUDIT_TYPE, AuditRecord
from qiki.contracts.cloudevents import BrokenEventError, CloudEvent, header_value, read_cloud_event
from qiki.contracts.events import CODE, COMMAND_REFUSED, EVENTS, EventKind, Refusal
from qiki.contracts.fields import Payload
from qiki.contracts.headers import MESSAGE_ID
from qiki_harness.smoke.check import ANSWER_S, CheckFailedError, until
from qiki_harness.twin import AwaitedError, Event, Record, Twin, UnreadableError

EVENTS_BACK = 200
OURS = "urn:qiki:"
"""Other sources may publish what the table does not know."""
UNKNOWN_COMMAND = "smoke.unknown"
_REGISTERED_S = 10.0


def cloudevents(twin: Twin) -> str:
    """Check that the newest events are CloudEvents in binary mode, and the platform's as the table says."""
    events = twin.newest(topics.EVENTS, EVENTS_BACK)
    if not events:
        raise CheckFailedError(f"{topics.QIKI_EVENTS_V1} holds no event")
    types = {check_event(event).type for event in events}
    return f"the newest {len(events)} events are right, of {len(types)} types"


def check_event(record: Record[Event]) -> CloudEvent:
    """Read an event and compare it with the table.

    Raises:
        UnreadableError: it is no CloudEvent, or one of the platform's that the table does not have.
    """
    try:
        event = read_cloud_event(record.headers, record.body)
    except BrokenEventError as error:
        raise UnreadableError(record, str(error)) from None
    if record.headers.get(MESSAGE_ID) != header_value(event.id):
        raise UnreadableError(record, f"{MESSAGE_ID} is {record.headers.get(MESSAGE_ID)!r}, ce-id {event.id!r}")
    if event.source.startswith(OURS):
        record.parse(_model(record, event))
    return event


def _model(record: Record[Event], event: CloudEvent) -> type[Payload]:
    """Return the model of its body."""
    if (record.subject, event.type, event.source) == (topics.AUDIT.subject, AUDIT_TYPE, AUDIT_SOURCE):
        return AuditRecord
    kinds = [kind for kind in EVENTS if (kind.subject, kind.ce_type) == (record.subject, event.type)]
    if not kinds:
        raise UnreadableError(record, f"ce-type: {event.type} is not known on this subject")
    if not any(_is_source(event.source, kind) for kind in kinds):
        raise UnreadableError(record, f"ce-source: {event.source} does not raise {event.type}")
    codes = {str(kind.code) for kind in kinds}
    if record.headers.get(CODE) not in codes:
        raise UnreadableError(record, f"{CODE}: {record.headers.get(CODE)}: expected {' or '.join(sorted(codes))}")
    return kinds[0].model


def _is_source(source: str, kind: EventKind) -> bool:
    pattern = re.escape(kind.source).replace(re.escape("{service}"), "[a-z-]+")
    return re.fullmatch(pattern, source) is not None


def registrar(twin: Twin) -> str:
    """Check that a refused command becomes an event, the event a record, and that this follows the one before it."""
    moment = twin.now()
    before = twin.newest(topics.AUDIT, EVENTS_BACK)
    request_id = _refused(twin)

    def refusal() -> Record[Event] | None:
        events = (one for one in twin.events(after=moment) if one.subject == COMMAND_REFUSED.subject)
        return next((one for one in events if one.parse(Refusal).request_id == request_id), None)

    silent = f"a command was refused, but no event of it came within {_REGISTERED_S:g} s"
    event = until(twin, refusal, _REGISTERED_S, silent)
    identity = event.message_id

    def registered() -> Record[AuditRecord] | None:
        records = twin.history(topics.AUDIT, after=moment)
        return next((one for one in records if one.data.event_id == identity), None)

    missing = f"event {identity} (code 802) is not on record {_REGISTERED_S:g} s after it happened"
    record = until(twin, registered, _REGISTERED_S, missing)
    try:
        unseal(record.body + b"\n")
    except DamagedLineError as error:
        raise UnreadableError(record, str(error)) from None
    entry = record.data
    links = check_chain([one.data for one in (*before, *twin.history(topics.AUDIT, after=moment))], entry.sequence)
    delay_ms = (entry.registered_at.timestamp() - event.parse(Refusal).ts_epoch) * 1e3
    return f"code {entry.code} on record {delay_ms:.0f} ms later as number {entry.sequence}, {links} links checked"


def _refused(twin: Twin) -> str:
    """Send a command that the simulator must refuse; return its id."""
    try:
        ack = twin.command(UNKNOWN_COMMAND, deadline_s=ANSWER_S)
    except AwaitedError:
        raise CheckFailedError(f"the simulator did not answer a command within {ANSWER_S:g} s") from None
    if ack.ok:
        raise CheckFailedError(f"an unknown command was not refused: {ack.to_json().decode()}")
    return str(ack.request_id)


def check_chain(records: list[AuditRecord], sequence: int) -> int:
    """Return how many links there are up to a record: each record must name the hash of the one before it."""
    by_sequence = {one.sequence: one for one in records if one.sequence <= sequence}
    chain = [by_sequence[number] for number in sorted(by_sequence)]
    for before, after in pairwise(chain):
        if (after.sequence, after.previous_hash) != (before.sequence + 1, before.hash):
            raise CheckFailedError(f"audit record {after.sequence} does not follow record {before.sequence}")
    if len(chain) < 2:
        raise CheckFailedError(f"audit record {sequence} has none before it on {topics.AUDIT.subject}")
    return len(chain) - 1
