"""Payloads of events as text for people."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_COMMON = {"schema_version", "category", "source", "ts_epoch", "kind"}  # in every payload, and already in the line
# For programs: what a record is about, and where its causes stand.
_LINKS = {
    "first_sequence", "fsm_event", "head", "last_checked", "last_sequence", "proposal_id", "rests_on", "run_id",
    "second_epoch", "stream", "stream_created",
}  # fmt: skip
_FIRST = (
    "message",
    "reason",
    "detail",
    "justification",
    "reasons",
    "frames",
    "detections",
    "tracks",
    "mode",
    "previous",
)
_TEXTS = {"message", "reason", "detail", "justification", "reasons"}  # the value is enough
_UUID = re.compile(r"([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def details(payload: Any, *, long: bool = False) -> str:
    """Return the values of a payload that are not in every payload.

    In short: without links, each value once, identities by their first digits as `qiki watch` has them, and of a list
    of objects how many there are.
    """
    if not isinstance(payload, dict):
        return "" if payload is None else json.dumps(payload)
    skipped = _COMMON if long else _COMMON | _LINKS
    told = {key: value for key, value in payload.items() if key not in skipped and value not in ("", None, [], {})}
    keys = [*(key for key in _FIRST if key in told), *(key for key in told if key not in _FIRST)]
    return " ".join(_words({key: told[key] for key in keys}, long=long))


def _words(told: Mapping[str, Any], *, long: bool) -> Iterator[str]:
    seen = set[str]()
    for key, value in told.items():
        text = _word(value) if long else _UUID.sub(r"\1", _brief(value))
        if long or not isinstance(value, str) or text not in seen:
            yield text if key in _TEXTS else f"{key}={text}"
        seen.add(text)


def _brief(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "; ".join(value)
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return f"({len(value)})"
    return _word(value)


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
