"""The table of events against the contract's codes."""

import json
from pathlib import Path

from pydantic import TypeAdapter

from qiki.contracts.audit import AUDIT_TYPE, SEVERITIES
from qiki.contracts.events import CODES, EVENTS, RANGES
from qiki.contracts.events.codes import is_code

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"


def test_every_event_has_a_code_of_the_contract_under_its_name():
    assert all(CODES[kind.code] == kind.name for kind in EVENTS)
    assert len(CODES) == 36
    assert all(is_code(code) and code // 100 in RANGES for code in CODES)
    assert [is_code(number) for number in (0, 99, 100, 999, 1000, -1)] == [False, False, True, True, False, False]


def test_every_event_is_told_on_the_events_subjects_with_a_severity_there_is():
    assert {kind.severity for kind in EVENTS} <= set(SEVERITIES)
    assert all(kind.subject.startswith("qiki.events.v1.") and kind.source.startswith("urn:qiki:") for kind in EVENTS)


def test_one_type_has_one_payload():
    by_type = {(kind.ce_type, kind.model) for kind in EVENTS}
    assert len(by_type) == len({ce_type for ce_type, _ in by_type})


def test_every_payload_has_its_schema():
    for kind in EVENTS:
        schema = json.loads((SCHEMAS / f"{kind.ce_type}.json").read_text(encoding="utf-8"))
        assert set(schema["properties"]) == set(TypeAdapter(kind.model).json_schema()["properties"])
    assert (SCHEMAS / f"{AUDIT_TYPE}.json").exists()
