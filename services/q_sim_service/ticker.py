"""The ticker: ticks the simulator by the wall clock or by command, and publishes the results of each tick."""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from q_sim_service.frame_log import FrameLog
from q_sim_service.keeper import Keeper
from q_sim_service.kept_run import KeptAnswer
from q_sim_service.metrics import BEHIND, FRAMES, TICKS
from qiki.contracts.headers import FRAME, RUN, TICK
from qiki.contracts.sim import SimOrder
from qiki.contracts.ticks import TICK_S
from qiki.world.errors import NoFrameError, OrderError
from qiki.world.inputs import read_order
from qiki.world.simulator import Simulator
from qiki.world.vehicle.orders import Order
from qiki.world.vehicle_events import VehicleEvent
from qiki.world.world import GivenOrder, Giver, MeasuredFrame, SimWorld

SLICE_S = 0.005  # time for which ticks may hold the event loop before other tasks run
TURNS = 20  # turns of the event loop that lagging readers get while ticks are due: an RPC takes some six
READER_PATIENCE_S = 2.0  # time for which a step waits for a reader that does not take its frames
LONGEST_WAIT_S = 60.0
RADARS_KEPT = 8  # runs whose radar is remembered for readers: more than begin while frames are kept, unless by script
log = structlog.get_logger()
STEP_CHUNK = 500  # ticks between flushes in a step: far fewer than the frame log and the sink can hold


class Sink(Protocol):
    """Takes the results of the ticks. Only `flush` may wait."""

    def take_frame(self, world: SimWorld, frame: MeasuredFrame) -> None:
        """Take a frame, while the world is still as it was measured."""

    def take_run(self, world: SimWorld, speed: float) -> None:
        """Take a run that begins, with the speed at which it is to be flown."""

    def take_order(self, world: SimWorld, given: GivenOrder) -> None:
        """Take an order that took effect."""

    def take_event(self, world: SimWorld, event: VehicleEvent) -> None:
        """Take an event of the vehicle."""

    async def flush(self) -> None:
        """Send all that waits to be sent."""


