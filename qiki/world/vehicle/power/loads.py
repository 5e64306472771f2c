"""Who gets power when there is not enough: loads go in the order of their worth."""

from collections.abc import Collection, Mapping
from enum import StrEnum


class Load(StrEnum):
    """A load that can be switched off. The order is the order of shedding: first the least needed.

    The radar goes last but one: a vehicle that cannot see is in danger, one that cannot be identified
    (transponder) is in danger from its friends too.
    """

    NBL = "nbl"
    MOTION = "motion"
    RCS = "rcs"
    RADAR = "radar"
    TRANSPONDER = "transponder"


SHED_ORDER = tuple(Load)
DIVISIBLE = frozenset({Load.MOTION, Load.RCS})
"""Loads that run on less than they ask for."""


def allocate(
    budget_w: float, wanted_w: Mapping[Load, float], shed: Collection[Load], restore_margin_w: float
) -> dict[Load, float]:
    """Share a budget among the loads, the most needed first.

    Once a load is cut, all that are less needed get nothing. A load that was shed comes back only when a
    margin would be left beside it, so that it does not flicker.

    Args:
        budget_w: what there is to share [W]
        wanted_w: what each load asks for [W]
        shed: loads that are off since the last step
        restore_margin_w: what must be left over when a shed load returns [W]

    Returns:
        What each load gets [W].
    """
    granted = dict.fromkeys(SHED_ORDER, 0.0)
    left_w = max(budget_w, 0.0)
    for load in reversed(SHED_ORDER):
        want_w = wanted_w.get(load, 0.0)
        fits = want_w + (restore_margin_w if load in shed and load not in DIVISIBLE else 0.0) <= left_w
        if want_w > 0 and not fits:
            granted[load] = left_w if load in DIVISIBLE else 0.0
            break
        granted[load] = want_w
        left_w -= want_w
    return granted
