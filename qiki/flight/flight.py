"""A run, flown tick by tick in the caller's thread."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID, uuid5

from qiki.agent.agent import AgentParameters
from qiki.agent.engine import Engine
from qiki.agent.world import World
from qiki.botspec import BotConfig, generate, load_spec
from qiki.contracts.agent import AgentState
from qiki.contracts.events import Decision, EventKind
from qiki.contracts.fields import Payload
from qiki.contracts.headers import Message
from qiki.contracts.sim import SimOrder
from qiki.contracts.ticks import TICK_S
from qiki.errors import UserError
from qiki.flight.agent_driver import SIMULATOR, AgentDriver
from qiki.flight.frames import FlownFrame, scan_of
from qiki.flight.saved import FlightInputs, Perception, SavedFlight
from qiki.flight.truth import reports_of_truth
from qiki.guard import load_rules
from qiki.guard.rules import GuardRules
from qiki.guard.tracked_run import Tracked, TrackedRun
from qiki.radar.model import SR_THRESHOLD_M
from qiki.state import MISFITS, StateError, misfit
from qiki.tracking import Estimates, TrackerParameters
from qiki.tracking.errors import TrackerError
from qiki.world.commands import VehicleCommand, read_command
from qiki.world.events import event_of, run_started
from qiki.world.inputs import order_message, read_order
from qiki.world.scenario import Scenario
from qiki.world.world import Giver, MeasuredFrame, SimWorld

NAMESPACE = UUID("a1b1b6f0-5a0f-5d0b-9a57-8d3a6f0c7c11")
"""Of the runs that are given no identity."""
LOCKSTEP = AgentParameters(conduct="lockstep", lockstep_ticks=2)


@dataclass(frozen=True, slots=True)
class RaisedEvent:
    """An event, as the service that raises it on a stack would publish it; `moment` is simulated time."""

    kind: EventKind
    body: Payload
    event_id: str
    moment: datetime
    service: str

    @property
    def message(self) -> Message:
        """The event, ready to publish."""
        headers = self.kind.headers(self.event_id, self.moment, self.service)
        return Message(self.kind.subject, self.body.to_json(), headers)


@dataclass(frozen=True, slots=True)
class Moment:
    """The results of one tick.

    Attributes:
        tick: number of ticks done
        t_s: simulated time since the scenario's epoch
        frame: None where the radar measured none
        events: in the order in which they were raised, the agent's last
        orders: those that took effect at the tick, ready to publish
    """

    tick: int
    t_s: float
    frame: FlownFrame | None
    events: tuple[RaisedEvent, ...]
    orders: tuple[Message, ...] = ()

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The agent's decisions on proposals."""
        return tuple(event.body for event in self.events if isinstance(event.body, Decision))

    def messages(self, ts_ingest: datetime) -> list[Message]:
        """Return all messages of the tick; `ts_ingest` is wall time on a stack."""
        frame = [] if self.frame is None else self.frame.messages(ts_ingest)
        return [*self.orders, *frame, *(event.message for event in self.events)]


