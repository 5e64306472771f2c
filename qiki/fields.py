"""Field types of files that people write, and errors that point at a field."""

from collections.abc import Callable, Hashable, Sequence
from enum import IntEnum
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Location = tuple[str | int, ...]
S = TypeVar("S", bound=Sequence[Hashable])


class Spec(BaseModel):
    """Content of a file that somebody wrote: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def field_error(location: Location, message: str) -> ValidationError:
    """Return an error of a check across fields, at the field to be corrected; the message names the value."""
    reason = PydanticCustomError("spec", "{reason}", {"reason": message})
    return ValidationError.from_exception_data("Spec", [InitErrorDetails(type=reason, loc=location, input={})])


def not_bool(value: object) -> object:
    """Refuse true and false, which pydantic would read as 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError("number", "input should be a number, not true or false")
    return value


def distinct(values: S) -> S:
    """Refuse a list with duplicates."""
    for i, value in enumerate(values):
        if value in values[:i]:
            raise field_error((i,), f"{getattr(value, 'name', value)} is given twice")
    return values


def member(kind: type[IntEnum], names: Sequence[str]) -> Callable[[Any], Any]:
    """Return a validator that reads members of an enumeration by the names that are allowed."""

    def read(value: object) -> object:
        if isinstance(value, kind):
            return value
        # YAML 1.1 reads a bare ON or OFF as true or false.
        name = ("ON" if value else "OFF") if isinstance(value, bool) else value
        if name not in names:
            known = f"{', '.join(names[:-1])} or {names[-1]}"
            raise PydanticCustomError("name", "input should be {names}", {"names": known})
        return kind[str(name)]

    return read


AS_NAME = PlainSerializer(lambda value: value.name, return_type=str, when_used="json")
"""For what `member` reads: it is written as it is read."""
Number = Annotated[float, BeforeValidator(not_bool), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(not_bool)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Length = Annotated[Number, Field(gt=0, le=1e7)]  # [m]
