"""CloudEvents 1.0 over NATS in binary mode: attributes in `ce-` headers, the data as the message's body.

Source: the CloudEvents NATS protocol binding. Values are percent-encoded as in the HTTP binding.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from pydantic_core import from_json

from qiki.clock import parse_rfc3339
from qiki.errors import QikiError

PREFIX = "ce-"
CONTENT_TYPE = "content-type"
STRUCTURED = "application/cloudevents"
PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
"""Characters of a header that are not encoded: printable ASCII without blank, double quote and percent sign."""
MAX_NODES = 16_000
"""Objects and lists in an event's data."""
_CORE = {"specversion", "id", "source", "type"}
_NAME = re.compile(r"[a-z0-9]{1,20}")
_JSON = re.compile(r"(application|text)/([a-z0-9.-]+\+)?json( *;.*)?", re.IGNORECASE)


class BrokenEventError(QikiError):
    """A message that is no CloudEvent; the reason in one line."""


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """A published event; `data` is None for an empty body, `extensions` are attributes beyond the specification's."""

    id: str
    source: str
    type: str
    time: datetime | None
    subject: str | None
    data: Any
    extensions: Mapping[str, str]


def header_value(text: str) -> str:
    """Return an attribute's text as a header's value."""
    return quote(text, safe=PLAIN)


def read_cloud_event(headers: Mapping[str, str] | None, body: bytes) -> CloudEvent:
    """Read a message.

    Raises:
        BrokenEventError: it is not a CloudEvent in binary mode, or its data is not JSON.
    """
    lower = {name.lower(): value for name, value in (headers or {}).items()}
    content_type = lower.get(CONTENT_TYPE, "application/json")
    if content_type.lower().startswith(STRUCTURED):
        raise BrokenEventError(f"{CONTENT_TYPE}: {content_type}: expected binary mode, attributes in ce- headers")
    attributes = _attributes(lower)
    data = _data(attributes.pop("datacontenttype", content_type), body)
    if _required(attributes, "specversion") != "1.0":
        raise BrokenEventError(f"ce-specversion: {attributes['specversion']!r}: expected 1.0")
    time = attributes.pop("time", None)
    return CloudEvent(
        id=_required(attributes, "id"),
        source=_required(attributes, "source"),
        type=_required(attributes, "type"),
        time=_time(time) if time else None,
        subject=attributes.pop("subject", None),
        data=data,
        extensions={name: value for name, value in attributes.items() if name not in _CORE},
    )


def _attributes(headers: Mapping[str, str]) -> dict[str, str]:
    attributes = {}
    for header, value in headers.items():
        if not header.startswith(PREFIX):
            continue
        name = header.removeprefix(PREFIX)
        if name == "data" or not _NAME.fullmatch(name):
            raise BrokenEventError(f"{header}: no attribute is called so: expected up to 20 letters and digits")
        attributes[name] = _decoded(header, value)
    return attributes


def _decoded(header: str, value: str) -> str:
    try:
        text = unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise BrokenEventError(f"{header}: {value!r} is not percent-encoded UTF-8") from None
    if not text.strip():
        raise BrokenEventError(f"{header}: is empty")
    return text


def _required(attributes: Mapping[str, str], name: str) -> str:
    if name not in attributes:
        raise BrokenEventError(f"{PREFIX}{name}: is missing")
    return attributes[name]


def _time(text: str) -> datetime:
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise BrokenEventError(f"ce-time: {text!r}: expected RFC 3339 with a zone ({error})") from None


def _data(content_type: str, body: bytes) -> Any:
    if not _JSON.fullmatch(content_type.strip()):
        raise BrokenEventError(f"{CONTENT_TYPE}: {content_type}: expected application/json")
    if not body:
        return None
    nodes = body.count(b"{") + body.count(b"[")  # the parser takes some hundred bytes for each
    if nodes > MAX_NODES:
        raise BrokenEventError(f"body: {nodes} objects and lists (expected at most {MAX_NODES})")
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise BrokenEventError(f"body: not JSON: {error}") from None
