"""Contacts of a world, as arrays: their states, their transponders, and the members of swarms."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Array, Mask
from qiki.contracts.enums import TransponderMode
from qiki.contracts.ticks import TICK_S
from qiki.geometry import unit_vectors
from qiki.state import Saved, StateError, Stateful, misfit
from qiki.world.motion import Motions
from qiki.world.scenario import Scenario
from qiki.world.scenario.contact import ContactSpec, SwarmSpec, TransponderSpec
from qiki.world.scenario.motion import CoordinatedTurnSpec

NANOSECONDS = 1_000_000_000
RADAR_DEFAULT = -1  # in place of a Swerling case: the radar's own
AHEAD_STEPS = 40
"""Steps that are computed at once: for some contacts numpy's fixed costs of a step exceed the arithmetic by far."""
AHEAD_ROWS = 8192  # contacts times steps that are computed at once, at most


@dataclass(frozen=True, slots=True)
class ContactStates:
    """State of all contacts at one time; nobody changes the arrays.

    Attributes:
        t_s: time since the scenario's epoch
        present: (n,) contacts that have appeared and not disappeared
        positions, velocities: (n, 3) [m], [m/s] world axes
        transponder_modes: (n,) TransponderMode
        claimed_ids: (n,) identity in the reply, None where there is no reply
    """

    t_s: float
    present: Mask
    positions: Array
    velocities: Array
    transponder_modes: NDArray[np.int64]
    claimed_ids: NDArray[np.object_]


class Contacts(Stateful):
    """All contacts. Their state is a function of time alone: no step builds on the one before.

    So the states of the next steps, should they be as long as the last one, are computed together. The contacts' ids
    follow from `run_id`; the members of swarms are drawn from `rng`. The scenario's times count from `begin_s`, in
    seconds since the run's epoch.

    Attributes:
        now: the state after the last step
        fastest_mps: greatest speed of any contact at any time
    """

    def __init__(self, scenario: Scenario, run_id: UUID, rng: np.random.Generator, begin_s: float = 0.0) -> None:
        specs = (*scenario.contacts, *(one for swarm in scenario.swarms for one in _members(swarm, rng)))
        self.names = [spec.id for spec in specs]
        self.ids = [uuid5(run_id, f"contact:{name}") for name in self.names]
        self.id_texts = [str(identity) for identity in self.ids]
        self.object_types: NDArray[np.int64] = np.array([int(spec.object_type) for spec in specs], np.int64)
        self.iffs: NDArray[np.int64] = np.array([int(spec.side) for spec in specs], np.int64)
        self.rcs_m2: Array = np.array([spec.mean_rcs_m2 for spec in specs], float)
        self.swerling: NDArray[np.int64] = np.array(
            [RADAR_DEFAULT if spec.swerling is None else spec.swerling for spec in specs], np.int64
        )
        self._begin_s = begin_s
        self._appears_s: Array = np.array([spec.appears_at_s for spec in specs], float)
        self._disappears_s: Array = np.array(
            [np.inf if spec.disappears_at_s is None else spec.disappears_at_s for spec in specs], float
        )
        self._motions = Motions([spec.motion for spec in specs])
        self._transponders = Transponders([spec.transponder for spec in specs])
        self.fastest_mps = self._motions.fastest_mps
        self._t_ns = round(begin_s * NANOSECONDS)
        self._ahead_ns = self._t_ns, round(TICK_S * NANOSECONDS)
        self._ahead = self._states(*self._ahead_ns)
        self.now = self._ahead.pop(self._t_ns)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def t_s(self) -> float:
        """Time since the scenario's epoch."""
        return self.now.t_s

    @property
    def present(self) -> Mask:
        """Contacts that have appeared and not disappeared, (n,)."""
        return self.now.present

    @property
    def positions(self) -> Array:
        """Positions, (n, 3) [m] world axes."""
        return self.now.positions

    @property
    def velocities(self) -> Array:
        """Velocities, (n, 3) [m/s] world axes."""
        return self.now.velocities

    @property
    def transponder_modes(self) -> NDArray[np.int64]:
        """TransponderMode, (n,)."""
        return self.now.transponder_modes

    @property
    def claimed_ids(self) -> NDArray[np.object_]:
        """Identity in the reply, None where there is no reply, (n,)."""
        return self.now.claimed_ids

    def step(self, dt_s: float) -> None:
        """Advance by `dt_s`. Time is counted in whole nanoseconds, so its division into steps makes no difference."""
        dt_ns = round(dt_s * NANOSECONDS)
        self._t_ns += dt_ns
        if self._t_ns not in self._ahead:
            self._ahead_ns = self._t_ns, dt_ns
            self._ahead = self._states(*self._ahead_ns)
        self.now = self._ahead.pop(self._t_ns)

    def save_state(self) -> Saved:
        """Return the time, and the steps that were computed together: others might differ in the last bit."""
        return {"t_ns": self._t_ns, "ahead_ns": list(self._ahead_ns)}

    def restore_state(self, saved: Saved) -> None:
        """Go to the time of a state."""
        try:
            self._t_ns, (begin_ns, dt_ns) = saved["t_ns"], saved["ahead_ns"]
            self._ahead_ns = begin_ns, dt_ns
            ahead = self._states(begin_ns, dt_ns)
            self.now = ahead[self._t_ns]
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(f"not a time of contacts: {misfit(error)}") from None
        self._ahead = {t_ns: states for t_ns, states in ahead.items() if t_ns > self._t_ns}

    def _states(self, begin_ns: int, dt_ns: int) -> dict[int, ContactStates]:
        """Return the states at `begin_ns` and after each of some further steps, by time [ns]."""
        count = min(AHEAD_STEPS, 1 + AHEAD_ROWS // max(len(self), 1))
        times_ns = [begin_ns + number * dt_ns for number in range(count)]
        times_s = [time_ns / NANOSECONDS for time_ns in times_ns]
        t_s = np.array(times_s)[:, np.newaxis] - self._begin_s
        present = (self._appears_s <= t_s) & (t_s < self._disappears_s)
        positions, velocities = self._motions.at(np.maximum(t_s - self._appears_s, 0.0))
        modes, claims = self._transponders.at(t_s)
        columns = zip(times_s, present, positions, velocities, modes, claims, strict=True)
        return {time_ns: ContactStates(*column) for time_ns, column in zip(times_ns, columns, strict=True)}


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

    def at(self, t_s: Array) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
        """Return true modes and claimed identities, None where there is no reply, at times (k, 1): (k, n) each."""
        modes = self._modes[self._rows, np.count_nonzero(self._from_s <= t_s[..., np.newaxis], axis=-1) - 1]
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
