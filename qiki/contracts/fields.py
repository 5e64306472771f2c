"""Field types that the payloads share, and their common base."""

from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

from qiki.clock import rfc3339, utc

Finite = Annotated[float, Field(allow_inf_nan=False)]
NonNegative = Annotated[float, Field(allow_inf_nan=False, ge=0)]
Timestamp = Annotated[AwareDatetime, AfterValidator(utc), PlainSerializer(rfc3339, return_type=str, when_used="json")]
Covariance = Annotated[tuple[Finite, ...], Field(min_length=6, max_length=6)]
"""Upper triangle: xx, xy, xz, yy, yz, zz."""


class Payload(BaseModel):
    """A JSON body. Unknown fields are ignored: whoever adds one must not break us."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, use_enum_values=False)

    def to_json(self) -> bytes:
        """The body's bytes: keys in the contract's order, absent values as null."""
        return self.__pydantic_serializer__.to_json(self)

    @classmethod
    def from_json(cls, body: bytes) -> Any:
        """Read a body.

        Raises:
            pydantic.ValidationError: not JSON, or not this payload.
        """
        return cls.__pydantic_validator__.validate_json(body)


class Vector(Payload):
    """Three world axes: m or m/s."""

    x: Finite
    y: Finite
    z: Finite
