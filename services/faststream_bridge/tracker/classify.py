"""Object type: what cross-section, speed and a transponder's reply allow to say, and no more.

A reply tells a vehicle from a rock or a wreck; its mean cross-section and speed tell vehicles apart. Without a
reply the radar cannot know, and the type stays unspecified.
"""

import numpy as np
from numpy.typing import NDArray

from faststream_bridge.tracker.measurement import diagonal
from faststream_bridge.tracker.tracks import NOBODY, VELOCITY, Estimate, TrackTable
from qiki.contracts.enums import ObjectType

LEAST_HITS = 10
"""Fewer looks say little of the mean cross-section of a fluctuating contact."""

DRONE_BELOW_M2 = 3.0
VESSEL_ABOVE_M2 = 100.0
MOVING_MPS = 5.0
AT_REST_MPS = 1.0
SPEED_KNOWN_MPS = 1.0
"""Standard deviation of speed up to which rest and motion are told apart."""

DRONE, SHIP, STATION = int(ObjectType.DRONE), int(ObjectType.SHIP), int(ObjectType.STATION)


def object_types(tracks: TrackTable, estimate: Estimate) -> NDArray[np.int8]:
    """ObjectType of each track: (n,)."""
    velocity = estimate.mean[:, VELOCITY]
    speed = np.sqrt(np.vecdot(velocity, velocity))
    spread = np.sqrt(diagonal(estimate.covariance[:, VELOCITY, VELOCITY]).mean(-1))
    vehicle = (tracks["identity"] != NOBODY) & (tracks["hits"] >= LEAST_HITS)
    vessel = vehicle & (tracks["rcs_m2"] > VESSEL_ABOVE_M2) & (spread <= SPEED_KNOWN_MPS)
    kinds = np.zeros(len(tracks), dtype=np.int8)
    kinds[vehicle & (tracks["rcs_m2"] < DRONE_BELOW_M2)] = DRONE
    kinds[vessel & (speed > MOVING_MPS)] = SHIP
    kinds[vessel & (speed < AT_REST_MPS)] = STATION
    return kinds
