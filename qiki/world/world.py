"""The simulated world: the vehicle, the contacts and the radar, advanced by ticks of a fixed step."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import numpy as np
from pydantic import Field, PlainSerializer, PlainValidator

from qiki.arrays import Array
from qiki.botspec.planes import BotParameters
from qiki.contracts.enums import FriendFoe
from qiki.contracts.headers import MAX_IDENTITIES_BYTES, FrameOrigin, identities_text
from qiki.contracts.ids import RADAR_SENSOR_ID, run_frame_id
from qiki.contracts.radar import RadarFrame
from qiki.contracts.sim import MAX_TICK, Origin
from qiki.contracts.ticks import TICK_MS, TICK_S
from qiki.radar import Detections, Radar
from qiki.radar.model import SR_THRESHOLD_M
from qiki.state import Saved, State, StateError, Stateful
from qiki.world.collisions import Collisions
from qiki.world.contacts import Contacts
from qiki.world.errors import OrderError
from qiki.world.scenario import Latency, Scenario
from qiki.world.vehicle.axes import Vector3
from qiki.world.vehicle.orders import Fork, Order, make_order, order_values
from qiki.world.vehicle.vehicle import Vehicle
from qiki.world.vehicle_events import VehicleEvent, VehicleEventKind, Watch

SavedDetections = Annotated[Detections, PlainValidator(Detections.of_rows), PlainSerializer(Detections.rows)]


@dataclass(frozen=True, slots=True)
class MeasuredFrame:
    """One look of the radar; numbered from 0 within its run, without a gap.

    `t_s` counts from the scenario's epoch. The vehicle's own state is in world axes. `identities` are the known
    transponder identities and their sides.
    """

    run_id: UUID
    number: int
    t_s: float
    timestamp: datetime
    detections: SavedDetections
    own_position_m: Vector3
    own_velocity_mps: Vector3
    identities: Mapping[str, FriendFoe] = field(default_factory=dict)

    @property
    def frame_id(self) -> UUID:
        """The frame's identity, which follows from its run and number."""
        return run_frame_id(self.run_id, self.number)

    @property
    def origin(self) -> FrameOrigin:
        """Run, number and own state, as the frame's headers carry them."""
        own_position, own_velocity = self.own_position_m, self.own_velocity_mps
        return FrameOrigin(str(self.run_id), self.number, own_position, own_velocity, self.identities)

    def bare(self, ts_ingest: datetime) -> RadarFrame:
        """Return the frame as it is published, without its detections."""
        return RadarFrame(
            frame_id=self.frame_id, sensor_id=RADAR_SENSOR_ID, timestamp=self.timestamp, ts_ingest=ts_ingest
        )


@dataclass(frozen=True, slots=True)
class Giver:
    """The one who gives an order."""

    origin: Origin
    sender: str = ""
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class GivenOrder:
    """An order that took effect after `tick` ticks; `number` counts those of the run."""

    tick: int
    number: int
    order: Order
    giver: Giver


@dataclass(frozen=True, slots=True)
class Tick:
    """The results of a tick: the radar's frame if one was due, the events, and the orders that took effect."""

    frame: MeasuredFrame | None
    events: tuple[VehicleEvent, ...]
    orders: tuple[GivenOrder, ...] = ()


BY_CONTROL = Giver(Origin.CONTROL)
LATENCY = 1
"""Tells the random numbers of delays from others of the same seed."""
CONSTANT = ("frame_rate_hz", "radar", "latency")
"""Fields of a scenario that are the same throughout a run."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The origin of a world's contacts: a scenario, whose times count from `begin_tick`, and the seed of its swarms."""

    scenario: Scenario
    seed: int
    begin_tick: int = 0


Count = Annotated[int, Field(ge=0, le=MAX_TICK)]
TRAFFIC = State(_traffic=Traffic)


def _read_order(saved: Mapping[str, Any]) -> Order:
    try:
        return make_order(saved["name"], saved["parameters"])
    except OrderError as error:
        raise ValueError(str(error)) from None


SavedOrder = Annotated[
    Order,
    PlainValidator(_read_order),
    PlainSerializer(lambda order: {"name": order.name, "parameters": order_values(order)}),
]


