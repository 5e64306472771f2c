"""Lockstep: what ends the waits of the conductor, what it says meanwhile, and what it makes of acknowledgements."""

import asyncio
import contextlib
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from q_core_agent.inputs import Inputs
from q_core_agent.lockstep import (
    CONDITION,
    TICKING,
    Conductor,
    Place,
    RefusedError,
    done,
    message,
    read_place,
    replaced,
)
from qiki.contracts import topics
from qiki.contracts.control import AckPayload, ControlAck, ErrorDetail
from qiki.contracts.events import RADAR_GAP, RadarGap
from qiki.contracts.headers import FRAME, REASON, RUN, TICK
from qiki.contracts.radar import TrackedFrame
from qiki.contracts.telemetry import SimState
from qiki.runtime.health import Health

RUN_ID = "5ca1ab1e-0000-4000-8000-000000000001"
ID = "0d9c9d0e-6f5e-4a3c-9a75-0e7c6f0f7a11"
NOON = "2026-01-01T12:00:00Z"
TICKS = 2
LONG_S = 30.0
DONE = ControlAck(
    kind="sim.step",
    timestamp=NOON,
    success=True,
    ok=True,
    payload=AckPayload(command_name="sim.step", status="applied"),
).to_json()


class Simulation:
    """A simulator behind a connection: each step is one frame, which never comes; a cancellation may be swallowed."""

    is_connected = True

    def __init__(self, inputs, swallows=False):
        self.asked = 0
        self._inputs = inputs
        self._swallows = swallows
        self.waits = asyncio.Event()
        self.show(0)

    def show(self, tick):
        state = SimState(running=False, paused=True, speed=1.0, tick=tick, run_id=RUN_ID, behind_s=0.0)
        self._inputs.telemetry = SimpleNamespace(sim_state=state, timestamp=datetime.fromtimestamp(tick, UTC))

    async def request(self, subject, body, timeout):  # noqa: ARG002
        self.asked += 1
        self.waits.set()
        if self._swallows:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(LONG_S)
        self.show(self.asked * TICKS)
        place = {RUN: RUN_ID, TICK: str(self.asked * TICKS), FRAME: str(self.asked - 1)}
        return SimpleNamespace(data=DONE, headers=place)


class Observer:
    """Takes what comes, and makes nothing of it."""

    def __getattr__(self, name):
        return lambda *_: None


class NothingWhole:
    """An observer to whom no frame has come as a whole."""

    def complete(self, run, frame):  # noqa: ARG002
        return False


def conducted(play, swallows=False):
    """Plays something with a conductor at work, whose ticks are `ticked`, and ends it."""

    async def run():
        health = Health("agent")
        inputs = Inputs(Observer(), health, lockstep=True)
        simulation = Simulation(inputs, swallows)
        conductor = Conductor(simulation, TICKS, inputs, NothingWhole(), health)
        ticked = asyncio.Semaphore(0)

        async def tick():
            ticked.release()

        conducting = asyncio.create_task(conductor.run(tick))
        await simulation.waits.wait()
        async with asyncio.timeout(LONG_S):
            await play(SimpleNamespace(inputs=inputs, ticked=ticked, simulation=simulation, conducting=conducting))
        conducting.cancel()
        await asyncio.wait([conducting], timeout=LONG_S)
        assert conducting.cancelled()

    asyncio.run(run())


def gap(first, last, run=RUN_ID):
    body = RadarGap(run_id=run, first_frame=first, last_frame=last, reason="refused", ts_epoch=0.0)
    return SimpleNamespace(subject=RADAR_GAP.subject, data=body.to_json(), headers={})


def buried(frame):
    body = TrackedFrame(run_id=RUN_ID, frame_id=ID, frame=frame, timestamp=NOON, tracks=0)
    return SimpleNamespace(subject=topics.TRACKED.subject, data=body.to_json(), headers={REASON: "no JSON"})


