"""A service's health on the bus."""

from pydantic import Field

from qiki.contracts.fields import Payload, Timestamp


class ServiceHealth(Payload):
    """On `qiki.health.v1.NAME`: what the service's `/readyz` says.

    `timestamp` is wall time. `waiting_for` has each condition that does not hold, and why.
    """

    schema_version: int = 1
    timestamp: Timestamp
    service: str
    ready: bool
    status: str
    waiting_for: dict[str, str] = Field(default_factory=dict)