class Pacer:
    """Counts ticks against a clock, in monotonic seconds, from the time at which the speed was set.

    Ticks that are late stay due, so that the simulation catches up. A new speed starts a new count.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._speed = 0.0
        self._anchor_s = 0.0
        self._done = 0

    def begin(self, speed: float) -> None:
        """Start a count at `speed` simulated seconds a second; at 0 no tick is due."""
        self._speed = speed
        self._anchor_s = self._clock()
        self._done = 0

    @property
    def due(self) -> int:
        """Number of ticks due."""
        return math.floor((self._clock() - self._anchor_s) * self._speed / TICK_S) - self._done

    @property
    def behind_s(self) -> float:
        """Simulated time due, in whole ticks, without the next tick."""
        return max(0, self.due - 1) * TICK_S

    @property
    def wait_s(self) -> float | None:
        """Wall time until the next tick is due; None at speed 0."""
        if self._speed <= 0:
            return None
        return max(0.0, self._anchor_s + (self._done + 1) * TICK_S / self._speed - self._clock())

    def count(self) -> None:
        """Count a tick."""
        self._done += 1


class Ticker:
    """Owns the simulator, its pace by `clock` (monotonic seconds) and its frame log; call `follow` after a command.

    Once it is followed, `keeper` keeps the run.
    """

    def __init__(
        self, simulator: Simulator, clock: Callable[[], float], sink: Sink, keeper: Keeper | None = None
    ) -> None:
        self.simulator = simulator
        self.log = FrameLog(clock)
        self._clock = clock
        self._pacer = Pacer(clock)
        self._sink = sink
        self._changed = asyncio.Event()
        self._radars: dict[str, str] = {}
        self._begun: SimWorld | None = None
        self._measured: tuple[SimWorld, MeasuredFrame] | None = None
        self._breath_s = 0.0
        self._keeper = keeper
        self._kept: Keeper | None = None  # the keeper, while it keeps
        self._begin_run()

    @property
    def world(self) -> SimWorld:
        """The current run."""
        return self.simulator.world

    @property
    def behind_s(self) -> float:
        """Simulated time by which the simulation lags the speed that was set."""
        return self._pacer.behind_s

    @property
    def place(self) -> dict[str, str]:
        """Position of the simulation, as headers: run, ticks done, and the newest frame if there is one."""
        world = self.world
        place = {RUN: str(world.run_id), TICK: str(world.tick_count)}
        return place | ({FRAME: str(world.frame_count - 1)} if world.frame_count else {})

    @property
    def radars(self) -> list[str]:
        """For each of the last runs its id, a blank, and the radar header of its frames."""
        return [f"{run_id} {text}" for run_id, text in self._radars.items()]

    def follow(self) -> None:
        """Adopt the simulator's run, state and speed."""
        if self._begun is not self.world:
            self._begin_run()
        if self._keeper is not None:
            self._keeper.save(self.simulator)
        self._kept = self._keeper
        self._pacer.begin(self.simulator.speed if self.simulator.running else 0.0)
        self._changed.set()

    def _begin_run(self) -> None:
        self._begun, run_id = self.world, str(self.world.run_id)
        self.log.begin_run(run_id)
        figures = self.world.scenario.radar.unlike_default
        self._radars[run_id] = figures.text() if figures else ""
        if len(self._radars) > RADARS_KEPT:
            del self._radars[next(iter(self._radars))]
        self._sink.take_run(self.world, self.simulator.speed)

    def submit(self, order: Order, giver: Giver) -> None:
        """Submit an order to the world; OrderError if the vehicle cannot obey now."""
        self.world.submit(order, giver)
        self._note(self.world.tick_count, order, giver)

    def submit_late(self, order: Order, giver: Giver) -> None:
        """Submit a command of the agent, which the scenario may delay; OrderError if the vehicle cannot obey now."""
        self._note(self.world.submit_late(order, giver), order, giver)

    def _note(self, tick: int, order: Order, giver: Giver) -> None:
        if self._kept is not None:
            self._kept.note_order(self.world, tick, order, giver)
            self._kept.save_if_due(self.simulator)  # while time is held, no tick saves: the journal would grow

    def keep(self, answer: KeptAnswer) -> None:
        """Keep the answer to a command beside the run."""
        if self._kept is not None:
            self._kept.note_answer(answer)
            self._kept.save_if_due(self.simulator)

    async def catch_up(self, tick: int, orders: Sequence[SimOrder]) -> None:
        """Do the ticks again that a killed process had done, up to one; each order takes effect at its tick."""
        for order in orders:
            self._schedule(order)
        if self._keeper is not None:
            self._keeper.trying()
        while self.world.tick_count < tick:
            self._tick()
            if self.world.tick_count % STEP_CHUNK == 0:
                await asyncio.sleep(0)
        self._hand_over()
        if self._keeper is not None:
            self._keeper.tried()

    def _schedule(self, given: SimOrder) -> None:
        try:
            order = read_order(given)
        except OrderError as error:
            log.error("an order of before does not read", order=given.order, tick=given.tick, reason=str(error))
        else:
            self.world.schedule(given.tick, order, Giver(given.origin, given.sender, given.message_id))

    def newest_frame(self) -> MeasuredFrame:
        """Return the run's newest frame, as in the stream; NoFrameError if there is none, or while the radar is off."""
        reason = self.world.vehicle.radar_off_reason
        newest = self.world.newest_frame
        if reason is not None:
            raise NoFrameError(reason)
        if newest is None:
            raise NoFrameError(f"run {self.world.run_id} has no frame yet (the simulation is {self.simulator.state})")
        return newest

    async def step(self, ticks: int, ended: Callable[[], bool] = lambda: False) -> int:
        """Do ticks at once, until `ended` says so, and return the number done. OrderError while it is running.

        When this returns, readers have their frames.
        """
        if self.simulator.running:
            raise OrderError("the simulation is running: pause or stop it first")
        patient, done = True, 0
        while done < ticks and not ended():
            goal = min(ticks, done + STEP_CHUNK)
            while done < goal and not ended():
                done += await self._slice(goal - done)
            await self._sink.flush()
            patient = patient and await self.log.caught_up(READER_PATIENCE_S)
        return done

    async def run(self) -> None:
        """Tick when ticks are due, without end."""
        while True:
            due = self._pacer.due
            if due > 0:
                await self._slice(due)
            else:
                await self._wait(self._pacer.wait_s)
            BEHIND.set(self._pacer.behind_s)

    async def _slice(self, ticks: int) -> int:
        """Do ticks up to the next frame or the end of a slice, let other tasks run, and return the number done."""
        end_s = self._clock() + SLICE_S
        done = 0
        while done < ticks and self._measured is None and (done == 0 or self._clock() < end_s):
            self._tick()
            done += 1
        if self._kept is not None:
            self._kept.save_if_due(self.simulator)
        await asyncio.sleep(0)
        self._hand_over()
        if done < ticks and self._clock() >= self._breath_s:
            await self._breathe()
        return done

    async def _breathe(self) -> None:
        """Give lagging readers their turns, once a slice."""
        for _ in range(TURNS):
            if not self.log.lagging:
                break
            await asyncio.sleep(0)
        self._breath_s = self._clock() + SLICE_S

    def _tick(self) -> None:
        self._hand_over()
        world = self.world
        if self._kept is not None:
            self._kept.trying()
        tick = world.tick()
        if self._kept is not None:
            self._kept.reached(world.tick_count)
        self._pacer.count()
        TICKS.inc()
        for given in tick.orders:
            self._sink.take_order(world, given)
        for event in tick.events:
            self._sink.take_event(world, event)
        if tick.frame is not None:
            FRAMES.inc()
            self.log.append(tick.frame)
            self._measured = world, tick.frame

    def _hand_over(self) -> None:
        """Hand the newest frame to the sink, before the next tick. The log's readers have it already."""
        if self._measured is not None:
            measured, self._measured = self._measured, None
            self._sink.take_frame(*measured)

    async def _wait(self, seconds: float | None) -> None:
        """Wait until the next tick is due or the pace has changed."""
        self._changed.clear()
        try:
            async with asyncio.timeout(None if seconds is None else min(seconds, LONGEST_WAIT_S)):
                await self._changed.wait()
        except TimeoutError:
            return
