"""Contacts of a world, as arrays: their states, their transponders, and the members of swarms."""

import math
from collections.abc import Sequence
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array, Mask
from qiki.contracts.enums import TransponderMode
from qiki.geometry import unit_vectors
from qiki.world.motion import Motions
from qiki.world.scenario import Scenario
from qiki.world.scenario.contact import ContactSpec, SwarmSpec, TransponderSpec
from qiki.world.scenario.motion import CoordinatedTurnSpec

NANOSECONDS = 1_000_000_000
RADAR_DEFAULT = -1  # in place of a Swerling case: the radar's own


class Contacts:
    """All contacts. Their state is a function of time alone: no step builds on the one before.

    Their ids follow from `run_id`; the members of swarms are drawn from `rng`.

    Attributes:
        t_s: time since the scenario's epoch
        positions, velocities: (n, 3) [m], [m/s] world axes
        present: (n,) contacts that have appeared and not disappeared
        transponder_modes: (n,) TransponderMode
        claimed_ids: (n,) identity in the reply, None where there is no reply
    """

    def __init__(self, scenario: Scenario, run_id: UUID, rng: np.random.Generator) -> None:
        specs = (*scenario.contacts, *(one for swarm in scenario.swarms for one in _members(swarm, rng)))
        self.names = [spec.id for spec in specs]
        self.ids = [uuid5(run_id, f"contact:{name}") for name in self.names]
        self.object_types: NDArray[np.int64] = np.array([int(spec.object_type) for spec in specs], np.int64)
        self.iffs: NDArray[np.int64] = np.array([int(spec.side) for spec in specs], np.int64)
        self.rcs_m2: Array = np.array([spec.mean_rcs_m2 for spec in specs], float)
        self.swerling: NDArray[np.int64] = np.array(
            [RADAR_DEFAULT if spec.swerling is None else spec.swerling for spec in specs], np.int64
        )
        self._appears_s: Array = np.array([spec.appears_at_s for spec in specs], float)
        self._disappears_s: Array = np.array(
            [np.inf if spec.disappears_at_s is None else spec.disappears_at_s for spec in specs], float
        )
        self._motions = Motions([spec.motion for spec in specs])
        self._transponders = Transponders([spec.transponder for spec in specs])
        self._t_ns = 0
        self._update()

    def __len__(self) -> int:
        return len(self.ids)

    def step(self, dt_s: float) -> None:
        """Advance by `dt_s`. Time is counted in whole nanoseconds, so its division into steps makes no difference."""
        self._t_ns += round(dt_s * NANOSECONDS)
        self._update()

    def _update(self) -> None:
        t_s = self.t_s = self._t_ns / NANOSECONDS
        self.present: Mask = (self._appears_s <= t_s) & (t_s < self._disappears_s)
        self.positions, self.velocities = self._motions.at(np.maximum(t_s - self._appears_s, 0.0))
        self.transponder_modes, self.claimed_ids = self._transponders.at(t_s)


class Transponders:
    """Schedules of modes, and the identity that a reply claims in each mode."""

    def __init__(self, specs: Sequence[TransponderSpec]) -> None:
        longest = max((len(spec.modes) for spec in specs), default=1)
        self._from_s = np.full((len(specs), longest), np.inf)
        self._modes = np.zeros((len(specs), longest), np.int64)
        self._claims = np.full((len(specs), len(TransponderMode)), None, dtype=object)
        self._rows = np.arange(len(specs))
        for row, spec in enumerate(specs):
            self._from_s[row, : len(spec.modes)] = (0.0, *(change.at_s for change in spec.schedule))
            self._modes[row, : len(spec.modes)] = spec.modes
            self._claims[row, TransponderMode.ON] = spec.id
            self._claims[row, TransponderMode.SPOOF] = spec.spoof_id

    def at(self, t_s: float) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
        """Return true modes, (n,), and claimed identities, (n,), None where there is no reply."""
        modes = self._modes[self._rows, np.count_nonzero(self._from_s <= t_s, axis=1) - 1]
        return modes, self._claims[self._rows, modes]


def _members(swarm: SwarmSpec, rng: np.random.Generator) -> list[ContactSpec]:
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
    motion = {"position_m": position, "velocity_mps": velocity, "turn_rate_dps": turn_rate_dps}
    return ContactSpec(
        id=name,
        object_type=swarm.object_type,
        side=swarm.side,
        rcs_m2=swarm.rcs_m2,
        swerling=swarm.swerling,
        transponder=TransponderSpec(mode=swarm.transponder_mode, id=name if replies else None),
        motion=CoordinatedTurnSpec.model_validate(motion),
    )
