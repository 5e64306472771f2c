"""The course of a flight: what its agent decided and commanded, and how near it came to the contacts."""

import math
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from qiki.contracts.events import Decision, SystemMode
from qiki.contracts.sim import SimOrder
from qiki.contracts.ticks import TICK_S
from qiki.flight import Flight, Moment
from qiki.world.errors import OrderError
from qiki_harness.recording.reflight import FlightPlan, fly_recorded, of_agent
from qiki_harness.recording.runs import RecordedRun
from qiki_harness.recording.why import phrases


@dataclass(frozen=True, order=True)
class Act:
    """A thing that the agent did, in words, at a simulated time [s]."""

    t_s: float
    text: str


@dataclass
class Course:
    """The course of a flight.

    Attributes:
        decisions, modes, commands: of the agent, in order
        alerts: number of guard alerts
        nearest_m: least distance to a contact, at the ends of ticks; infinite without a contact
        nearest: name of that contact
        nearest_s: simulated time of it
        hull_pct: integrity at the end
        hidden: number of frames that had hidden tracks
        refused: recorded orders that the vehicle refused
    """

    decisions: list[Act] = field(default_factory=list)
    modes: list[Act] = field(default_factory=list)
    commands: list[Act] = field(default_factory=list)
    alerts: int = 0
    nearest_m: float = math.inf
    nearest: str = ""
    nearest_s: float = 0.0
    hull_pct: float = 100.0
    hidden: int = 0
    refused: list[str] = field(default_factory=list)


def course_of(plan: FlightPlan, run: RecordedRun, end_tick: int, hidden: Collection[str] = ()) -> Course:
    """Fly a plan with its agent, and with the recorded orders of others.

    Args:
        hidden: ids of tracks that the agent does not see

    Raises:
        UserError: an engine is not installed here.
    """
    course, flight = Course(), plan.flight(hidden)

    def refuse(order: SimOrder, error: OrderError) -> None:
        course.refused.append(f"order {order.number} ({order.order}) at tick {order.tick}: {error}")

    for moment in fly_recorded(flight, run, end_tick, with_agent=True, refused=refuse):
        _take(course, moment, frozenset(hidden))
        _approach(course, flight)
    course.hull_pct = flight.world.vehicle.hull.integrity_pct
    return course


def _take(course: Course, moment: Moment, hidden: frozenset[str]) -> None:
    for event in moment.events:
        if isinstance(event.body, Decision):
            text = f"{phrases.decision(event.body)}; {phrases.proposal(event.body)}"
            course.decisions.append(Act(moment.t_s, text))
        elif isinstance(event.body, SystemMode):
            course.modes.append(Act(moment.t_s, phrases.mode(event.body)))
    for message in moment.orders:
        order = SimOrder.from_json(message.body)
        if of_agent(order):
            course.commands.append(Act(round(order.tick * TICK_S, 6), phrases.order(order)))
    if moment.frame is not None:
        course.alerts += len(moment.frame.tracked.judgement.alerts)
        course.hidden += not hidden.isdisjoint(moment.frame.tracked.reports.track_id)


def _approach(course: Course, flight: Flight) -> None:
    world = flight.world
    present = np.flatnonzero(world.contacts.present)
    if not len(present):
        return
    distances_m = np.linalg.norm(world.relative_positions()[present], axis=1)
    place = int(distances_m.argmin())
    if distances_m[place] < course.nearest_m:
        course.nearest_m = float(distances_m[place])
        course.nearest, course.nearest_s = world.contacts.names[present[place]], world.t_s
