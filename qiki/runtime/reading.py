"""Payloads read from the bus."""

import logging
from typing import TypeVar

from pydantic_core import from_json

from qiki.contracts.fields import Payload, unknown_fields

P = TypeVar("P", bound=Payload)
log = logging.getLogger(__name__)


def read_payload(model: type[P], body: bytes) -> P:
    """Read a message's body, and log at debug level the unknown fields that are ignored.

    Raises:
        pydantic.ValidationError: not JSON, or not this payload.
    """
    payload = model.from_json(body)
    if names_unknown_fields():
        for name in unknown_fields(payload, from_json(body)):
            log.debug("%s: unknown field %s ignored", model.__name__, name)
    return payload


def names_unknown_fields() -> bool:
    """Return whether the fields that are ignored are logged."""
    return log.isEnabledFor(logging.DEBUG)
