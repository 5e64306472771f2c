"""Field types that the payloads share, and their common base."""

from collections.abc import Iterator
from typing import Annotated, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, ValidationError
from pydantic_core import from_json

from qiki.clock import rfc3339, utc
from qiki.contracts.numbers import MAX_FRAME

LARGE_BYTES = 16_384
T = TypeVar("T")
Several = Annotated[tuple[T, ...], Field(fail_fast=True)]
"""A list of a body. Without `fail_fast` a list of all its faults is made, which may take gigabytes."""
Finite = Annotated[float, Field(allow_inf_nan=False)]
NonNegative = Annotated[float, Field(allow_inf_nan=False, ge=0)]
FrameNumber = Annotated[int, Field(ge=0, le=MAX_FRAME)]
Timestamp = Annotated[AwareDatetime, AfterValidator(utc), PlainSerializer(rfc3339, return_type=str, when_used="json")]
Covariance = Annotated[tuple[Finite, ...], Field(min_length=6, max_length=6)]  # upper triangle: xx, xy, xz, yy, yz, zz


class Payload(BaseModel):
    """A JSON body. Unknown fields are ignored, so that a publisher may add one."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, use_enum_values=False, defer_build=True)

    def to_json(self) -> bytes:
        """Write the body: keys in the contract's order, absent values as null."""
        return self.__pydantic_serializer__.to_json(self)

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """Read a body.

        Each fault of a body that is validated as JSON holds a copy of what it is about, which may be all of it. So a
        large one is parsed first: then they share it.

        Raises:
            pydantic.ValidationError: not JSON, or not this payload.
        """
        validator = cls.__pydantic_validator__
        if len(body) > LARGE_BYTES:
            try:
                parsed = from_json(body)
            except ValueError:  # the validator says it in its own way
                pass
            else:
                large: Self = validator.validate_python(parsed)
                return large
        payload: Self = validator.validate_json(body)
        return payload


def first_fault(error: ValidationError) -> str:
    """Return place and text of the first fault, and how many more there are."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, fault["loc"]))
    more = error.error_count() - 1
    return f"{where + ': ' if where else ''}{fault['msg']}{f' (and {more} more)' if more else ''}"


def unknown_fields(payload: object, raw: object, where: str = "") -> Iterator[str]:
    """Yield the dotted names in parsed JSON that the payload made from it has no field for."""
    if isinstance(payload, BaseModel) and isinstance(raw, dict):
        fields = type(payload).model_fields
        yield from (where + name for name in raw if name not in fields)
        for name in fields.keys() & raw.keys():
            yield from unknown_fields(getattr(payload, name), raw[name], f"{where}{name}.")
    elif isinstance(payload, tuple) and isinstance(raw, list):
        for index, (item, value) in enumerate(zip(payload, raw, strict=False)):
            yield from unknown_fields(item, value, f"{where}{index}.")


class Vector(Payload):
    """Three world axes: m or m/s."""

    x: Finite
    y: Finite
    z: Finite
