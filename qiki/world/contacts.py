"""Contacts of a world, as arrays."""

from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array, Mask
from qiki.world.motion import Motions
from qiki.world.scenario import Scenario
from qiki.world.scenario.swarm import members
from qiki.world.transponders import Transponders

NANOSECONDS = 1_000_000_000
RADAR_DEFAULT = -1
"""In place of a Swerling case: the radar's own."""


class Contacts:
    """All contacts. Their state is a function of time alone: no step builds on the one before.

    Args:
        scenario: the contacts and swarms
        run_id: the run, from which the contacts' ids follow
        rng: generator for the members of swarms; not used after this

    Attributes:
        positions: (n, 3) [m] world axes
        velocities: (n, 3) [m/s] world axes
        present: (n,) contacts that have appeared and not disappeared
        transponder_modes: (n,) TransponderMode
        claimed_ids: (n,) identity in the reply, None where there is no reply
    """

    def __init__(self, scenario: Scenario, run_id: UUID, rng: np.random.Generator) -> None:
        specs = (*scenario.contacts, *(one for swarm in scenario.swarms for one in members(swarm, rng)))
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

    @property
    def t_s(self) -> float:
        """Time since the scenario's epoch."""
        return self._t_ns / NANOSECONDS

    def step(self, dt_s: float) -> None:
        """Advance by `dt_s`. Time is counted in whole nanoseconds, so its division into steps makes no difference."""
        self._t_ns += round(dt_s * NANOSECONDS)
        self._update()

    def _update(self) -> None:
        t_s = self.t_s
        self.present: Mask = (self._appears_s <= t_s) & (t_s < self._disappears_s)
        self.positions, self.velocities = self._motions.at(np.maximum(t_s - self._appears_s, 0.0))
        self.transponder_modes, self.claimed_ids = self._transponders.at(t_s)
