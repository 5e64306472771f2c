"""An event that is made to happen, followed into the audit log: a command that the simulator must refuse."""

from itertools import pairwise

from qiki.audit.record import DamagedLineError, unseal
from qiki.contracts import topics
from qiki.contracts.audit import AuditRecord
from qiki.contracts.events import COMMAND_REFUSED, Refusal
from qiki_harness.smoke.check import ANSWER_S, CheckFailedError, until
from qiki_harness.twin import AwaitedError, Event, Record, Twin, UnreadableError
from qiki_harness.twin.watcher import Moment

UNKNOWN_COMMAND = "smoke.unknown"
EVENTS_BACK = 200
_REGISTERED_S = 10.0


def registrar(twin: Twin) -> str:
    """Check that the refusal is an event, the event a record, and that the record follows the one before it."""
    moment = twin.now()
    before = twin.newest(topics.AUDIT, EVENTS_BACK)
    request_id = _refused(twin)
    event = _event(twin, request_id, moment)
    record = _record(twin, event, moment)
    records = [one.data for one in (*before, *twin.history(topics.AUDIT, after=moment))]
    links = check_chain(records, record.sequence)
    delay_ms = (record.registered_at.timestamp() - event.parse(Refusal).ts_epoch) * 1e3
    return f"code {record.code} on record {delay_ms:.0f} ms later as number {record.sequence}, {links} links checked"


def _refused(twin: Twin) -> str:
    """Send a command that must be refused; return its id."""
    try:
        ack = twin.command(UNKNOWN_COMMAND, deadline_s=ANSWER_S)
    except AwaitedError:
        raise CheckFailedError(f"the simulator did not answer a command within {ANSWER_S:g} s") from None
    if ack.ok:
        raise CheckFailedError(f"an unknown command was not refused: {ack.to_json().decode()}")
    return str(ack.request_id)


def _event(twin: Twin, request_id: str, moment: Moment) -> Record[Event]:
    def look() -> Record[Event] | None:
        refusals = [one for one in twin.events(after=moment) if one.subject == COMMAND_REFUSED.subject]
        return next((one for one in refusals if one.parse(Refusal).request_id == request_id), None)

    silent = f"a command was refused, but no event of it came within {_REGISTERED_S:g} s"
    return until(twin, look, _REGISTERED_S, silent)


def _record(twin: Twin, event: Record[Event], moment: Moment) -> AuditRecord:
    identity = event.message_id

    def look() -> Record[AuditRecord] | None:
        records = twin.history(topics.AUDIT, after=moment)
        return next((one for one in records if one.data.event_id == identity), None)

    missing = f"event {identity} (code 802) is not on record {_REGISTERED_S:g} s after it happened"
    record = until(twin, look, _REGISTERED_S, missing)
    try:
        unseal(record.body + b"\n")
    except DamagedLineError as error:
        raise UnreadableError(record, str(error)) from None
    return record.data


def check_chain(records: list[AuditRecord], sequence: int) -> int:
    """Return how many links there are up to a record: each record names the hash of the one before it.

    Raises:
        CheckFailedError: one does not, or is missing; or the record has none before it.
    """
    by_sequence = {one.sequence: one for one in records if one.sequence <= sequence}
    chain = [by_sequence[number] for number in sorted(by_sequence)]
    for before, after in pairwise(chain):
        if (after.sequence, after.previous_hash) != (before.sequence + 1, before.hash):
            raise CheckFailedError(f"audit record {after.sequence} does not follow record {before.sequence}")
    if len(chain) < 2:
        raise CheckFailedError(f"audit record {sequence} has none before it on {topics.AUDIT.subject}")
    return len(chain) - 1
