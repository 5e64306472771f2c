"""Field types that the payloads share, and their common base."""

import logging
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic_core import from_json

from qiki.clock import rfc3339, utc

log = logging.getLogger(__name__)

Finite = Annotated[float, Field(allow_inf_nan=False)]
NonNegative = Annotated[float, Field(allow_inf_nan=False, ge=0)]
Timestamp = Annotated[AwareDatetime, AfterValidator(utc), PlainSerializer(rfc3339, return_type=str, when_used="json")]
Covariance = Annotated[tuple[Finite, ...], Field(min_length=6, max_length=6)]
"""Upper triangle: xx, xy, xz, yy, yz, zz."""


class Payload(BaseModel):
    """A JSON body. Unknown fields are ignored: whoever adds one must not break us."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, use_enum_values=False, defer_build=True)

    def to_json(self) -> bytes:
        """The body's bytes: keys in the contract's order, absent values as null."""
        return self.__pydantic_serializer__.to_json(self)

    @classmethod
    def from_json(cls, body: bytes) -> Any:
        """Read a body.

        Raises:
            pydantic.ValidationError: not JSON, or not this payload.
        """
        payload = cls.__pydantic_validator__.validate_json(body)
        if log.isEnabledFor(logging.DEBUG):
            for name in _unknown(payload, from_json(body)):
                log.debug("%s: unknown field %s ignored", cls.__name__, name)
        return payload


def _unknown(payload: object, raw: object, where: str = "") -> Iterator[str]:
    """Dotted names in the JSON that the payload has no field for."""
    if isinstance(payload, BaseModel) and isinstance(raw, dict):
        fields = type(payload).model_fields
        yield from (where + name for name in raw if name not in fields)
        for name in fields.keys() & raw.keys():
            yield from _unknown(getattr(payload, name), raw[name], f"{where}{name}.")
    elif isinstance(payload, tuple) and isinstance(raw, list):
        for index, (item, value) in enumerate(zip(payload, raw, strict=False)):
            yield from _unknown(item, value, f"{where}{index}.")


class Vector(Payload):
    """Three world axes: m or m/s."""

    x: Finite
    y: Finite
    z: Finite
