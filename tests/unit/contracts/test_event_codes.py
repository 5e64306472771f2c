"""The table of events against the contract's codes."""

import json
from pathlib import Path

from pydantic import TypeAdapter

from qiki.contracts import events
from qiki.contracts.audit import AUDIT_TYPE, SEVERITIES
from qiki.contracts.events import CODES, EVENTS, RANGES, EventPayload, is_code, payloads

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"


def test_every_event_has_a_code_of_the_contract():
    assert [f"{kind.subject}: {kind.code} is no code of codes.py" for kind in EVENTS if kind.code not in CODES] == []
    assert len(CODES) == 36
    assert all(is_code(code) and code // 100 in RANGES for code in CODES)
    assert [is_code(number) for number in (0, 99, 100, 999, 1000, -1)] == [False, False, True, True, False, False]


def test_every_payload_has_a_row_and_every_name_a_kind():
    models = [one for one in vars(payloads).values() if isinstance(one, type) and issubclass(one, EventPayload)]
    leaves = {one.__name__ for one in models if not one.__subclasses__()}
    missing = leaves - {kind.model.__name__ for kind in EVENTS}
    assert not missing, f"{missing}: add a row for it to qiki/contracts/events/table.py"
    assert {id(kind) for kind in EVENTS} == {
        id(row) for row in vars(events).values() if isinstance(row, events.EventKind)
    }


def test_every_event_is_published_on_the_events_subjects_with_a_severity_there_is():
    assert {kind.severity for kind in EVENTS} <= set(SEVERITIES)
    assert all(kind.subject.startswith("qiki.events.v1.") and kind.source.startswith("urn:qiki:") for kind in EVENTS)


def test_one_type_has_one_payload():
    by_type = {(kind.ce_type, kind.model) for kind in EVENTS}
    assert len(by_type) == len({ce_type for ce_type, _ in by_type})


def test_every_payload_has_its_schema():
    for kind in EVENTS:
        file = SCHEMAS / f"{kind.ce_type}.json"
        assert file.exists(), f"{file.name} is missing: run python scripts/gen_docs.py"
        schema = json.loads(file.read_text(encoding="utf-8"))
        assert set(schema["properties"]) == set(TypeAdapter(kind.model).json_schema()["properties"])
    assert (SCHEMAS / f"{AUDIT_TYPE}.json").exists()
