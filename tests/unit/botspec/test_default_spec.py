"""The specification that comes with the platform."""

from collections.abc import Iterator

from pydantic import BaseModel

from qiki.botspec import generate, load_spec
from qiki.botspec.planes import BotParameters

UNITS = {
    "a", "c", "deg", "dps", "j", "k", "kg", "kj", "m", "mps", "mps2", "n", "ohm", "pct", "s", "v", "w", "wh",
    "derating", "share",
}  # fmt: skip


def numbers(model: BaseModel) -> Iterator[str]:
    """Names of the numbers, and what was left to its default."""
    for name in type(model).model_fields:
        assert name in model.model_fields_set, f"{name} does not stand in the file"
        value = getattr(model, name)
        members = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
        if isinstance(value, float):
            yield name
        for member in members:
            if isinstance(member, BaseModel):
                yield from numbers(member)


def test_it_is_the_bot_that_the_defaults_describe():
    assert generate(load_spec()).hardware_profile.parameters == BotParameters()


def test_it_writes_every_number_out_and_every_name_gives_the_unit():
    planes = generate(load_spec()).hardware_profile.parameters
    names = [name for plane in BotParameters.model_fields for name in numbers(getattr(planes, plane))]
    assert len(names) == 93
    assert {name for name in names if name.rpartition("_")[2] not in UNITS} == set()
