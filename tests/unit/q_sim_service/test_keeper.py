"""The run on disk: what goes on, what is refused with its reason, and a disk that refuses."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from q_sim_service.keeper import Keeper, Resumed
from q_sim_service.kept_run import MOST_TRIES, KeptAnswer
from q_sim_service.runs import run_ids
from q_sim_service.ticker import Ticker
from qiki.botspec.planes import BotParameters
from qiki.contracts.sim import Origin
from qiki.world.scenario import load_scenario
from qiki.world.simulator import RunState, Setup, Simulator
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import FireThruster
from qiki.world.world import GivenOrder, Giver, MeasuredFrame, SimWorld

ID = UUID("6f1c3d1e-0000-4000-8000-000000000001")
RUN = UUID("11111111-2222-4333-8444-555555555555")
SETTINGS: dict[str, Any] = {"QIKI_SCENARIO": "mixed-traffic", "QIKI_SEED": None}
FIRE = FireThruster(Axis.UP, 0.5, 2.0)
GIVER = Giver(Origin.CONTROL, "test", "m-1")


RUNNING: list["Process"] = []


@pytest.fixture(autouse=True)
def _files_closed() -> Iterator[None]:
    yield
    while RUNNING:
        RUNNING.pop().keeper.close()


class Nowhere:
    """A sink that keeps the orders which took effect."""

    def __init__(self) -> None:
        self.orders: list[tuple[int, int, Giver]] = []

    def take_frame(self, world: SimWorld, frame: MeasuredFrame) -> None: ...

    def take_run(self, world: SimWorld, speed: float) -> None: ...

    def take_order(self, _: SimWorld, given: GivenOrder) -> None:
        self.orders.append((given.tick, given.number, given.giver))

    def take_event(self, *_: object) -> None: ...

    async def flush(self) -> None: ...


class Process:
    """A simulator that keeps its run in a folder, until it is dropped without a word."""

    def __init__(self, folder: Path, settings: dict[str, Any] | None = None) -> None:
        self.now_s = 0.0
        self.sink = Nowhere()
        self.keeper = Keeper(folder, settings or SETTINGS, lambda: self.now_s)
        self.resumed: Resumed | None = self.keeper.resume()
        world = self.resumed.world if self.resumed else None
        setup = Setup(BotParameters(), 5000.0, None, load_scenario)
        simulator = Simulator(setup, load_scenario("mixed-traffic"), run_ids(RUN), world=world)
        self.ticker = Ticker(simulator, lambda: self.now_s, self.sink, self.keeper)
        if self.resumed:
            asyncio.run(self.ticker.catch_up(self.resumed.reached, self.resumed.orders))
            simulator.state = self.resumed.state
        self.ticker.follow()
        RUNNING.append(self)

    def step(self, ticks: int) -> None:
        asyncio.run(self.ticker.step(ticks))

    @property
    def state(self) -> dict[str, Any]:
        return self.ticker.world.save_state()


def test_the_next_process_goes_on_at_the_tick_that_was_reached(tmp_path: Path):
    whole, first = Process(tmp_path / "whole"), Process(tmp_path / "run")
    for process in (whole, first):
        process.step(30)
        process.now_s = 2.0
        process.step(10)
        process.ticker.submit(FIRE, GIVER)
        process.step(7)
        process.ticker.submit(FIRE, GIVER)  # it waits for its tick
    second = Process(tmp_path / "run")
    assert second.resumed is not None
    assert (second.ticker.world.tick_count, second.ticker.world.run_id) == (47, RUN)
    assert second.sink.orders == [(40, 0, GIVER)]
    second.step(20)
    whole.step(20)
    assert second.sink.orders == [(40, 0, GIVER), (47, 1, GIVER)]
    assert second.state == whole.state


def test_each_process_goes_on_where_the_last_one_was(tmp_path: Path):
    whole = Process(tmp_path / "whole")
    for number in range(1, 12):
        process = Process(tmp_path / "run")
        process.ticker.submit(FIRE, GIVER)
        process.step(5)
        process.keeper.save(process.ticker.simulator)
        whole.ticker.submit(FIRE, GIVER)
        whole.step(5)
        assert process.ticker.world.tick_count == 5 * number
        assert process.state == whole.state


def test_state_speed_and_answers_are_kept(tmp_path: Path):
    first = Process(tmp_path)
    first.ticker.simulator.start(7.5)
    first.ticker.simulator.pause()
    first.ticker.follow()
    first.ticker.keep(KeptAnswer(message_id=ID, goal=12))
    first.ticker.keep(KeptAnswer(message_id=ID, digest=b"\xff\x00", body=b"{}", headers={"x-qiki-tick": "9"}))
    resumed = Process(tmp_path).resumed
    assert resumed is not None
    assert (resumed.state, resumed.speed, resumed.default_speed) == (RunState.PAUSED, 7.5, 1.0)
    assert [(one.digest, one.headers, one.goal) for one in resumed.answers] == [
        (b"\xff\x00", {"x-qiki-tick": "9"}, None)
    ]


def test_a_process_that_was_asked_to_stop_leaves_no_run(tmp_path: Path):
    first = Process(tmp_path)
    first.step(5)
    first.keeper.forget()
    assert Process(tmp_path).resumed is None


def states(folder: Path) -> list[Path]:
    """The files of the states, the oldest first."""
    return sorted(folder.glob("run-*.json"), key=lambda path: int(path.stem.partition("-")[2]))


def edit(folder: Path, **fields: Any) -> None:
    for file in states(folder):
        file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def damage(folder: Path) -> None:
    for file in states(folder):
        file.write_bytes(file.read_bytes()[:-100])


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (damage, ".json: "),
    "another version": (lambda folder: edit(folder, product="0.0.1"), "of qiki-dtmp 0.0.1"),
    "another format": (lambda folder: edit(folder, format=7), ".json: format"),
    "another boot": (lambda folder: edit(folder, boot="x"), "the machine was started since"),
    "another world": (lambda folder: edit(folder, world={"tick_count": 3}), "_traffic"),
    "a world beyond numbers": (lambda folder: edit(folder, world={"tick_count": "x"}), "_traffic"),
    "other settings": (lambda folder: edit(folder, settings={**SETTINGS, "QIKI_SEED": 4}), "QIKI_SEED"),
    "rubbish": (lambda folder: states(folder)[-1].write_bytes(b"\xff\xfe"), ".json: "),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_fit_is_told_and_a_new_run_begins(fault: str, tmp_path: Path):
    first = Process(tmp_path)
    first.step(5)
    break_it, reason = FAULTS[fault]
    break_it(tmp_path)
    with capture_logs() as logs:
        second = Process(tmp_path)
    assert second.resumed is None
    assert reason in next(one["reason"] for one in logs if "reason" in one)
    assert Process(tmp_path).resumed is not None


class BugError(Exception):
    """In a tick of the world."""


def fail_at(process: Process, tick: int) -> None:
    """Let the world of a process fail when it comes to a tick."""
    right = process.ticker.world.tick

    def wrong() -> Any:
        if process.ticker.world.tick_count >= tick:
            raise BugError
        return right()

    process.ticker.world.tick = wrong  # type: ignore[method-assign]


def test_a_run_that_ends_its_processes_is_given_up(tmp_path: Path):
    resumed = 0
    for number in range(MOST_TRIES + 3):
        process = Process(tmp_path)
        if number and process.resumed is None:
            break
        resumed += process.resumed is not None
        fail_at(process, 7)
        with pytest.raises(BugError):
            process.step(10)
    assert resumed == MOST_TRIES
    assert process.ticker.world.tick_count == 0


def test_what_fails_before_it_computes_counts_for_nothing(tmp_path: Path):
    first = Process(tmp_path)
    first.step(5)
    for _ in range(MOST_TRIES + 3):
        process = Process(tmp_path)  # its port is taken, say
        assert process.resumed is not None
        assert process.ticker.world.tick_count == 5


def test_what_was_published_just_before_is_published_again(tmp_path: Path):
    first = Process(tmp_path)
    for _ in range(4):
        first.step(10)
        first.now_s += 1.5
    second = Process(tmp_path)
    assert second.resumed is not None
    assert second.ticker.world.tick_count == 40
    logged = [entry.number for entry in second.ticker.log._entries]
    assert logged[-1] == 19
    assert len(logged) >= 5  # of at least half a second
    assert len(states(tmp_path)) == 2


def test_two_saves_at_once_leave_the_one_of_a_second_ago(tmp_path: Path):
    first = Process(tmp_path)
    first.step(10)
    first.now_s = 5.0
    first.step(10)
    for _ in range(5):
        first.ticker.follow()
    second = Process(tmp_path)
    assert second.resumed is not None
    assert second.ticker.log._entries, "what the last ticks brought is there again"
    assert second.state == first.state
    assert len(list(tmp_path.glob("run-*.json"))) == 2


def test_a_reset_is_not_taken_back(tmp_path: Path):
    first = Process(tmp_path)
    first.step(10)
    first.now_s = 5.0
    first.step(1)
    first.ticker.simulator.reset(None, 9, None)
    first.ticker.follow()
    second = Process(tmp_path)
    assert second.resumed is not None
    assert (second.ticker.world.seed, second.ticker.world.tick_count) == (9, 0)


def test_the_journal_is_bounded_while_time_is_held(tmp_path: Path):
    process = Process(tmp_path)
    for number in range(400):
        process.now_s = number / 2
        process.ticker.keep(KeptAnswer(message_id=UUID(int=number), body=bytes(3000)))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1e6


def test_a_half_written_line_counts_as_none(tmp_path: Path):
    first = Process(tmp_path)
    first.ticker.submit(FIRE, GIVER)
    (journal,) = tmp_path.glob("run-*.jsonl")
    whole = journal.read_bytes()
    for size, orders in ((len(whole), 1), (len(whole) - 1, 0), (len(whole) // 2, 0)):
        journal.write_bytes(whole[:size])
        resumed = Keeper(tmp_path, SETTINGS, lambda: 0.0).resume()
        assert resumed is not None
        assert len(resumed.orders) == orders


def test_a_disk_that_refuses_harms_nobody(tmp_path: Path):
    process = Process(tmp_path)
    for number in range(2, 99):
        (tmp_path / f"run-{number}.part").mkdir()  # no state can be written in its place
    with capture_logs() as logs:
        for process.now_s in (5.0, 10.0):
            process.step(20)
            process.ticker.submit(FIRE, GIVER)
        process.step(1)
    assert [one["event"] for one in logs] == ["the run is not kept: if this process is killed, another one begins"]
    assert Keeper(tmp_path, SETTINGS, lambda: 0.0).resume() is None
    for number in range(2, 99):
        (tmp_path / f"run-{number}.part").rmdir()
    process.now_s = 15.0
    process.step(3)
    assert Process(tmp_path).state == process.state
