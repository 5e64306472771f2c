"""Records as lines: the contract's members, the chain's, and the hash as an outsider would work it out."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.audit.record import GENESIS, START, DamagedLineError, Draft, Head, seal, unseal
from qiki.contracts.audit import AuditRecord

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 12, 0, 1, 500, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_a_line_holds_the_contracts_members_and_the_chains(draft: Callable[..., Draft]):
    entry = seal(draft(1), START, LATER)
    record = json.loads(entry.line)
    digest = record.pop("hash")
    assert record == {
        "event_id": "event-1",
        "code": 500,
        "event_type": "qiki.events.v1.RunStarted",
        "source": "urn:qiki:q-sim-service:world",
        "timestamp": "2026-11-23T12:00:00.000000Z",
        "payload": {"n": 1},
        "severity": "INFO",
        "sequence": 1,
        "registered_at": "2026-11-23T12:00:01.000500Z",
        "previous_hash": GENESIS,
    }
    # As the documents say: SHA-256 of the line without its last member.
    without = entry.line.decode().removesuffix(f',"hash":"{digest}"}}\n') + "}"
    assert hashlib.sha256(without.encode()).hexdigest() == digest
    assert entry.head == Head(1, digest)


def test_a_record_depends_on_the_one_before(draft: Callable[..., Draft]):
    first = seal(draft(1), START, NOON)
    second = seal(draft(2), first.head, NOON)
    assert unseal(second.line).fields["previous_hash"] == first.head.hash
    assert seal(draft(2), Head(1, GENESIS), NOON).head.hash != second.head.hash


@given(payload=JSON, event_id=st.text(min_size=1), code=st.none() | st.integers(100, 999))
def test_a_sealed_record_reads_back_and_is_the_contracts_record(payload, event_id, code):
    draft = Draft(event_id, code, "t", "urn:s", NOON, payload, "ERROR")
    entry = seal(draft, Head(7, "a" * 64), LATER)
    assert entry.line.count(b"\n") == 1
    read = unseal(entry.line)
    assert (read.fields, read.head) == (entry.fields, entry.head)
    record = AuditRecord.from_json(entry.line)
    assert (record.payload, record.event_id, record.code, record.sequence) == (payload, event_id, code, 8)
    assert record.registered_at == LATER


@given(data=st.data())
def test_any_changed_byte_is_noticed(data):
    line = seal(Draft("e", 802, "t", "urn:s", NOON, {"reason": "late"}, "WARNING"), START, NOON).line
    place = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value != line[place]))
    with pytest.raises(DamagedLineError):
        unseal(line[:place] + bytes([other]) + line[place + 1 :])


@given(cut=st.integers(0, 10_000))
def test_any_cut_is_noticed(cut):
    line = seal(Draft("e", None, "t", "urn:s", NOON, None, "INFO"), START, NOON).line
    with pytest.raises(DamagedLineError):
        unseal(line[: cut % len(line)])
