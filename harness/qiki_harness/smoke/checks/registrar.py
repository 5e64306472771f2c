"""An event that is made to happen, followed into the audit log: a command that the simulator must refuse."""

from itertools import pairwise
from uuid import UUID, uuid4

from qiki.audit.record import DamagedLineError, unseal
from qiki.contracts import topics
from qiki.contracts.audit import AuditRecord
from qiki.contracts.events import COMMAND_REFUSED, Refusal
from qiki.contracts.headers import MESSAGE_ID
from qiki.contracts.models import CommandMessage, CommandMetadata, ControlAck
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.inbox import Inbox, Message
from qiki_harness.smoke.payloads import header, read, wrong
from qiki_harness.smoke.session import ANSWER_S, Session

UNKNOWN_COMMAND = "smoke.unknown"
EVENTS_BACK = 200
_REGISTERED_S = 10.0


async def registrar(session: Session) -> str:
    """The refusal is an event, the event a record, and the record follows the one before it."""
    request = uuid4()
    before = (await session.jetstream.stream_info(topics.QIKI_EVENTS_V1)).state.last_seq
    since = max(1, before - EVENTS_BACK)
    subjects = (COMMAND_REFUSED.subject, topics.AUDIT.subject)
    async with session.following(topics.QIKI_EVENTS_V1, *subjects, since=since) as inbox:
        await _refused(session, request)
        event = await _event(inbox, request, before)
        record = await _record(inbox, event)
        records = [read(AuditRecord, message) for message in inbox.messages if message.subject == topics.AUDIT.subject]
    links = check_chain(records, record.sequence)
    delay_ms = (record.registered_at.timestamp() - read(Refusal, event).ts_epoch) * 1e3
    return f"code {record.code} on record {delay_ms:.0f} ms later as number {record.sequence}, {links} links checked"


async def _refused(session: Session, request: UUID) -> None:
    metadata = CommandMetadata(message_id=request, message_type="command", source="smoke")
    command = CommandMessage(command_name=UNKNOWN_COMMAND, metadata=metadata).to_json()
    try:
        answer = await session.client.request(topics.COMMANDS.subject, command, timeout=ANSWER_S)
    except TimeoutError:
        raise CheckFailedError(f"the simulator did not answer a command within {ANSWER_S:g} s") from None
    ack = read(ControlAck, Message(f"the answer to {UNKNOWN_COMMAND}", answer.data))
    if ack.ok or ack.request_id != str(request):
        raise CheckFailedError(f"an unknown command was not refused: {answer.data.decode()}")


async def _event(inbox: Inbox, request: UUID, before: int) -> Message:
    def tells_of_it(message: Message) -> bool:
        is_new = message.sequence > before and message.subject == COMMAND_REFUSED.subject
        return is_new and read(Refusal, message).request_id == str(request)

    event = await inbox.first(tells_of_it, _REGISTERED_S)
    if event is None:
        raise CheckFailedError(f"a command was refused, but no event told of it within {_REGISTERED_S:g} s")
    return event


async def _record(inbox: Inbox, event: Message) -> AuditRecord:
    identity = header(event, MESSAGE_ID)

    def is_its(message: Message) -> bool:
        return message.subject == topics.AUDIT.subject and read(AuditRecord, message).event_id == identity

    message = await inbox.first(is_its, _REGISTERED_S)
    if message is None:
        raise CheckFailedError(f"event {identity} (code 802) is not on record {_REGISTERED_S:g} s after it happened")
    try:
        unseal(message.body + b"\n")
    except DamagedLineError as error:
        raise wrong(message, str(error)) from None
    return read(AuditRecord, message)


def check_chain(records: list[AuditRecord], sequence: int) -> int:
    """How many links there are up to a record: each record names the hash of the one before it.

    Raises:
        CheckFailedError: one does not, or is missing; or the record has none before it.
    """
    chain = sorted({one.sequence: one for one in records if one.sequence <= sequence}.values(), key=_sequence)
    for before, after in pairwise(chain):
        if (after.sequence, after.previous_hash) != (before.sequence + 1, before.hash):
            raise CheckFailedError(f"audit record {after.sequence} does not follow record {before.sequence}")
    if len(chain) < 2:
        raise CheckFailedError(f"audit record {sequence} has none before it on {topics.AUDIT.subject}")
    return len(chain) - 1


def _sequence(record: AuditRecord) -> int:
    return record.sequence
