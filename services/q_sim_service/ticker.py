"""The ticker: ticks the simulator by the wall clock or by command, and publishes the results of each tick."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from q_sim_service.frame_log import FrameLog
from q_sim_service.metrics import BEHIND, FRAMES, TICKS
from q_sim_service.pacer import Pacer
from qiki.contracts.headers import FRAME, RUN, TICK
from qiki.world.errors import NoFrameError, OrderError
from qiki.world.frames import MeasuredFrame
from qiki.world.simulator import Simulator
from qiki.world.vehicle.orders import Order
from qiki.world.vehicle_events import VehicleEvent
from qiki.world.world import SimWorld

SLICE_S = 0.005
"""How long ticks may hold the event loop before others have their turn."""
TURNS = 20
"""Turns of the event loop that lagging readers are given when ticks are owed: an RPC takes some six."""
READER_PATIENCE_S = 2.0
"""How long a step waits for a reader of frames that does not take them."""
LONGEST_WAIT_S = 60.0
RADARS_TOLD = 8
"""Runs whose radar is remembered for readers: more than begin while frames are kept, unless by script."""
STEP_CHUNK = 500
"""Ticks between waits for those who take what they bring: well below what the frame log and the sink keep."""


class Sink(Protocol):
    """Takes what the ticks bring. It must not wait, but where it is asked to flush."""

    def take_frame(self, world: SimWorld, frame: MeasuredFrame) -> None:
        """A frame, while the world is still as it was measured."""

    def take_run(self, world: SimWorld) -> None:
        """A run that begins."""

    def take_event(self, world: SimWorld, event: VehicleEvent) -> None:
        """Something that happened to the vehicle."""

    async def flush(self) -> None:
        """Send what waits to be sent."""


class Ticker:
    """Owns the simulator, its pace and its log of frames.

    Args:
        simulator: what is ticked.
        clock: monotonic seconds.
        sink: takes what the ticks bring.
    """

    def __init__(self, simulator: Simulator, clock: Callable[[], float], sink: Sink) -> None:
        self.simulator = simulator
        self.log = FrameLog(clock)
        self._clock = clock
        self._pacer = Pacer(clock)
        self._sink = sink
        self._changed = asyncio.Event()
        self._radars: dict[str, str] = {}
        self._begin_run()

    @property
    def world(self) -> SimWorld:
        """The current run."""
        return self.simulator.world

    @property
    def behind_s(self) -> float:
        """How far the simulation lags the speed asked for."""
        return self._pacer.behind_s

    @property
    def place(self) -> dict[str, str]:
        """Where the simulation stands, as headers: its run, the ticks done, and the newest frame if there is one."""
        world = self.world
        place = {RUN: str(world.run_id), TICK: str(world.tick_count)}
        return place | ({FRAME: str(world.frame_count - 1)} if world.frame_count else {})

    @property
    def radars(self) -> list[str]:
        """Of each of the last runs its id and, behind a blank, what its frames' header says of the radar."""
        return [f"{run_id} {text}" for run_id, text in self._radars.items()]

    def start(self, speed: float | None) -> None:
        """Let time pass."""
        self.simulator.start(speed)
        self._repace()

    def pause(self) -> None:
        """Hold time.

        Raises:
            OrderError: stopped.
        """
        self.simulator.pause()
        self._repace()

    def stop(self) -> None:
        """Hold time; the world stays as it is."""
        self.simulator.stop()
        self._repace()

    def reset(self, scenario: str | None, seed: int | None, speed: float | None) -> None:
        """A new run, stopped.

        Raises:
            UserError: no such scenario; nothing has changed.
        """
        self.simulator.reset(scenario, seed, speed)
        self._begin_run()

    def _begin_run(self) -> None:
        self.log.begin_run(str(self.world.run_id))
        figures = self.world.scenario.radar.unlike_default
        self._radars[str(self.world.run_id)] = figures.text() if figures else ""
        if len(self._radars) > RADARS_TOLD:
            del self._radars[next(iter(self._radars))]
        self._sink.take_run(self.world)
        self._repace()

    def submit(self, order: Order) -> None:
        """Give the vehicle an order.

        Raises:
            OrderError: it cannot obey.
        """
        self.world.submit(order)

    def newest_frame(self) -> MeasuredFrame:
        """The current run's last frame, the same that readers of the stream get.

        Raises:
            NoFrameError: there is none yet, or the radar is off.
        """
        reason = self.world.vehicle.radar_off_reason
        newest = self.world.newest_frame
        if reason is not None:
            raise NoFrameError(reason)
        if newest is None:
            raise NoFrameError(f"run {self.world.run_id} has no frame yet (the simulation is {self.simulator.state})")
        return newest

    async def step(self, ticks: int) -> None:
        """Do ticks at once while time is held; their frames are with the readers when this returns.

        Raises:
            OrderError: time passes.
        """
        if self.simulator.running:
            raise OrderError("the simulation is running: pause or stop it first")
        patient = True
        for begin in range(0, ticks, STEP_CHUNK):
            await self._do(min(STEP_CHUNK, ticks - begin))
            await self._sink.flush()
            patient = patient and await self.log.caught_up(READER_PATIENCE_S)

    async def run(self) -> None:
        """Tick when ticks are due, for ever."""
        while True:
            due = self._pacer.due
            if due > 0:
                await self._slice(due, self._pacer.count)
            else:
                await self._wait(self._pacer.wait_s)
            BEHIND.set(self._pacer.behind_s)

    async def _do(self, ticks: int) -> None:
        while ticks > 0:
            ticks -= await self._slice(ticks, lambda: None)

    async def _slice(self, ticks: int, count: Callable[[], None]) -> int:
        """As many ticks as fit into a slice, at least one; then others have their turn."""
        end_s = self._clock() + SLICE_S
        done = 0
        while done < ticks and (done == 0 or self._clock() < end_s):
            self._tick()
            count()
            done += 1
        await self._give_way(TURNS if done < ticks else 1)
        return done

    async def _give_way(self, turns: int) -> None:
        """Let others have a turn, and more of them while readers of frames lag."""
        await asyncio.sleep(0)
        for _ in range(turns - 1):
            if not self.log.lagging:
                break
            await asyncio.sleep(0)

    def _tick(self) -> None:
        world = self.world
        tick = world.tick()
        TICKS.inc()
        if tick.frame is not None:
            FRAMES.inc()
            self.log.append(tick.frame)
            self._sink.take_frame(world, tick.frame)
        for event in tick.events:
            self._sink.take_event(world, event)

    def _repace(self) -> None:
        self._pacer.begin(self.simulator.speed if self.simulator.running else 0.0)
        self._changed.set()

    async def _wait(self, seconds: float | None) -> None:
        """Until the next tick is due or the pace has changed."""
        self._changed.clear()
        timer = (
            None
            if seconds is None
            else asyncio.get_running_loop().call_later(min(seconds, LONGEST_WAIT_S), self._changed.set)
        )
        try:
            await self._changed.wait()
        finally:
            if timer is not None:
                timer.cancel()
