"""A recorded run, flown again in this process with its orders."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from pydantic import ValidationError

from qiki.agent.agent import AgentParameters
from qiki.agent.discovery import NONE, load_engines
from qiki.botspec import generate, load_spec
from qiki.botspec.planes import BotParameters
from qiki.contracts import identities
from qiki.contracts.fields import first_fault
from qiki.contracts.sim import Origin, SimOrder
from qiki.contracts.ticks import TICK_S
from qiki.flight import Flight, Moment
from qiki.flight.flight import LOCKSTEP
from qiki.guard.rules import GuardRules
from qiki.world.errors import OrderError
from qiki.world.inputs import read_inputs
from qiki.world.scenario import Scenario
from qiki.world.vehicle.orders import Fork
from qiki.world.world import SimWorld
from qiki_harness.errors import RecordingError
from qiki_harness.recording.layout import nanoseconds
from qiki_harness.recording.runs import RecordedRun

Refused = Callable[[SimOrder, OrderError], None]


@dataclass(frozen=True)
class FlightPlan:
    """All that a flight of a recorded run is made of.

    Attributes:
        rules: of the guard; None: the platform's own
        agent: None: no agent is flown, its recorded orders are given like all others
        engines: of the agent, names separated by commas
        later: the same of agents that begin with an order, as in a fork; then none flies before
    """

    run_id: UUID
    scenario: Scenario
    seed: int
    parameters: BotParameters
    sr_threshold_m: float
    rules: GuardRules | None
    agent: AgentParameters | None
    engines: str
    later: tuple[str, ...] = ()

    @property
    def has_agent(self) -> bool:
        """True if an agent is flown, from the begin or later."""
        return self.agent is not None

    @property
    def without_agent(self) -> "FlightPlan":
        """The same without an agent."""
        return replace(self, agent=None, engines=NONE, later=())

    def flight(self, hidden: Collection[str] = ()) -> Flight:
        """Return a flight at its begin.

        Args:
            hidden: ids of tracks that the agent does not see

        Raises:
            UserError: an engine is not installed here.
        """
        bot = generate(load_spec()).with_parameters(self.parameters)
        for engines in self.later:
            load_engines(engines, bot)
        return Flight(
            self.scenario,
            seed=self.seed,
            run_id=self.run_id,
            bot=bot,
            rules=self.rules,
            engines={} if self.later else load_engines(self.engines, bot),
            agent=None if self.later else self.agent,
            agent_ticks=(self.agent or LOCKSTEP).lockstep_ticks,
            sr_threshold_m=self.sr_threshold_m,
            hidden=hidden,
        )


def plan_of(run: RecordedRun, rules: GuardRules | None = None) -> FlightPlan:
    """Return the plan of a recorded run, with its agent in lockstep.

    Raises:
        RecordingError: this version cannot fly it.
    """
    described, agent = run.described, run.agent
    try:
        inputs = read_inputs(described)
    except ValidationError as error:
        problem = f"run {run.summary.run_id} is of another version: {first_fault(error)}"
        raise RecordingError(f"{run.recording.path}: {problem}") from None
    return FlightPlan(
        run_id=described.run_id,
        scenario=inputs.scenario,
        seed=described.seed,
        parameters=inputs.parameters,
        sr_threshold_m=described.sr_threshold_m,
        rules=rules,
        agent=lockstep_of(run),
        engines=",".join(sorted(agent.engines)) if agent and agent.engines else NONE,
        later=tuple(filter(None, (begun_by(order) for given in run.orders.values() for order in given))),
    )


def world_of(plan: FlightPlan) -> SimWorld:
    """Return the world of a flight at its begin."""
    return SimWorld(plan.scenario, plan.parameters, plan.seed, plan.run_id, plan.sr_threshold_m)


def lockstep_of(run: RecordedRun) -> AgentParameters:
    """Return the numbers of a run's agent, in lockstep."""
    ticks = run.agent.lockstep_ticks if run.agent else 0
    return replace(LOCKSTEP, lockstep_ticks=ticks or LOCKSTEP.lockstep_ticks)


def begun_by(order: SimOrder) -> str | None:
    """Return the engines of the agent that begins with an order; None if none does."""
    engines = order.parameters.get("engines") if order.order == Fork.name else None
    return engines if isinstance(engines, str) else None


def last_tick(run: RecordedRun) -> int:
    """Return the tick of the last recorded frame."""
    return round((run.summary.end_ns - nanoseconds(run.described.timestamp)) / 1e9 / TICK_S)


def fly_recorded(
    flight: Flight,
    run: RecordedRun,
    end_tick: int,
    *,
    with_agent: bool,
    agent: AgentParameters | None = None,
    refused: Refused | None = None,
) -> Iterator[Moment]:
    """Fly with the recorded orders at their ticks, and yield the moments.

    Args:
        with_agent: the agent is flown: it gives its own orders, and its recorded ones are left out
        agent: numbers of an agent that begins with an order; None: those of the run's
        refused: takes an order that the vehicle refuses now; None: it is an error

    Raises:
        RecordingError: an order is refused.
    """
    while flight.world.tick_count < end_tick:
        for order in run.orders.get(flight.world.tick_count, ()):
            if not (with_agent and flight.has_agent and of_agent(order)):
                _give(flight, order, run, refused)
            if with_agent and (engines := begun_by(order)) is not None:
                begun = agent or lockstep_of(run)
                flight.begin_agent(begun, load_engines(engines, flight.inputs.bot), begun.lockstep_ticks)
        yield flight.tick()


def of_agent(order: SimOrder) -> bool:
    """Return whether an order is the agent's."""
    return order.origin is Origin.GRPC and order.sender == identities.AGENT


def _give(flight: Flight, order: SimOrder, run: RecordedRun, refused: Refused | None) -> None:
    try:
        flight.give(order)
    except OrderError as error:
        if refused is not None:
            refused(order, error)
            return
        where = f"order {order.number} ({order.order}) at tick {order.tick}"
        raise RecordingError(
            f"{run.recording.path}: {where} took effect in the recorded run, and is refused now: {error}"
        ) from None