class Flight:
    """World, radar, tracker, guard and the agent's core in one process.

    A tick advances the world. A frame that the radar measured is tracked, and its tracks are judged. Every
    `agent_ticks` ticks the agent sees what a stack would publish until then, and decides; its commands take effect at
    the next tick, as on a stack in lockstep. The same run id, scenario, seed and orders give the values whose bytes
    the services of a stack publish, but for wall time and for the places of messages in streams.

    Args:
        seed: of all random numbers; None: the scenario's own
        run_id: identity of the run; None: one that follows from the scenario's name and the seed
        bot: the vehicle's configuration; None: the platform's own
        rules: guard rules; None: the platform's own
        engines: the agent's engines by name; they are asked in the caller's thread
        agent: the agent's numbers; None: the vehicle flies without an agent
        agent_ticks: ticks between the agent's decisions
        sr_threshold_m: range up to which transponders are received [m]
        hidden: ids of tracks that the agent does not see, nor anything about them; they are published all the same
        perception: "tracks", as on a stack; "truth": the radar does not measure and nothing is tracked; frames have
            the true states of the contacts as tracks, the guard judges these, and the agent is shown those alone on
            which an alert holds
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int | None = None,
        run_id: UUID | None = None,
        bot: BotConfig | None = None,
        rules: GuardRules | None = None,
        engines: Mapping[str, Engine] | None = None,
        agent: AgentParameters | None = LOCKSTEP,
        agent_ticks: int = 2,
        sr_threshold_m: float = SR_THRESHOLD_M,
        hidden: Collection[str] = (),
        perception: Perception = "tracks",
    ) -> None:
        bot = bot or generate(load_spec())
        rules = rules or load_rules()
        seed = scenario.seed if seed is None else seed
        run_id = run_id or uuid5(NAMESPACE, f"{scenario.name}:{seed}")
        self.inputs = FlightInputs(
            scenario, seed, run_id, bot, rules, agent, agent_ticks, sr_threshold_m, frozenset(hidden), perception
        )
        parameters, measures = bot.hardware_profile.parameters, perception == "tracks"
        self.world = SimWorld(scenario, parameters, seed, run_id, sr_threshold_m, measures=measures)
        self._radar = scenario.radar.unlike_default
        self._parameters = TrackerParameters(short_range_m=sr_threshold_m)
        self._tracked = TrackedRun(run_id, self._parameters, rules, scenario.identities, self._radar)
        self._events: list[RaisedEvent] = []
        self._agent: AgentDriver | None = None
        self._hidden = frozenset(hidden)
        if agent is not None:
            self.begin_agent(agent, engines or {}, agent_ticks)
        self._raise(SIMULATOR, *run_started(self.world))

    def tick(self, *, decide: bool = True) -> Moment:
        """Advance by one tick.

        Args:
            decide: let the agent decide if that is due; otherwise `decide` is the caller's to call before the next tick
        """
        brought = self.world.tick()
        frame = None if brought.frame is None else self._track(brought.frame)
        for event in brought.events:
            self._raise(SIMULATOR, *event_of(self.world, event))
        if self._agent is not None:
            if frame is not None:
                self._agent.see(frame.without(self._hidden_in(frame)))
            if decide and self.decides_now:
                self._agent.decide()
        events, self._events = tuple(self._events), []
        orders = tuple(order_message(self.world, given) for given in brought.orders)
        return Moment(self.world.tick_count, self.world.t_s, frame, events, orders)

    def decide(self) -> None:
        """Let the agent decide at the present tick; its events come with the next tick's."""
        self._driver.decide()

    def look(self) -> World:
        """Return the world that the agent sees at its decision of the present tick, but for the self test."""
        return self._driver.look()

    @property
    def decides_now(self) -> bool:
        """True if the agent's decision is due at the present tick."""
        return self.world.tick_count % self.inputs.agent_ticks == 0

    @property
    def has_agent(self) -> bool:
        """True if an agent commands the vehicle."""
        return self._agent is not None

    @property
    def _driver(self) -> AgentDriver:
        if self._agent is None:
            raise UserError("the vehicle flies without an agent")
        return self._agent

    def begin_agent(self, agent: AgentParameters, engines: Mapping[str, Engine], agent_ticks: int) -> None:
        """Let an agent begin, in place of a former one; it has seen nothing yet."""
        self.inputs = replace(self.inputs, agent=agent, agent_ticks=agent_ticks)
        self._agent = AgentDriver(self.world, self.inputs.bot, agent, engines, self._raise)

    def save(self) -> SavedFlight:
        """Return the whole state of the run between two ticks.

        Raises:
            StateError: an engine keeps something from tick to tick, and has no `save`.
        """
        agent = None if self._agent is None else self._agent.save_state()
        state = {"world": self.world.save_state(), "tracked": self._tracked.snapshot(), "agent": agent}
        return SavedFlight(self.inputs, state)

    def load(self, saved: SavedFlight) -> None:
        """Go on from a saved state of a run with the same inputs: the same values follow as followed from there.

        Raises:
            StateError: it does not fit. If fields of the state do not, the flight is of no use afterwards.
        """
        if saved.inputs is not self.inputs and (differing := self.inputs.difference(saved.inputs)):
            raise StateError(f"saved with another {differing} (Flight.resume makes the flight that fits)")
        state = saved.state
        try:
            self.world.restore_state(state["world"])
            self._tracked = TrackedRun.restore(state["tracked"], self._parameters, self.inputs.rules)
            if self._agent is not None:
                self._agent.restore_state(state["agent"])
        except (TrackerError, *MISFITS) as error:
            raise StateError(f"not the state of a flight: {misfit(error)}") from None
        self._events = []
        if self.world.tick_count == 0:
            self._raise(SIMULATOR, *run_started(self.world))

    @classmethod
    def resume(cls, saved: SavedFlight, engines: Mapping[str, Engine] | None = None) -> Self:
        """Make a flight that goes on from a saved state.

        Args:
            engines: of the same names; each takes up what its namesake kept

        Raises:
            StateError: the state does not fit.
        """
        given = {one.name: getattr(saved.inputs, one.name) for one in fields(saved.inputs)}
        flight = cls(given.pop("scenario"), engines=engines, **given)
        flight.load(saved)
        return flight

    def estimates(self) -> Estimates:
        """Return the whole states of the live tracks after the newest frame."""
        return self._tracked.tracker.estimates()

    def agent_state(self) -> AgentState | None:
        """Return the agent's state; None where the vehicle flies without an agent."""
        return None if self._agent is None else self._agent.state()

    def fly(self, seconds: float) -> Iterator[Moment]:
        """Yield the moments of a duration of simulated time [s]."""
        for _ in range(round(seconds / TICK_S)):
            yield self.tick()

    def command(self, name: str, **parameters: Any) -> None:
        """Give the vehicle an order, as a control command of that name does; it takes effect at the next tick.

        Raises:
            OrderError: no such command, a wrong parameter, or the vehicle cannot obey now.
            UserError: a command to the simulation, which the caller does himself.
        """
        command = read_command(name, parameters)
        if not isinstance(command, VehicleCommand):
            raise UserError(f"{name} commands the simulation: a flight is stepped by its caller")
        self.world.submit(command.order())

    def give(self, order: SimOrder) -> None:
        """Give a published order again; it takes effect at the next tick.

        Raises:
            OrderError: there is no such order, or the vehicle cannot obey now.
        """
        self.world.submit(read_order(order), Giver(order.origin, order.sender, order.message_id))

    def _track(self, measured: MeasuredFrame) -> FlownFrame:
        contacts = self.world.contacts
        run, number = str(measured.run_id), measured.number
        self._tracked.know(measured.identities)
        if self.inputs.perception == "truth":
            judged = self._tracked.judge(reports_of_truth(contacts, contacts.now, measured))
            tracked = Tracked(run, str(number), number, measured.frame_id, *judged)
            return FlownFrame(measured, self._radar, contacts, contacts.now, tracked)
        scan = scan_of(measured)
        reports, judgement, spoofers = self._tracked.step(scan)
        estimates = self._tracked.estimates(scan)
        tracked = Tracked(run, str(number), number, measured.frame_id, reports, judgement, spoofers, estimates)
        return FlownFrame(measured, self._radar, contacts, contacts.now, tracked)

    def _hidden_in(self, frame: FlownFrame) -> Collection[str]:
        if self.inputs.perception == "tracks":
            return self._hidden
        return set(frame.tracked.reports.track_id) - self._tracked.alarming

    def _raise(self, service: str, kind: EventKind, body: Payload, event_id: str, moment: datetime) -> None:
        self._events.append(RaisedEvent(kind, body, event_id, moment, service))
