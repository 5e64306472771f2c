"""The shrinking of a world to the simplest one in which the same criterion fails.

Contacts are left out by delta debugging (A. Zeller, R. Hildebrandt, Simplifying and isolating failure-inducing input,
IEEE Transactions on Software Engineering 28, 2002), then all that a world does without, then digits of its numbers.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from qiki.world.scenario import Scenario
from qiki_harness.hunt.flights import Flights, Flown
from qiki_harness.hunt.kept import named
from qiki_harness.hunt.worlds import FAIR_M, begin_m, is_fair, simpler, with_contacts

SPARE_S = 1.0
"""Time that is flown after the failure."""


def shrink(flights: Flights, found: Flown, most: int) -> Flown:
    """Return the simplest failing run that is found in so many flights more."""
    end = flights.count + most
    (renamed,) = flights.fly([named(found, flights.criterion)])
    found = _shortened(flights, renamed if renamed.fails else found)
    nearest_m = min(FAIR_M, begin_m(found.world))
    found = _with_fewer_contacts(flights, found, end)
    while flights.count < end:
        worlds = [world for world in simpler(found.world) if is_fair(world, nearest_m)]
        better = flights.first_failing(worlds, end - flights.count)
        if better is None:
            break
        found = _shortened(flights, better)
    return found


def _shortened(flights: Flights, found: Flown) -> Flown:
    """Return the same run with an end soon after the failure, if it fails in that time too."""
    failed_s = found.verdict.at_s if found.verdict else None
    if failed_s is None or flights.criterion.success:
        return found
    seconds = math.ceil(failed_s + SPARE_S)
    if found.run.seconds is not None and found.run.seconds <= seconds:
        return found
    before = flights.like
    flights.like = replace(before, seconds=float(seconds))
    (short,) = flights.fly([found.world])
    if short.fails:
        return short
    flights.like = before
    return found


def _with_fewer_contacts(flights: Flights, found: Flown, end: int) -> Flown:
    """Leave out parts of the contacts, ever smaller ones, as long as the criterion fails."""
    parts = 2
    while flights.count < end and len(found.world.contacts) > 1:
        ids = [one.id for one in found.world.contacts]
        worlds = list(_smaller(found.world, ids, min(parts, len(ids))))
        better = flights.first_failing(worlds, end - flights.count)
        if better is not None:
            found, parts = better, 2
        elif parts >= len(ids):
            break
        else:
            parts *= 2
    return found


def _smaller(world: Scenario, ids: Sequence[str], parts: int) -> Iterator[Scenario]:
    """Yield the world with one part of its contacts alone, then with all but one part."""
    size = math.ceil(len(ids) / parts)
    pieces = [ids[begin : begin + size] for begin in range(0, len(ids), size)]
    others = [[one for one in ids if one not in piece] for piece in pieces]
    for chosen in (*pieces, *(other for other in others if len(pieces) > 2)):
        smaller = with_contacts(world, chosen)
        if smaller is not None:
            yield smaller
