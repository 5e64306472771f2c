"""The check of a card: its figures are computed again from its runs, and a sample of these is flown again."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydantic import ValidationError

from qiki.contracts.fields import first_fault
from qiki.tasks.criteria import Criteria
from qiki_harness.cards.card import Card, about_of, computed
from qiki_harness.errors import HarnessError
from qiki_harness.sweeps.flying import Crew
from qiki_harness.sweeps.plan import SweepSpec, plan
from qiki_harness.sweeps.store import PRODUCT
from qiki_harness.sweeps.work import Result


@dataclass(frozen=True)
class Flown:
    """A run of a card that was flown again; `then` and `now` are digests, or why there is none."""

    seed: int
    key: str
    then: str
    now: str

    @property
    def same(self) -> bool:
        """True if the digests are the same."""
        return self.then == self.now


def follows(card: Card) -> bool:
    """Return whether all figures of a card follow from its runs."""
    try:
        return computed(about_of(card), card["rows"]) == card
    except (LookupError, TypeError, ValueError, AttributeError):
        return False


def fly_sample(card: Card, count: int, seed: int, crew: Crew) -> Iterator[Flown]:
    """Fly the worst run and others by chance again, and yield each.

    Args:
        count: of the runs; all if there are fewer
        seed: of the choice

    Raises:
        HarnessError: the card is of another version, or an engine or a scenario has changed since.
    """
    if card["product"] != PRODUCT:
        raise HarnessError(f"the card is of qiki-dtmp {card['product']} (this is {PRODUCT})")
    try:
        spec, criteria = SweepSpec.model_validate(card["spec"]), Criteria.model_validate({"criteria": card["criteria"]})
    except ValidationError as error:
        raise HarnessError(f"the card describes no sweep: {first_fault(error)}") from None
    sweep = plan(spec)
    runs = {run.key: run for run in sweep.runs}
    rows = {row["key"]: row for row in _sample(card, count, seed)}
    for key, row in rows.items():
        if key not in runs:
            raise HarnessError(f"engine {row['engine']}, or {row['world']}, has changed since the card was made")
    for result in crew.fly([runs[key] for key in rows], criteria, lambda: False):
        row = rows[result.key]
        yield Flown(row["seed"], result.key, row["digest"] or row["error"], _digest(result))


def _digest(result: Result) -> str:
    return result.digest or result.error


def _sample(card: Card, count: int, seed: int) -> list[Card]:
    rows = card["rows"]
    worst = {one["key"] for one in (group["worst"][0] for group in card["groups"])}
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(rows))
    chosen = sorted((rows[place] for place in order), key=lambda row: row["key"] not in worst)
    return chosen[:count]