@pytest.mark.parametrize("loss", [gap(0, 0), gap(0, 3), buried(0)], ids=["its-gap", "a-longer-gap", "dead-letter"])
def test_a_frame_that_is_lost_is_not_waited_for(loss):
    async def play(one):
        one.inputs._stored(gap(1, 9), 1)
        one.inputs._stored(gap(0, 9, ID), 2)
        await asyncio.sleep(0)
        assert one.ticked.locked()
        one.inputs._stored(loss, 3)
        await one.ticked.acquire()

    conducted(play)


def test_a_cancellation_that_a_request_swallows_ends_it():
    async def play(one):
        one.conducting.cancel()
        await asyncio.wait([one.conducting])
        assert one.simulation.asked == 1

    conducted(play, swallows=True)


def test_while_the_agent_ticks_the_readiness_says_so():
    async def run():
        health = Health("agent")
        inputs = Inputs(Observer(), health, lockstep=True)
        inputs._take_lost(RUN_ID, 0, 0)
        hung = asyncio.Event()
        conducting = asyncio.create_task(
            Conductor(Simulation(inputs), TICKS, inputs, NothingWhole(), health).run(hung.wait)
        )
        async with asyncio.timeout(LONG_S):
            while health.problems.get(CONDITION) != TICKING:
                await asyncio.sleep(0.01)
        conducting.cancel()
        await asyncio.wait([conducting])

    asyncio.run(run())


A, B, C = "run-a", "run-b", "run-c"


def state(run, tick):
    return SimState(running=False, paused=True, speed=1.0, tick=tick, run_id=run, behind_s=0.0)


def acknowledgement(headers, error=None):
    body = ControlAck(
        kind="sim.step",
        timestamp="2026-01-01T00:00:00Z",
        success=error is None,
        ok=error is None,
        payload=AckPayload(command_name="sim.step", status="applied"),
        error_detail=error and ErrorDetail(code="rejected", message=error),
    )
    return SimpleNamespace(data=body.to_json(), headers=headers)


def test_an_acknowledgement_has_the_place():
    assert read_place(acknowledgement({RUN: A, TICK: "4", FRAME: "1"})) == Place(A, 4, 1)
    assert read_place(acknowledgement({RUN: A, TICK: "1"})) == Place(A, 1, None)


def test_a_refusal_says_why():
    with pytest.raises(RefusedError, match="the simulation is running"):
        read_place(acknowledgement({RUN: A, TICK: "4"}, "the simulation is running"))


@pytest.mark.parametrize("headers", [None, {RUN: A}], ids=["none", "no-tick"])
def test_an_acknowledgement_without_a_place_is_invalid(headers):
    with pytest.raises(LookupError):
        read_place(acknowledgement(headers))


def test_a_step_is_requested_by_a_command_of_the_agent():
    one, other = message("sim.step", {"ticks": 2}), message("sim.step", {"ticks": 2})
    assert (one.command_name, one.parameters, one.metadata.source) == ("sim.step", {"ticks": 2}, "q-core-agent")
    assert one.metadata.message_id != other.metadata.message_id


@pytest.mark.parametrize(
    ("place", "expected"),
    [(Place(A, 12, 5), True), (Place(A, 10, 4), False), (Place(B, 0, None), True)],
    ids=["done", "lost", "another-run"],
)
def test_whether_a_step_without_an_answer_was_done(place, expected):
    assert done(place, state(A, 10), 2) is expected


@pytest.mark.parametrize(
    ("known", "place", "expected"),
    [
        (state(A, 10), Place(A, 12, 5), False),
        (state(A, 12), Place(A, 12, 5), False),
        (state(B, 0), Place(A, 12, 5), True),
        (state(A, 0), Place(A, 12, 5), True),
        (state(A, 10), Place(B, 2, 0), False),
        (state(B, 0), Place(B, 2, 0), False),
        (state(C, 0), Place(B, 2, 0), True),
    ],
    ids=["old-news", "arrived", "new-run", "begun-again", "reset-not-known-yet", "reset-known", "replaced-after-reset"],
)
def test_when_the_run_of_a_step_is_over(known, place, expected):
    assert replaced(known, place, state(A, 10)) is expected
