"""A message that is ready to publish."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """Subject, body and headers; the message id is among the headers."""

    subject: str
    body: bytes
    headers: Mapping[str, str]
