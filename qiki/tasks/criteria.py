"""The form of a criterion of a flight; the criteria themselves are in `criteria.yaml`."""

from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from qiki.arrays import Mask
from qiki.fields import Name, Number, Spec, Whole, field_error
from qiki.guard.rules import Side
from qiki.tasks.facts import Facts
from qiki.world.scenario.motion import ObjectTypeName
from qiki.yamlfile import load_yaml_model

DEFAULT_CRITERIA = Path(__file__).with_name("criteria.yaml")
LIMITS = ("min_distance_m", "max_propellant_kg", "max_alarmed_s", "max_safe_s", "max_faults")
"""Limits of a criterion that are numbers; `success` is the one that is none."""
Limit = Annotated[Number, Field(ge=0)]
Text = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\n]*$")]


class Criterion(Spec):
    """A limit that a flight keeps; `iff` and `object_types` choose the contacts whose distances count."""

    id: Name
    description: Text
    iff: Side | None = None
    object_types: tuple[ObjectTypeName, ...] | None = None
    success: Literal[True] | None = None
    min_distance_m: Limit | None = None
    max_propellant_kg: Limit | None = None
    max_alarmed_s: Limit | None = None
    max_safe_s: Limit | None = None
    max_faults: Annotated[Whole, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _has_one_limit(self) -> Self:
        given = [name for name in (*LIMITS, "success") if getattr(self, name) is not None]
        if len(given) != 1:
            found = ", ".join(given) or "none"
            raise field_error((), f"{self.id} has the limits {found} (expected one of: success, {', '.join(LIMITS)})")
        chosen = next((name for name in ("iff", "object_types") if getattr(self, name) is not None), None)
        if chosen and self.min_distance_m is None:
            raise field_error((chosen,), "chooses contacts, which min_distance_m alone has")
        return self

    def counts(self, facts: Facts) -> Mask:
        """Return the contacts whose distances count: (n,)."""
        counted: Mask = np.ones(len(facts.ids), dtype=np.bool_)
        if self.iff is not None:
            counted &= facts.iffs == int(self.iff)
        if self.object_types is not None:
            counted &= np.isin(facts.object_types, [int(kind) for kind in self.object_types])
        return counted


class Criteria(Spec):
    """A file of criteria."""

    criteria: tuple[Criterion, ...]

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        ids = [one.id for one in self.criteria]
        twice = next((name for name in ids if ids.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"criterion {twice} is given twice")
        return self


def load_criteria(path: Path = DEFAULT_CRITERIA) -> Criteria:
    """Read a file of criteria, by default the platform's own; raise UserError, one line, if it is none."""
    return load_yaml_model(path, Criteria)
