"""The recorded simulator of the agent's golden run: it answers as is recorded, and does a step once."""

import asyncio
from dataclasses import replace

import nats.errors
import pytest
from nats.aio.client import Client
from pydantic_core import from_json, to_json

from q_core_agent.grpc_vehicle import LOCKSTEP, GrpcVehicle
from q_core_agent.lockstep import message, read_place
from qiki.agent.vehicle import Answers
from qiki.botspec.planes import SensorKind
from qiki.contracts import topics
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.enums import CommandType, FSMState
from qiki.runtime.health import Health
from qiki_harness.golden.run import ANSWERS, SELF_TEST
from qiki_harness.golden.simulator import RecordedSimulator

pytestmark = pytest.mark.parametrize("reference", ["collision"], indirect=True)
NOT_FITTED = "NOT_FOUND: no sensor of type 3 is fitted"


def vehicle_at(address: str) -> GrpcVehicle:
    return GrpcVehicle(address, SensorKind, Health("agent"), LOCKSTEP)


def test_a_self_test_has_the_recorded_answers(reference, bus):
    place, recorded = next((at, one) for at, one in enumerate(reference.messages) if one.subject == SELF_TEST)
    content = from_json(recorded.body)
    content["answers"]["readings"][str(int(SensorKind.GPS))] = NOT_FITTED
    reference.messages[place] = replace(recorded, body=to_json(content))

    async def ask(client: Client) -> Answers:
        async with RecordedSimulator(reference).serving(client) as address, vehicle_at(address) as vehicle:
            return await vehicle.self_test()

    answers = bus.run(ask)
    assert answers == ANSWERS.validate_python(content["answers"])
    assert answers.readings[SensorKind.GPS] == NOT_FITTED
    assert answers.safe_mode is False


def test_a_command_that_is_not_recorded_is_not_accepted(reference, bus):
    async def send(client: Client) -> tuple[bool | None, str]:
        simulator = RecordedSimulator(reference)
        async with simulator.serving(client) as address, vehicle_at(address) as vehicle:
            outcome = await vehicle.send(ActuatorCommand("system_controller", CommandType.SET_MODE, FSMState.IDLE))
        assert simulator.given == []
        return outcome.accepted, outcome.message

    accepted, reason = bus.run(send)
    assert accepted is None
    assert "the reference has no such command here" in reason


def test_a_step_that_is_asked_for_again_is_done_once_and_none_goes_beyond_the_end(reference, bus):
    run, last = str(reference.world.run_id), reference.run.ticks

    async def step(client: Client) -> list[tuple[str, int, int | None]]:
        simulator = RecordedSimulator(reference)

        async def ask(command):
            return read_place(await client.request(topics.COMMANDS.subject, command.to_json(), timeout=5))

        async with simulator.serving(client):
            first = message("sim.step", {"ticks": 2})
            places = [await ask(first), await ask(first), await ask(message("sim.step", {"ticks": last - 2}))]
            with pytest.raises(nats.errors.TimeoutError):
                await client.request(topics.COMMANDS.subject, message("sim.step", {"ticks": 2}).to_json(), timeout=0.2)
            await asyncio.wait_for(simulator.ended.wait(), 5)
        return places

    assert bus.run(step) == [(run, 2, 0), (run, 2, 0), (run, last, 119)]
    assert len(bus.stored(topics.TRACKED)) == 120
    assert len(bus.stored(topics.TRACKS)) == len(reference.of({topics.TRACKS.subject}))
