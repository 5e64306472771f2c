"""Object types: the tracker's assumptions about contacts of each, wider than any one world.

Typical cross-sections are those of the platform's world (`docs/scenarios.md`). Their spread allows a scenario to
choose its own within a factor of three to six either way.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from qiki.contracts.enums import ObjectType

REST_MPS, DRIFT_MPS, FLIGHT_MPS = 0.5, 12.0, 40.0
"""Station keeping; without an engine, or with it off; a vehicle under way."""
NEVER = 0.001
"""Not zero: a rock's track may be assigned a neighbour's reply."""


@dataclass(frozen=True, slots=True)
class ObjectClass:
    """Contacts of one type, as independent distributions."""

    rcs_dbsm: float  # typical mean cross-section
    rcs_spread_db: float  # standard deviation of its members' mean cross-sections
    motion: Mapping[float, float]  # share by the standard deviation of each component of world velocity [m/s]
    answers: float  # probability that a member in short range identifies itself


ADRIFT = {DRIFT_MPS: 0.9, REST_MPS: 0.1}
MOSTLY_UNDER_WAY = {FLIGHT_MPS: 0.4, DRIFT_MPS: 0.4, REST_MPS: 0.2}
CLASSES: Mapping[ObjectType, ObjectClass] = {
    ObjectType.DRONE: ObjectClass(0.0, 6.0, MOSTLY_UNDER_WAY, answers=0.6),
    ObjectType.SHIP: ObjectClass(23.0, 6.0, MOSTLY_UNDER_WAY, answers=0.6),
    ObjectType.STATION: ObjectClass(33.0, 5.0, {REST_MPS: 1.0}, answers=0.9),
    ObjectType.ASTEROID: ObjectClass(27.0, 8.0, ADRIFT, answers=NEVER),
    ObjectType.DEBRIS: ObjectClass(-3.0, 6.0, ADRIFT, answers=NEVER),
}
"""A vehicle is often silent and adrift: then a rock or wreck of its size cannot be distinguished from it."""

STRANGE = ObjectClass(10.0, 25.0, {120.0: 1.0}, answers=0.5)
"""None of these: a contact unlike all types must not be classified as the least unlike."""
STRANGE_SHARE = 0.1
"""Prior of a strange contact, relative to one of any type."""
