"""The loads, the order in which they are shed, and their shares of a limited budget."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from qiki.state import State, Stateful


class Load(StrEnum):
    """A load that can be shed. The order is that of shedding: the least needed first.

    The radar is last but one: a vehicle that cannot see is in danger, and one that cannot be identified (transponder)
    is in danger from its friends too.
    """

    NBL = "nbl"
    MOTION = "motion"
    RCS = "rcs"
    RADAR = "radar"
    TRANSPONDER = "transponder"


SHED_ORDER = tuple(Load)
NEEDED_FIRST = SHED_ORDER[::-1]
DIVISIBLE = frozenset({Load.MOTION, Load.RCS})  # loads that run on less power than they want


def allocate(
    budget_w: float, wanted_w: Mapping[Load, float], shed: Collection[Load], restore_margin_w: float
) -> dict[Load, float]:
    """Share a budget among the loads, the most needed first, and return the power granted to each [W].

    Once a load is cut, all less needed ones get nothing. A load in `shed`, shed in the last step, returns only if
    `restore_margin_w` remains, so that it does not flicker.
    """
    granted = dict.fromkeys(SHED_ORDER, 0.0)
    left_w = max(budget_w, 0.0)
    for load in NEEDED_FIRST:
        want_w = wanted_w.get(load, 0.0)
        if want_w <= 0.0:
            continue
        margin_w = restore_margin_w if load in shed and load not in DIVISIBLE else 0.0
        if want_w + margin_w > left_w:
            granted[load] = left_w if load in DIVISIBLE else 0.0
            break
        granted[load] = want_w
        left_w -= want_w
    return granted


@dataclass
class Nbl(Stateful):
    """The NBL, an auxiliary load that is switched and limited by command."""

    STATE: ClassVar = State(max_power_w=float, on=bool)

    max_power_w: float
    on: bool = False

    @property
    def wanted_w(self) -> float:
        """Power wanted [W]."""
        return self.max_power_w if self.on else 0.0
