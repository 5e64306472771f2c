"""Forks: a recorded run is flown to a moment with its orders, and goes on there with the same or another future."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

from qiki.contracts.sim import Origin
from qiki.contracts.ticks import TICK_S
from qiki.flight import Flight, Moment
from qiki.guard.rules import GuardRules
from qiki.world.errors import OrderError
from qiki.world.inputs import order_body, read_order
from qiki.world.scenario import Scenario
from qiki.world.simulator import RunState
from qiki.world.vehicle.orders import Fork
from qiki.world.world import GivenOrder, Giver, SimWorld
from qiki_harness.errors import RecordingError
from qiki_harness.recording.plant import plant
from qiki_harness.recording.reflight import fly_recorded, last_tick, plan_of, world_of
from qiki_harness.recording.runs import RecordedRun

_BY_FORK = Giver(Origin.FORK)


@dataclass(frozen=True)
class Branch:
    """A moment of a recorded run, and the future that begins there.

    Attributes:
        run: the recorded one
        tick: number of ticks that are flown with the recorded orders
        run_id: of the run that goes on; that of the recorded one belongs to its own future
        future: the order with which the other future begins
    """

    run: RecordedRun
    tick: int
    run_id: UUID
    future: Fork

    @property
    def t_s(self) -> float:
        """Simulated time of the moment, since the run's begin."""
        return self.tick * TICK_S


def branch(
    run: RecordedRun,
    t_s: float,
    *,
    seed: int | None = None,
    scenario: Scenario | None = None,
    engines: str | None = None,
    run_id: UUID | None = None,
) -> Branch:
    """Return the branch of a run at a time since its begin.

    Args:
        seed: of all random numbers from there on
        scenario: whose contacts replace those of the run
        engines: of an agent that begins there; None: the run's own goes on where it conducted, and else there is none

    Raises:
        RecordingError: the recording does not reach so far, or the future does not fit the run.
    """
    end_s = last_tick(run) * TICK_S
    if not 0 <= t_s <= end_s:
        raise RecordingError(f"{run.recording.path}: {t_s:g} s is not in the run (expected 0 to {end_s:g} s)")
    one = Branch(run, round(t_s / TICK_S), run_id or uuid4(), Fork(run.described.run_id, seed, scenario, engines))
    try:
        world = _world(one)
        for order in (order for tick in sorted(run.orders) if tick < one.tick for order in run.orders[tick]):
            if order.order == Fork.name:
                world.submit(read_order(order), _BY_FORK)
        world.tick()  # with the forks before this one, whose identities the run has
        world.submit(one.future)
    except OrderError as error:
        raise RecordingError(f"{run.recording.path}: {error}") from None
    return one


def fly(one: Branch, end_tick: int, rules: GuardRules | None = None) -> tuple[Flight, Iterator[Moment]]:
    """Return the flight of a branch at its begin, and its moments up to a tick.

    Raises:
        RecordingError, UserError: this version cannot fly it, or an engine is not installed here.
    """
    plan = replace(plan_of(one.run, rules), run_id=one.run_id)
    if one.future.engines is not None or not one.run.lockstep:
        plan = plan.without_agent
    flight = plan.flight()
    return flight, _moments(one, flight, end_tick)


def _moments(one: Branch, flight: Flight, end_tick: int) -> Iterator[Moment]:
    yield from fly_recorded(flight, one.run, one.tick, with_agent=True)
    given = GivenOrder(one.tick, 0, one.future, _BY_FORK)
    future = replace(one.run, orders={one.tick: (order_body(flight.world, given),)})
    yield from fly_recorded(flight, future, end_tick, with_agent=True)


def plant_branch(one: Branch, folder: Path, speed: float, state: RunState) -> None:
    """Put a branch into the folder of a simulator that is not started yet, which computes it and goes on.

    Args:
        folder: QIKI_STATE_DIR of the simulator
        state: of the simulation from the branch on

    Raises:
        RecordingError: the folder cannot be written.
    """
    world = _world(one)
    orders = [order for tick in sorted(one.run.orders) if tick < one.tick for order in one.run.orders[tick]]
    future = order_body(world, GivenOrder(one.tick, len(orders), one.future, _BY_FORK))
    plant(world, (*orders, future), folder, reached=one.tick, speed=speed, state=state)


def _world(one: Branch) -> SimWorld:
    """Return the world of the run that goes on, at its begin."""
    return world_of(replace(plan_of(one.run), run_id=one.run_id))
