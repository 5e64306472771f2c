"""The ticker: ticks by the wall clock and by command."""

import asyncio
from uuid import UUID

import pytest

from generated.q_sim_api_pb2 import StreamRadarFramesResponse
from q_sim_service.runs import run_ids
from q_sim_service.ticker import Ticker
from qiki.botspec.planes import BotParameters, PowerParameters
from qiki.world.errors import NoFrameError, OrderError
from qiki.world.scenario import Scenario
from qiki.world.simulator import Setup, Simulator
from qiki.world.vehicle.orders import Order
from qiki.world.vehicle_events import VehicleEvent, VehicleEventKind
from qiki.world.world import GivenOrder, MeasuredFrame, SimWorld

RUN = UUID("11111111-2222-4333-8444-555555555555")
EMPTY = Scenario(name="empty", description="nothing there")


class Bench:
    """A ticker, its clock, and the results that it published."""

    def __init__(self, parameters: BotParameters | None = None) -> None:
        setup = Setup(parameters or BotParameters(), 5000.0, None, lambda _: EMPTY)
        self.now_s = 0.0
        self.frames: list[tuple[str, int]] = []
        self.events: list[VehicleEventKind] = []
        self.runs: list[UUID] = []
        self.orders: list[tuple[int, Order]] = []
        self.flushes = 0
        self.enough = 20
        self.reached = asyncio.Event()
        simulator = Simulator(setup, EMPTY, run_ids(RUN))
        self.ticker = Ticker(simulator, lambda: self.now_s, self)

    def take_frame(self, world: SimWorld, frame: MeasuredFrame) -> None:
        assert frame.t_s == world.t_s
        self.frames.append((str(world.run_id), frame.number))
        if len(self.frames) == self.enough:
            self.reached.set()

    def take_run(self, world: SimWorld, speed: float) -> None:  # noqa: ARG002
        self.runs.append(world.run_id)

    def take_order(self, world: SimWorld, given: GivenOrder) -> None:
        assert world is self.ticker.world
        self.orders.append((given.tick, given.order))

    def take_event(self, world: SimWorld, event: VehicleEvent) -> None:
        assert world is self.ticker.world
        self.events.append(event.kind)

    async def flush(self) -> None:
        self.flushes += 1

    def start(self, speed: float | None) -> None:
        self.ticker.simulator.start(speed)
        self.ticker.follow()

    def pause(self) -> None:
        self.ticker.simulator.pause()
        self.ticker.follow()

    def reset(self) -> None:
        self.ticker.simulator.reset(None, None, None)
        self.ticker.follow()

    async def turns(self) -> None:
        """Let whatever can go on go on."""
        for _ in range(20):
            await asyncio.sleep(0)


def test_it_ticks_as_the_clock_says():
    async def test() -> None:
        bench = Bench()
        running = asyncio.create_task(bench.ticker.run())
        bench.start(2.0)
        bench.now_s = 1.0001
        await asyncio.wait_for(bench.reached.wait(), 10)
        await bench.turns()
        assert bench.ticker.world.tick_count == 40
        bench.pause()
        bench.now_s = 100.0
        await bench.turns()
        assert bench.ticker.world.tick_count == 40
        assert bench.ticker.behind_s == 0.0
        running.cancel()

    asyncio.run(test())


def test_it_says_how_far_it_is_behind():
    bench = Bench()
    bench.start(1.0)
    bench.now_s = 3.01
    assert bench.ticker.behind_s == pytest.approx(2.95)


def test_a_step_does_its_ticks_and_no_more():
    bench = Bench()
    asyncio.run(bench.ticker.step(700))
    assert bench.ticker.world.tick_count == 700
    assert bench.frames == [(str(RUN), number) for number in range(350)]
    assert bench.flushes == 2


def test_a_step_is_refused_while_time_passes():
    bench = Bench()
    bench.start(None)
    with pytest.raises(OrderError, match="pause or stop it first"):
        asyncio.run(bench.ticker.step(1))
    bench.pause()
    asyncio.run(bench.ticker.step(1))
    assert bench.ticker.world.tick_count == 1


def test_pacing_does_not_change_what_comes_out():
    async def paced(bench: Bench) -> None:
        running = asyncio.create_task(bench.ticker.run())
        bench.start(7.3)
        while len(bench.frames) < 50:
            bench.now_s += 0.0371
            await asyncio.sleep(0)
        running.cancel()

    one, other = Bench(), Bench()
    asyncio.run(paced(one))
    asyncio.run(other.ticker.step(100))
    assert one.frames[:50] == other.frames[:50]


def test_a_step_hands_its_frames_to_the_readers_before_it_ends():
    async def test() -> None:
        bench = Bench()
        taken: list[int] = []

        async def read() -> None:
            async for body in bench.ticker.log.read("", None):
                await asyncio.sleep(0)
                taken.append(StreamRadarFramesResponse.FromString(body).number)

        reading = asyncio.create_task(read())
        await asyncio.sleep(0)
        await bench.ticker.step(1200)
        assert taken == list(range(600))
        reading.cancel()

    asyncio.run(test())


def test_readers_have_a_frame_while_the_sink_still_waits_for_it_and_the_next_ticks():
    class Sink(Bench):
        def take_frame(self, world: SimWorld, frame: MeasuredFrame) -> None:
            super().take_frame(world, frame)
            assert taken[-1] == frame.number

    async def test() -> None:
        bench = Sink()

        async def read() -> None:
            async for body in bench.ticker.log.read("", None):
                taken.append(StreamRadarFramesResponse.FromString(body).number)
                assert bench.ticker.world.tick_count // 2 == len(taken)

        reading = asyncio.create_task(read())
        await asyncio.sleep(0)
        await bench.ticker.step(10)
        assert not reading.done()
        reading.cancel()

    taken: list[int] = []
    asyncio.run(test())
    assert taken == list(range(5))


def test_a_reset_begins_a_new_run_in_the_log_too():
    bench = Bench()
    asyncio.run(bench.ticker.step(4))
    assert bench.ticker.newest_frame().number == 1
    bench.reset()
    with pytest.raises(NoFrameError, match="no frame yet"):
        bench.ticker.newest_frame()
    asyncio.run(bench.ticker.step(2))
    newest = bench.ticker.newest_frame()
    assert (newest.run_id, newest.number) == (bench.ticker.world.run_id, 0)
    assert newest.run_id != RUN


def test_without_power_there_is_no_newest_frame_and_a_reason():
    power = PowerParameters(base_source_w=75.0, soc_shed_low_pct=85.0, soc_shed_high_pct=90.0)
    bench = Bench(BotParameters(power=power))
    asyncio.run(bench.ticker.step(4))
    assert bench.frames == []
    assert VehicleEventKind.RADAR_LOST in bench.events
    with pytest.raises(NoFrameError, match="the radar is shed: BATTERY_LOW"):
        bench.ticker.newest_frame()