class SimWorld(Stateful):
    """One run: a function of scenario, parameters, seed, run id and the orders with their ticks.

    Contacts, radar and sensors draw random numbers from streams of their own, made from `seed`. The radar reads
    transponders up to the range `sr_threshold_m`; unless it `measures`, its frames have no detections.
    """

    STATE = State(
        tick_count=Count,
        frame_count=Count,
        order_count=Count,
        vehicle=Vehicle,
        contacts=Contacts,
        newest_frame=MeasuredFrame | None,
        identities=dict[str, FriendFoe],
        _orders=list[tuple[SavedOrder, Giver]],
        _scheduled=list[tuple[int, SavedOrder, Giver]],
        _collisions=Collisions,
        _radar=Radar,
        _watch=Watch,
    )

    def __init__(
        self,
        scenario: Scenario,
        parameters: BotParameters,
        seed: int,
        run_id: UUID,
        sr_threshold_m: float = SR_THRESHOLD_M,
        *,
        measures: bool = True,
    ) -> None:
        _, radar, sensors = _streams(seed)
        self.scenario, self.seed, self.run_id = scenario, seed, run_id
        self.parameters, self.sr_threshold_m = parameters, sr_threshold_m
        self.tick_count = 0
        self.frame_count = 0
        self.order_count = 0
        self.newest_frame: MeasuredFrame | None = None
        self.identities: dict[str, FriendFoe] = scenario.identities
        self.vehicle = Vehicle(parameters, scenario.bot, TICK_S, sensors)
        self._set_traffic(Traffic(scenario, seed))
        self._radar = Radar(scenario.radar, radar, sr_threshold_m)
        self._measures = measures
        self._ticks_per_frame = round(1.0 / (scenario.frame_rate_hz * TICK_S))
        self._orders: list[tuple[Order, Giver]] = []
        self._scheduled: list[tuple[int, Order, Giver]] = []
        self._watch = Watch()

    @property
    def t_s(self) -> float:
        """Time since the scenario's epoch."""
        return self.tick_count * TICK_MS / 1000.0

    @property
    def timestamp(self) -> datetime:
        """Simulated time."""
        return self.scenario.epoch + timedelta(milliseconds=self.tick_count * TICK_MS)

    def submit(self, order: Order, giver: Giver = BY_CONTROL) -> None:
        """Submit an order, which takes effect at the next tick; OrderError if the vehicle cannot obey now."""
        reason = self._refusal(order)
        if reason is not None:
            raise OrderError(reason)
        self._orders.append((order, giver))

    def submit_late(self, order: Order, giver: Giver) -> int:
        """Submit a command that came over gRPC; return the tick behind which it takes effect.

        Where the scenario has a latency, that is later: the delays follow from the seed and the present tick, and no
        command overtakes another. OrderError if the vehicle cannot obey now.
        """
        if self.scenario.latency is None:
            self.submit(order, giver)
            return self.tick_count
        reason = self._refusal(order)
        if reason is not None:
            raise OrderError(reason)
        given = self.tick_count + self._delay_ticks(self.scenario.latency)
        tick = max([given, *(late for late, _, _ in self._scheduled)])
        self.schedule(tick, order, giver)
        return tick

    def schedule(self, tick: int, order: Order, giver: Giver) -> None:
        """Submit an order that takes effect once so many ticks are done; it is dropped if the vehicle cannot obey then.

        Orders of one tick are obeyed in the sequence in which they are scheduled.
        """
        self._scheduled.append((tick, order, giver))
        self._scheduled.sort(key=lambda one: one[0])

    def tick(self) -> Tick:
        """Advance by one step."""
        obeyed, events = self._obey()
        own_before_m, before = self.vehicle.position_m, self.contacts.now
        changed = self.vehicle.step()
        self.contacts.step(TICK_S)
        self.tick_count += 1
        struck = self._collisions.strike(own_before_m, before, TICK_S)
        events += self._watch.look(self.vehicle, changed)
        if struck:
            integrity = {"integrity_pct": self.vehicle.hull.integrity_pct, "contacts": struck}
            events.append(VehicleEvent(VehicleEventKind.STRUCK, integrity))
        return Tick(self._look(), tuple(events), obeyed)

    def restore_state(self, saved: Saved) -> None:
        """Take up the state of a world that was made from the same scenario, parameters, seed and run id."""
        present = self._traffic
        TRAFFIC.restore(self, {"_traffic": saved.get("_traffic")})
        if self._traffic != present:
            self._set_traffic(self._traffic)
        super().restore_state({name: value for name, value in saved.items() if name != "_traffic"})
        if self.contacts.t_s != self.t_s:
            raise StateError(f"contacts: are at {self.contacts.t_s} s, and the world at {self.t_s} s")

    def save_state(self) -> Saved:
        """Return the whole state between two ticks, with the orders that take effect at the next one."""
        return super().save_state() | TRAFFIC.save(self)

    def relative_positions(self) -> Array:
        """Return the contacts' positions relative to the vehicle: (n, 3) [m]."""
        relative: Array = self.contacts.positions - np.array(self.vehicle.position_m)
        return relative

    def nearest_m(self) -> float | None:
        """Return the distance of the nearest contact [m]; None if there is none."""
        relative = self.relative_positions()[self.contacts.present]
        return float(np.sqrt(np.einsum("ij,ij->i", relative, relative).min())) if len(relative) else None

    def _delay_ticks(self, latency: Latency) -> int:
        """Return the delay of a command that is given now, in whole ticks."""
        chance = np.random.Generator(np.random.PCG64([self.seed, LATENCY, self.tick_count]))
        delay_s = float(chance.uniform(*latency.thinking_s) + chance.uniform(*latency.link_s))
        return math.ceil(round(delay_s / TICK_S, 6))

    def _obey(self) -> tuple[tuple[GivenOrder, ...], list[VehicleEvent]]:
        """Apply the orders; return them, and those dropped: an earlier one may have made an order impossible."""
        while self._scheduled and self._scheduled[0][0] <= self.tick_count:
            _, order, giver = self._scheduled.pop(0)
            self._orders.append((order, giver))
        orders, self._orders = self._orders, []
        obeyed, dropped = [], []
        for order, giver in orders:
            reason = self._refusal(order)
            if reason is None:
                order.apply(self.vehicle)
                if isinstance(order, Fork):
                    self._begin_future(order)
                obeyed.append(GivenOrder(self.tick_count, self.order_count, order, giver))
                self.order_count += 1
            else:
                dropped.append(VehicleEvent(VehicleEventKind.ORDER_DROPPED, {"order": repr(order), "reason": reason}))
        return tuple(obeyed), dropped

    def _refusal(self, order: Order) -> str | None:
        future = order.scenario if isinstance(order, Fork) else None
        if future is None:
            return order.refusal(self.vehicle)
        if differing := [name for name in CONSTANT if getattr(future, name) != getattr(self.scenario, name)]:
            return f"{future.name} has another {' and '.join(differing)} than the run, which keeps its own"
        identities = self.identities | future.identities
        if turned := [name for name, side in self.identities.items() if identities[name] != side]:
            return f"{future.name} gives {', '.join(turned)} another side than the run"
        if len(identities_text(identities)) > MAX_IDENTITIES_BYTES:
            return f"{future.name} and the run have too many identities for the frames' headers"
        return None

    def _begin_future(self, fork: Fork) -> None:
        """Begin the future that a fork names: other random numbers, other contacts, or both."""
        seed = self.seed if fork.seed is None else fork.seed
        if fork.seed is not None:
            _, radar, sensors = _streams(seed)
            self._radar = Radar(self.scenario.radar, radar, self.sr_threshold_m)
            self.vehicle.sensors.draw_from(sensors)
        if fork.scenario is not None:
            self._set_traffic(Traffic(fork.scenario, seed, self.tick_count))
            self.identities = self.identities | fork.scenario.identities

    def _set_traffic(self, traffic: Traffic) -> None:
        """Replace the contacts."""
        self._traffic = traffic
        begin_s = traffic.begin_tick * TICK_MS / 1000.0
        self.contacts = Contacts(traffic.scenario, self.run_id, _streams(traffic.seed)[0], begin_s)
        self._collisions = Collisions(self.vehicle, self.contacts)

    def _look(self) -> MeasuredFrame | None:
        """Return the radar's frame, if one is due and the radar is on."""
        if self.tick_count % self._ticks_per_frame or self.vehicle.radar_off_reason is not None:
            return None
        own = self.vehicle.position_m, self.vehicle.velocity_mps
        if self._measures:
            detections = self._radar.measure(self.contacts, *own, self.vehicle.drive.heading_deg)
        else:
            detections = Detections.of_rows([])
        number, self.frame_count = self.frame_count, self.frame_count + 1
        instant = self.t_s, self.timestamp
        self.newest_frame = MeasuredFrame(self.run_id, number, *instant, detections, *own, self.identities)
        return self.newest_frame


def _streams(seed: int) -> tuple[np.random.Generator, ...]:
    """Return the random numbers of contacts, radar and sensors.

    Their order is part of what makes a run repeatable: append, never insert.
    """
    return tuple(np.random.Generator(np.random.PCG64(child)) for child in np.random.SeedSequence(seed).spawn(3))
