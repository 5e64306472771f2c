"""Intake: from a message on the events' subjects to a draft of an audit record."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from pydantic_core import from_json, to_json

from qiki.audit.record import Draft
from qiki.contracts.audit import SEVERITIES, Severity
from qiki.contracts.cloudevents import BrokenEventError, read_cloud_event
from qiki.contracts.events import AUDIT_PRUNED, CODE, EVENTS, RADAR_FRAMES_SEEN, SEVERITY, EventKind
from qiki.contracts.numbers import shown, whole_number

T = TypeVar("T")
OWN_SOURCES = {AUDIT_PRUNED.source, RADAR_FRAMES_SEEN.source}
SEVERITY_OF: dict[str | None, Severity] = {name: name for name in SEVERITIES}


def read_draft(subject: str, headers: Mapping[str, str] | None, body: bytes, stored_at: datetime) -> Draft:
    """Read an event from a message, stored then by the broker; raise BrokenEventError if it is none.

    Code and severity are the publisher's. Where it gives none, they are those of the table of events for this type and
    subject, if they are unique; else there is no code, and the severity is INFO.
    """
    event = read_cloud_event(headers, body)
    if event.source in OWN_SOURCES:
        raise BrokenEventError(f"ce-source: {event.source}: reserved for the registrar")
    try:  # 1e999 is read as infinity, and the depth is limited
        from_json(to_json([event.data]), allow_inf_nan=False)
    except ValueError as error:
        raise BrokenEventError(f"body: a number is not finite, or it is nested too deeply ({error})") from None
    kinds = _kinds(event.type, subject)
    code = _code(headers or {}) or _only(kind.code for kind in kinds)
    usual = _only(kind.severity for kind in kinds if kind.code == code)
    severity = _severity(headers or {}) or SEVERITY_OF.get(usual, "INFO")
    return Draft(event.id, code, event.type, event.source, event.time or stored_at, event.data, severity)


@lru_cache(maxsize=1024)
def _kinds(event_type: str, subject: str) -> tuple[EventKind, ...]:
    """Return the table's kinds of this type and subject, else those of this type."""
    of_type = tuple(kind for kind in EVENTS if kind.ce_type == event_type)
    return tuple(kind for kind in of_type if kind.subject == subject) or of_type


def _only(values: Iterable[T]) -> T | None:
    found = set(values)
    return found.pop() if len(found) == 1 else None


def _code(headers: Mapping[str, str]) -> int | None:
    text = headers.get(CODE)
    if text is None:
        return None
    try:
        return whole_number(text, CODE, most=999, least=100)
    except ValueError as error:
        raise BrokenEventError(str(error)) from None


def _severity(headers: Mapping[str, str]) -> Severity | None:
    text = headers.get(SEVERITY)
    if text is None:
        return None
    if text not in SEVERITY_OF:
        raise BrokenEventError(f"{SEVERITY}: {shown(text)}: expected one of {', '.join(SEVERITIES)}")
    return SEVERITY_OF[text]
