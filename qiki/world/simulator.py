"""The simulator: one world at a time, running or held."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from qiki.botspec.planes import BotParameters
from qiki.contracts.telemetry import SimState
from qiki.world.errors import OrderError
from qiki.world.scenario import Scenario
from qiki.world.world import SimWorld

MAX_SPEED = 1e6  # far beyond what can be computed, and far below what would overflow


class RunState(StrEnum):
    """State of the simulation."""

    STOPPED = "stopped"
    RUNNING = "running"
    PAUSED = "paused"


@dataclass(frozen=True)
class Setup:
    """Settings of every world; `seed` replaces the scenario's own unless None."""

    parameters: BotParameters
    sr_threshold_m: float
    seed: int | None
    load_scenario: Callable[[str], Scenario]


class Simulator:
    """The current run and its state; begins with a stopped one.

    The first run is of `scenario`, or goes on in `world`.

    Attributes:
        speed: simulated seconds a second
        default_speed: of a start that names none
    """

    def __init__(
        self,
        setup: Setup,
        scenario: Scenario,
        ids: Iterator[UUID],
        speed: float = 1.0,
        world: SimWorld | None = None,
    ) -> None:
        self._setup = setup
        self._ids = ids
        self.speed = self.default_speed = speed
        self.state = RunState.STOPPED
        self.world = world or self._new_world(scenario, None)

    @property
    def running(self) -> bool:
        """True while time passes."""
        return self.state is RunState.RUNNING

    def start(self, speed: float | None) -> None:
        """Let time pass at `speed`, or at the run's default; also resumes."""
        self.speed = self.default_speed if speed is None else speed
        self.state = RunState.RUNNING

    def pause(self) -> None:
        """Hold time; OrderError while stopped."""
        if self.state is RunState.STOPPED:
            raise OrderError("the simulation is stopped: there is nothing to pause")
        self.state = RunState.PAUSED

    def stop(self) -> None:
        """Hold time; the world stays as it is."""
        self.state = RunState.STOPPED

    def reset(self, scenario: str | None, seed: int | None, speed: float | None) -> None:
        """Make a new run, stopped; with the same scenario and seed if none is named.

        After a UserError (no such scenario, or an invalid one) nothing has changed.
        """
        if scenario is None:
            seed = self.world.seed if seed is None else seed
            self.world = self._new_world(self.world.scenario, seed)
        else:
            self.world = self._new_world(self._setup.load_scenario(scenario), seed)
        self.speed = self.default_speed = 1.0 if speed is None else speed
        self.state = RunState.STOPPED

    def sim_state(self, behind_s: float) -> SimState:
        """Return the state for telemetry."""
        return SimState(
            running=self.running,
            paused=self.state is RunState.PAUSED,
            speed=self.speed,
            tick=self.world.tick_count,
            run_id=str(self.world.run_id),
            behind_s=behind_s,
        )

    def _new_world(self, scenario: Scenario, seed: int | None) -> SimWorld:
        if seed is None:
            seed = scenario.seed if self._setup.seed is None else self._setup.seed
        return SimWorld(scenario, self._setup.parameters, seed, next(self._ids), self._setup.sr_threshold_m)
