"""From a message on the events' subjects to what is registered."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from pydantic_core import from_json, to_json

from qiki.audit.record import Draft
from qiki.contracts.audit import SEVERITIES, Severity
from qiki.contracts.cloudevents import BrokenEventError, CloudEvent, read_cloud_event
from qiki.contracts.events import AUDIT_PRUNED, CODE, EVENTS, RADAR_FRAMES_SEEN, SEVERITY, EventKind
from qiki.contracts.events.codes import is_code

T = TypeVar("T")
OWN_SOURCES = {AUDIT_PRUNED.source, RADAR_FRAMES_SEEN.source}
SEVERITY_OF: dict[str | None, Severity] = {name: name for name in SEVERITIES}


def read_draft(subject: str, headers: Mapping[str, str] | None, body: bytes, stored_at: datetime) -> Draft:
    """What a message says happened.

    Code and severity are the publisher's; where it gives none, the table's for this type and subject as far as that
    leaves one choice; else no code, and INFO.

    Args:
        subject: where it was published
        headers: the message's
        body: its bytes
        stored_at: wall time, for an event that bears no time

    Raises:
        BrokenEventError: it is no event.
    """
    event = read_cloud_event(headers, body)
    if event.source in OWN_SOURCES:
        raise BrokenEventError(f"ce-source: {event.source}: only the registrar itself speaks so, and not here")
    _check(event.data)
    kinds = _kinds(event.type, subject)
    code = _code(headers or {}) or _only(kind.code for kind in kinds)
    told = _only(kind.severity for kind in kinds if kind.code == code)
    severity = _severity(headers or {}) or SEVERITY_OF.get(told, "INFO")
    return Draft(event.id, code, event.type, event.source, _time(event, stored_at), event.data, severity)


def _check(data: Any) -> None:
    """What can be read by itself need not fit into a record: 1e999 is read as infinity, and depth has a limit."""
    try:
        from_json(to_json([data]), allow_inf_nan=False)
    except ValueError as error:
        raise BrokenEventError(f"body: a number is not finite, or it is nested too deeply ({error})") from None


def _time(event: CloudEvent, stored_at: datetime) -> datetime:
    return event.time or stored_at


@lru_cache(maxsize=1024)
def _kinds(event_type: str, subject: str) -> tuple[EventKind, ...]:
    """Of the table: those of this type and subject, else those of this type."""
    of_type = tuple(kind for kind in EVENTS if kind.ce_type == event_type)
    return tuple(kind for kind in of_type if kind.subject == subject) or of_type


def _only(values: Iterable[T]) -> T | None:
    found = set(values)
    return found.pop() if len(found) == 1 else None


def _code(headers: Mapping[str, str]) -> int | None:
    text = headers.get(CODE)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and is_code(int(text))):
        raise BrokenEventError(f"{CODE}: {text!r}: expected a number from 100 to 999")
    return int(text)


def _severity(headers: Mapping[str, str]) -> Severity | None:
    text = headers.get(SEVERITY)
    if text is None:
        return None
    if text not in SEVERITY_OF:
        raise BrokenEventError(f"{SEVERITY}: {text!r}: expected one of {', '.join(SEVERITIES)}")
    return SEVERITY_OF[text]
