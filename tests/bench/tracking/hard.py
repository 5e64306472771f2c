"""Scenes beyond the shipped ones, in which trackers fail: built from a few numbers each."""

from collections.abc import Callable
from itertools import product
from typing import Any

from qiki.world.scenario import Scenario

NINE_G = 88.0
"""[m/s²]"""


def turns_9g() -> dict[str, Any]:
    """Four fighters zigzag at 180 m/s, every 13 s a turn of 9 g."""
    return {
        "contacts": [
            _contact(
                f"fighter-{number}",
                kind="waypoints",
                position_m=(-4600, 1500 + 600 * number, 500),
                legs=[
                    {"to_m": (2000 * leg - 2600, 1500 + 600 * number + 1200 * (1 - leg % 2), 500), "speed_mps": 180}
                    for leg in range(6)
                ],
                turn_acceleration_mps2=NINE_G,
            )
            for number in range(4)
        ]
    }


def converging() -> dict[str, Any]:
    """Two formations of eight, 60 m apart within each, fly through one another."""
    return {
        "contacts": [
            _contact(
                f"{side}-{column}{row}",
                kind="constant_velocity",
                position_m=(sign * (1200 + 60 * column), 3000 + 60 * row, 300),
                velocity_mps=(-sign * 40, 0, 0),
            )
            for side, sign in (("west", -1), ("east", 1))
            for column, row in product(range(2), range(4))
        ]
    }


def blinking() -> dict[str, Any]:
    """Twelve small drones so far away that about every second look sees nothing of them."""
    return {"swarms": [_swarm(12, (4500, 6500), (10, 40), rcs_m2=0.1, swerling=1)]}


def dense_clutter() -> dict[str, Any]:
    """Ten drones among some twenty false alarms a frame."""
    return {"radar": {"false_alarm_probability": 3e-8}, "swarms": [_swarm(10, (1000, 7000), (10, 60))]}


def melee() -> dict[str, Any]:
    """Forty drones that circle fast in a ball of 1.5 km."""
    swarm = _swarm(40, (100, 1500), (50, 120), turn_rate_dps=(5, 20), centre_m=(0, 3000, 500))
    return {"swarms": [swarm]}


def unresolved() -> dict[str, Any]:
    """Four pairs at 5 km, 20 m apart across the line of sight: one plot each at most, for three minutes."""
    return {
        "contacts": [
            _contact(
                f"pair-{pair}{member}",
                kind="constant_velocity",
                position_m=(20 * member - 900, 4200 + 400 * pair, 100),
                velocity_mps=(10, 0, 0),
            )
            for pair, member in product(range(4), range(2))
        ]
    }


HARD: dict[str, Callable[[], dict[str, Any]]] = {
    "turns-9g": turns_9g,
    "converging": converging,
    "blinking": blinking,
    "dense-clutter": dense_clutter,
    "melee": melee,
    "unresolved": unresolved,
}


def build(name: str) -> Scenario:
    """Return one of them."""
    made = HARD[name]
    return Scenario.model_validate({"name": name, "description": str(made.__doc__), "seed": 1, **made()})


def _contact(name: str, **motion: Any) -> dict[str, Any]:
    return {"id": name, "object_type": "DRONE", "motion": motion}


def _swarm(count: int, radius_m: tuple[float, float], speed_mps: tuple[float, float], **more: Any) -> dict[str, Any]:
    return {"id": "bee", "count": count, "object_type": "DRONE", "radius_m": radius_m, "speed_mps": speed_mps, **more}
