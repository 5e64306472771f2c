"""Changes of a world: contacts moved by the search, and simpler worlds for the shrinking."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from qiki.world.scenario import Scenario

FAIR_M = 150.0
"""A contact begins no nearer to the vehicle: a run that begins with a failure shows nothing."""
POSITION_M, SPEED = 80.0, 0.1
"""The most that the search moves a contact's begin along an axis, and changes its speed by, as a share."""
AXES = 3
_DIGITS = (-2, -1, 0, 1)
_VECTORS = ("position_m", "velocity_mps")
Content = dict[str, Any]


def read(content: Content) -> Scenario | None:
    """Return the scenario of a content; None if it is none."""
    carried = {one.get("transponder", {}).get(name) for one in content["contacts"] for name in ("id", "spoof_id")}
    sides = {name: side for name, side in content.get("identities", {}).items() if name in carried}
    try:
        return Scenario.model_validate({**content, "identities": sides})
    except ValidationError:
        return None


def plain(scenario: Scenario) -> Content:
    """Return the content of a scenario, without what is so by default."""
    content = scenario.model_dump(mode="json", exclude_defaults=True)
    content.setdefault("contacts", [])
    for contact, spec in zip(content["contacts"], scenario.contacts, strict=True):
        contact["motion"]["kind"] = spec.motion.kind  # it chooses the model
    return content


def is_fair(scenario: Scenario, nearest_m: float = FAIR_M) -> bool:
    """Return whether every contact that is there from the begin is away from the vehicle."""
    return begin_m(scenario) >= nearest_m


def begin_m(scenario: Scenario) -> float:
    """Return the least distance of a contact at the begin; infinite without contacts."""
    own = scenario.bot.position_m
    places = (_place(one) for one in plain(scenario)["contacts"] if not one.get("appears_at_s"))
    return min((math.dist(own, place) for place in places if place is not None), default=math.inf)


def moved(scenario: Scenario, ids: Sequence[str], shifts: Sequence[float]) -> Scenario | None:
    """Return a world in which contacts begin elsewhere and are faster or slower.

    Args:
        shifts: four for each id, -1 to 1: along the axes, and of the speed

    Returns:
        None if it is no fair world.
    """
    content = plain(scenario)
    contacts = {one["id"]: one for one in content["contacts"]}
    for number, name in enumerate(ids):
        *along, faster = shifts[number * (AXES + 1) : (number + 1) * (AXES + 1)]
        motion = contacts[name]["motion"]
        motion["position_m"] = [
            round(at + POSITION_M * by, 3) for at, by in zip(motion["position_m"], along, strict=True)
        ]
        if "velocity_mps" in motion:
            motion["velocity_mps"] = [round(one * (1.0 + SPEED * faster), 3) for one in motion["velocity_mps"]]
    world = read(content)
    return world if world is not None and is_fair(world) else None


def movable(scenario: Scenario) -> list[str]:
    """Return the ids of the contacts that `moved` can move."""
    return [one["id"] for one in plain(scenario)["contacts"] if _place(one) is not None]


def with_contacts(scenario: Scenario, ids: Sequence[str]) -> Scenario | None:
    """Return the same world with some of its contacts."""
    content = plain(scenario)
    content["contacts"] = [one for one in content["contacts"] if one["id"] in ids]
    return read(content)


def simpler(scenario: Scenario) -> Iterator[Scenario]:
    """Yield worlds that are simpler in one respect, the simplest first; the last are rounded in a single field."""
    content = plain(scenario)
    for change in (*_LEAVES_OUT, *(_all_rounded(digits) for digits in _DIGITS)):
        yield from _differing(scenario, change(content))
    for number in range(len(content["contacts"])):
        for digits in _DIGITS:
            yield from _differing(scenario, _contact_rounded(content, number, digits))


def size_of(scenario: Scenario) -> tuple[int, int]:
    """Return the number of contacts, and that of characters: smaller is simpler."""
    return len(scenario.contacts), len(repr(plain(scenario)))


def _differing(scenario: Scenario, content: Content) -> Iterator[Scenario]:
    world = read(content)
    if world is not None and world != scenario and size_of(world) <= size_of(scenario):
        yield world


def _without(*names: str) -> Callable[[Content], Content]:
    return lambda content: {name: value for name, value in content.items() if name not in names}


def _bare_contacts(content: Content) -> Content:
    kept = ("id", "object_type", "motion")
    return {**content, "contacts": [{name: one[name] for name in kept} for one in content["contacts"]]}


_LEAVES_OUT = (_without("swarms"), _without("seed"), _without("radar"), _bare_contacts)


def _all_rounded(digits: int) -> Callable[[Content], Content]:
    def change(content: Content) -> Content:
        bot = {name: _rounded(value, digits) for name, value in content.get("bot", {}).items()}
        return {**content, "bot": bot, "contacts": [_motion_rounded(one, digits) for one in content["contacts"]]}

    return change


def _contact_rounded(content: Content, number: int, digits: int) -> Content:
    contacts = list(content["contacts"])
    contacts[number] = _motion_rounded(contacts[number], digits)
    return {**content, "contacts": contacts}


def _motion_rounded(contact: Content, digits: int) -> Content:
    """Return a contact on a rounded way; speeds keep one digit more than places."""
    by = {"position_m": digits, "velocity_mps": digits + 1}
    motion = {name: _rounded(one, by[name]) if name in by else one for name, one in contact["motion"].items()}
    return {**contact, "motion": motion}


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, list):
        return [_rounded(one, digits) for one in value]
    return round(value, digits) + 0.0


def _place(contact: Content) -> Any:
    return contact["motion"].get("position_m")
