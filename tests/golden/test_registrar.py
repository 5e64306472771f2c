"""The registrar gets the recorded events, each twice: the audit log holds each once, in order, as it is recorded."""

from dataclasses import replace
from itertools import chain, repeat

import pytest
from pydantic_core import from_json

from qiki.audit.files import audit_files
from qiki.audit.verify import verify
from qiki.contracts import topics
from qiki.contracts.headers import MESSAGE_ID, Message
from qiki_harness.golden.run import audit_record
from qiki_harness.testing import ServiceProcess

OWN = "urn:qiki:registrar:"


@pytest.mark.parametrize("reference", ["mixed-traffic", "collision"], indirect=True)
def test_the_registrar_writes_as_it_did(reference, bus, ended, assert_same, tmp_path):
    folder = tmp_path / "audit"
    events = [one for one in reference.messages if topics.EVENTS.covers(one.subject)]
    events = [one for one in events if one.subject != topics.AUDIT.subject]
    with ServiceProcess("registrar", tmp_path / "log", NATS_URL=bus.url, AUDIT_DIR=folder) as registrar:
        registrar.ready()
        bus.store(events)
        bus.store(without_id(event) for event in events)
        bus.await_acknowledged(topics.QIKI_EVENTS_V1, topics.REGISTRAR_DURABLE)
        ended(registrar)

    assert verify(folder).faults == []
    recorded = reference.of({topics.AUDIT.subject})
    lines = [line for path in audit_files(folder) for line in path.read_bytes().splitlines()]
    theirs = [line for line in lines if not from_json(line)["source"].startswith(OWN)]
    times = [message.headers["ce-time"] for message in recorded]
    placed = zip(theirs, chain(times, repeat(times[-1])), strict=False)
    records = [audit_record(line, place, moment) for place, (line, moment) in enumerate(placed)]
    assert_same("the registrar", reference, recorded, records)


def without_id(event: Message) -> Message:
    """The same event, which the broker does not take for a duplicate."""
    return replace(event, headers={name: value for name, value in event.headers.items() if name != MESSAGE_ID})
