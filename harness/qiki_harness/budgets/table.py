"""The table of budgets: a TOML file. What a run sees has the same form, so that it can be written as the next table."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt, PositiveFloat, ValidationError

from qiki.contracts.fields import first_fault
from qiki_harness.errors import HarnessError

HEAD = """\
# Budgets of a native stack that plays mixed-traffic: `tox -e budgets` runs one at each speed, and fails where it sees
# more than 1.8 times of what stands here. `tox -e budgets -- --update` writes what it saw, to be reviewed as a change.
#   calibration_ms   CPU time of a fixed loop in the same run: a slower machine may take longer, by as much
#   cpu_percent      of one core; supervisor: the stack's own processes, with health probes
#   private_mb       memory that a service shares with no other (USS)
#   per_s            messages
#   jitter_ms        upper quartile of the deviation from the median interval, above that of an idle metronome
#   mb_per_min       growth on disk, by volume, and of the logs
#   modules, import_ms, packages   imports of a service: number, CPU time, packages that bring many
"""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Use(_Row):
    """A service's use of the machine while it runs."""

    cpu_percent: NonNegativeFloat
    private_mb: NonNegativeFloat


class Flow(_Row):
    """The messages of a topic; no jitter where it has no nominal rate."""

    per_s: NonNegativeFloat
    jitter_ms: NonNegativeFloat | None = None


class Growth(_Row):
    """Growth on disk."""

    mb_per_min: NonNegativeFloat


class Imports(_Row):
    """A service's imports before it starts its work."""

    modules: NonNegativeInt
    import_ms: NonNegativeFloat
    packages: tuple[str, ...]


class AtSpeed(_Row):
    """A stack at one speed."""

    calibration_ms: PositiveFloat
    services: dict[str, Use]
    topics: dict[str, Flow]
    disk: dict[str, Growth]


class Starts(_Row):
    """The starts of the services."""

    calibration_ms: PositiveFloat
    services: dict[str, Imports]


class Budgets(_Row):
    """The whole table; speeds are keys as in `speed.10`."""

    speed: dict[str, AtSpeed]
    imports: Starts

    def to_toml(self) -> str:
        """Return the text of the table, rounded."""
        return f"{HEAD}{''.join(_section((), self.model_dump(exclude_none=True)))}"


def load(path: Path) -> Budgets:
    """Return the table of a file.

    Raises:
        HarnessError: it cannot be read, or is no table of budgets.
    """
    try:
        return Budgets.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise HarnessError(f"{path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise HarnessError(f"{path}: {error}") from None
    except ValidationError as error:
        raise HarnessError(f"{path}: {first_fault(error)}") from None


def _section(path: tuple[str, ...], entries: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a table: a row for each entry that holds plain values, a section for each that holds rows."""
    plain = {key: value for key, value in entries.items() if not isinstance(value, Mapping)}
    rows = {key: value for key, value in entries.items() if isinstance(value, Mapping) and not _holds_rows(value)}
    if plain or rows:
        yield f"\n[{'.'.join(map(_key, path))}]\n"
    for key, value in plain.items():
        yield f"{_key(key)} = {_value(value)}\n"
    for key, row in sorted(rows.items()):
        yield f"{_key(key)} = {{ {', '.join(f'{name} = {_value(value)}' for name, value in row.items())} }}\n"
    for key, value in entries.items():
        if isinstance(value, Mapping) and key not in rows:
            yield from _section((*path, key), value)


def _holds_rows(entry: Mapping[str, Any]) -> bool:
    return any(isinstance(value, Mapping) for value in entry.values())


def _key(text: str) -> str:
    return text if text.replace("-", "").replace("_", "").isalnum() else json.dumps(text)


def _value(value: float | tuple[str, ...]) -> str:
    if isinstance(value, float):
        return str(rounded(value))
    return json.dumps(value)


def rounded(value: float) -> float:
    """Return a figure as the table has it; what is more than nothing stays so."""
    return round(value, 1) if value >= 1 else round(value, 2) or (0.01 if value else 0.0)
