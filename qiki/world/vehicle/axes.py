"""Directions fixed to the body, as unit vectors in the world."""

import math
from enum import StrEnum

Vector3 = tuple[float, float, float]


class Axis(StrEnum):
    """Direction in which a thruster pushes the vehicle."""

    FORWARD = "forward"
    AFT = "aft"
    PORT = "port"
    STARBOARD = "starboard"
    UP = "up"
    DOWN = "down"


BODY_AXES: dict[Axis, tuple[int, int, int]] = {
    Axis.FORWARD: (1, 0, 0),
    Axis.AFT: (-1, 0, 0),
    Axis.STARBOARD: (0, 1, 0),
    Axis.PORT: (0, -1, 0),
    Axis.UP: (0, 0, 1),
    Axis.DOWN: (0, 0, -1),
}  # components along (forward, starboard, up)


def to_world(body: Vector3, heading_deg: float) -> Vector3:
    """Rotate (forward, starboard, up) to world axes; the vehicle is level, `heading_deg` clockwise from +Y."""
    forward, starboard, up = body
    sine, cosine = math.sin(math.radians(heading_deg)), math.cos(math.radians(heading_deg))
    return forward * sine + starboard * cosine, forward * cosine - starboard * sine, up
