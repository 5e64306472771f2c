"""Members of a swarm."""

import math

import numpy as np

from qiki.arrays import Array
from qiki.contracts.enums import TransponderMode
from qiki.geometry import unit_vectors
from qiki.world.scenario.contact import ContactSpec, SwarmSpec, TransponderSpec
from qiki.world.scenario.motion import CoordinatedTurnSpec


def members(swarm: SwarmSpec, rng: np.random.Generator) -> list[ContactSpec]:
    """Draw contacts uniformly over the shell's volume, with uniform horizontal headings."""
    positions = np.array(swarm.centre_m) + _scattered(swarm, rng)
    heading = rng.uniform(0.0, 2 * np.pi, swarm.count)
    speed = rng.uniform(*swarm.speed_mps, swarm.count)
    velocities = speed[:, np.newaxis] * unit_vectors(heading, np.zeros(swarm.count))
    rates = rng.uniform(*swarm.turn_rate_dps, swarm.count)
    return [
        _member(swarm, number, *values)
        for number, values in enumerate(zip(positions.tolist(), velocities.tolist(), rates.tolist(), strict=True))
    ]


def _scattered(swarm: SwarmSpec, rng: np.random.Generator) -> Array:
    """Draw positions relative to the centre, (n, 3) [m]: uniform in radius³ and in the sine of elevation."""
    inner, outer = swarm.radius_m
    low, high = (math.sin(math.radians(bound)) for bound in swarm.elev_deg)
    radius = np.cbrt(rng.uniform(inner**3, outer**3, swarm.count))
    bearing = rng.uniform(0.0, 2 * np.pi, swarm.count)
    elevation = np.arcsin(rng.uniform(low, high, swarm.count))
    return radius[:, np.newaxis] * unit_vectors(bearing, elevation)


def _member(
    swarm: SwarmSpec, number: int, position: list[float], velocity: list[float], turn_rate_dps: float
) -> ContactSpec:
    name = swarm.member_id(number)
    replies = swarm.transponder_mode == TransponderMode.ON
    return ContactSpec.model_validate(
        {
            "id": name,
            "object_type": swarm.object_type,
            "side": swarm.side,
            "rcs_m2": swarm.rcs_m2,
            "swerling": swarm.swerling,
            "transponder": TransponderSpec(mode=swarm.transponder_mode, id=name if replies else None),
            "motion": CoordinatedTurnSpec(
                position_m=(position[0], position[1], position[2]),
                velocity_mps=(velocity[0], velocity[1], velocity[2]),
                turn_rate_dps=turn_rate_dps,
            ),
        }
    )
