"""The state of objects as plain values: saved, and restored into an object that was made from the same parameters.

A class names its changing fields, with their types, in `STATE`:

    class Storage(Stateful):
        STATE = State(_energy_j=float, power_w=float)

A field's type is one that pydantic reads; another `Stateful` class, a list of one or a dictionary of one; or numpy's
`Generator` of random numbers. A saved state is made of values that JSON has, and restores the same bits.
"""

from collections import deque
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, ClassVar, get_args, get_origin

from pydantic import ConfigDict, PlainSerializer, PlainValidator, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python
from typing_extensions import TypedDict

from qiki.contracts.fields import first_fault
from qiki.errors import UserError

RANDOM = "bit_generator"
"""Attribute of a numpy generator; numpy itself takes long to load, and not all who keep a state compute."""
Saved = dict[str, Any]
MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""The errors that values of a wrong type or size bring about."""
_LONGEST = 200
IN_ORDER = PlainSerializer(lambda values: sorted(to_jsonable_python(list(values)), key=repr))
"""Annotation of a set, which is saved in one order, whatever the hashes of the process."""


class StateError(UserError):
    """A saved state does not fit; the text names the field and the reason."""


def misfit(error: Exception) -> str:
    """Return the text of an error, in one line."""
    return " ".join(repr(error).split())[:_LONGEST]


def converted(write: Callable[[Any], Any], read: Callable[[Any], Any]) -> Any:
    """Return a field's type whose values are saved as `write` gives them, and restored by `read` (or a ValueError)."""
    return Annotated[Any, PlainValidator(read), PlainSerializer(write)]


def pairs(key: Any, value: Any) -> Any:
    """Return the type of a dictionary whose keys are no text."""
    items: TypeAdapter[Any] = TypeAdapter(list[tuple[key, value]])
    return converted(
        lambda given: items.dump_python(list(given.items()), mode="json"),
        lambda saved: dict(items.validate_python(saved)),
    )


class State:
    """The changing fields of a class, by name and type."""

    def __init__(self, **fields: Any) -> None:
        self._parts = {name: kind for name, kind in fields.items() if _is_part(kind)}
        self._values = {name: kind for name, kind in fields.items() if name not in self._parts}

    def save(self, thing: object) -> Saved:
        """Return the state of an object."""
        values: Saved = self._reader.dump_python({name: getattr(thing, name) for name in self._values}, mode="json")
        return values | {name: _save(getattr(thing, name)) for name in self._parts}

    def restore(self, thing: object, saved: Saved) -> None:
        """Set the state of an object.

        Raises:
            StateError: it does not fit.
        """
        if not isinstance(saved, dict):
            raise StateError(f"{type(saved).__name__} (expected named fields)")
        try:
            values = self._reader.validate_python({name: saved[name] for name in saved if name not in self._parts})
        except ValidationError as error:
            raise StateError(first_fault(error)) from None
        except MISFITS as error:  # of a type that is `converted`
            raise StateError(f"a value cannot be read: {misfit(error)}") from None
        for name, value in values.items():
            _assign(thing, name, value)
        for name, kind in self._parts.items():
            if name not in saved:
                raise StateError(f"{name}: is missing")
            try:
                setattr(thing, name, _restored(kind, getattr(thing, name), saved[name]))
            except StateError as error:
                raise StateError(f"{name}.{error}") from None
            except MISFITS as error:
                raise StateError(f"{name}: {misfit(error)}") from None

    @cached_property
    def _reader(self) -> TypeAdapter[Any]:
        # Functional, as names may begin with an underscore.
        fields = TypedDict("fields", self._values)  # type: ignore[misc]
        fields.__pydantic_config__ = ConfigDict(extra="forbid", arbitrary_types_allowed=True)  # type: ignore[attr-defined]
        return TypeAdapter(fields)


class Stateful:
    """An object whose state can be saved, and restored into another one that was made from the same parameters."""

    STATE: ClassVar[State] = State()

    def save_state(self) -> Saved:
        """Return the state."""
        return self.STATE.save(self)

    def restore_state(self, saved: Saved) -> None:
        """Take up a state; after a StateError, which says what does not fit, the object is of no use."""
        self.STATE.restore(self, saved)


def _is_part(kind: Any) -> bool:
    if get_origin(kind) in {list, dict}:
        kind = get_args(kind)[-1]
    return isinstance(kind, type) and (issubclass(kind, Stateful) or hasattr(kind, RANDOM))


def _save(part: Any) -> Any:
    if isinstance(part, list):
        return [_save(one) for one in part]
    if isinstance(part, dict):
        return {name: _save(one) for name, one in part.items()}
    return part.bit_generator.state if hasattr(part, RANDOM) else part.save_state()


def _restored(kind: Any, part: Any, saved: Any) -> Any:
    """Return a part with a saved state: the same object, but for the values of a dictionary."""
    if isinstance(part, dict):
        fresh = get_args(kind)[-1]
        return {name: _restored(fresh, fresh(), one) for name, one in saved.items()}
    if isinstance(part, list):
        return [_restored(kind, one, of_one) for one, of_one in zip(part, saved, strict=True)]
    if hasattr(part, RANDOM):
        part.bit_generator.state = saved
    else:
        part.restore_state(saved)
    return part


def _assign(thing: object, name: str, value: Any) -> None:
    """Set a field; a bounded queue stays the one that it is."""
    before = getattr(thing, name)
    if isinstance(before, deque):
        before.clear()
        before.extend(value)
    else:
        setattr(thing, name, value)
