"""The agent's events as log lines too."""

from collections.abc import Mapping
from typing import Any

import structlog

from qiki.contracts.events import BiosStatus, Decision, EventKind, EventPayload, SystemMode
from qiki.runtime.events import Events

WORSE = frozenset({"WARNING", "ERROR", "CRITICAL"})
log = structlog.get_logger()


class LoggingEmitter:
    """Emits events, and logs one line for each."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def emit(self, kind: EventKind, body: EventPayload, *when: Any) -> None:
        """Emit as `Events.emit`."""
        write = log.warning if kind.severity in WORSE else log.info
        write(kind.name, **_fields(body))
        self._events.emit(kind, body, *when)


def _fields(body: EventPayload) -> Mapping[str, Any]:
    match body:
        case SystemMode():
            return {"mode": body.mode, "trigger": body.trigger, "reasons": list(body.reasons)}
        case Decision():
            fields = {"engine": body.source, "decision": body.status.name, "why": body.justification}
            return fields | ({"reason": body.reason} if body.reason else {})
        case BiosStatus():
            return {"all_systems_go": body.all_systems_go, "health_score": round(body.health_score, 2)}
    return {}
