"""The simulator gets the recorded commands at their ticks, and publishes what is recorded.

These are frames, truth, telemetry, events and orders. The radar is there too: it alone publishes the frames.
"""

from collections.abc import Iterator

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from qiki.contracts import topics
from qiki.contracts.control import CommandMessage, CommandMetadata, ControlAck
from qiki.contracts.headers import Message
from qiki.flight.digest import run_of
from qiki.world.commands import STEP
from qiki_harness.golden.reference import Reference
from qiki_harness.golden.run import STEP_TICKS
from qiki_harness.testing import ServiceProcess, until

FRAMES = tuple(topics.FRAMES_BY_BAND.values())
KEPT = (*FRAMES, topics.RUNS, topics.ORDERS, topics.TELEMETRY)
RAISED = "urn:qiki:q-sim-service:"
SELDOM_S = 3600
ANSWER_S = 20


@pytest.mark.parametrize("reference", ["mixed-traffic"], indirect=True)
def test_the_simulator_moves_and_measures_as_it_did(reference, bus, ended, assert_same, tmp_path):
    scenario, run_id = reference.world.scenario.name, str(reference.world.run_id)
    settings = {"QIKI_SCENARIO": scenario, "QIKI_RUN_ID": run_id, "QIKI_SEED": reference.world.seed}
    settings |= {"QIKI_AUTOSTART": "false", "TELEMETRY_INTERVAL_SEC": SELDOM_S, "NATS_URL": bus.url}
    simulator = ServiceProcess("q_sim_service", tmp_path / "simulator.log", QSIM_LISTEN="127.0.0.1:0", **settings)
    with simulator:
        port = until("the simulator to serve", lambda: simulator.said("serving"))["grpc_port"]
        where = {"NATS_URL": bus.url, "QSIM_GRPC": f"127.0.0.1:{port}"}
        with ServiceProcess("q_sim_radar", tmp_path / "radar.log", **where) as radar:
            simulator.ready()
            radar.ready()
            truth = bus.run(lambda client: conduct(client, reference))
            for topic in FRAMES:
                bus.await_stored(topic, len(reference.of({topic.subject})))
            ended(radar)
        ended(simulator)

    kept = [message for topic in KEPT for message in bus.stored(topic)]
    events = [message for message in bus.stored(topics.EVENTS) if run_of(message) == run_id]
    assert_same("the simulator", reference, published(reference), [*kept, *truth, *events])


def published(reference: Reference) -> Iterator[Message]:
    """Yield the messages that the simulator, and the radar for it, published in the recorded run."""
    subjects = {topic.subject for topic in (*KEPT, topics.TRUTH)}
    for message in reference.messages:
        raised = message.headers.get("ce-source", "").startswith(RAISED)
        if message.subject in subjects or (raised and topics.EVENTS.covers(message.subject)):
            yield message


async def conduct(client: Client, reference: Reference) -> list[Message]:
    """Step through the run, with the recorded commands at their ticks; return the truth that passed meanwhile."""
    truth: list[Message] = []

    async def passed(message: Msg) -> None:
        truth.append(Message(message.subject, message.data, {}))

    await client.subscribe(topics.TRUTH.subject, cb=passed)
    recorded = reference.of({topics.COMMANDS.subject})
    for tick in range(0, reference.run.ticks, STEP_TICKS):
        for command, message in zip(reference.run.commands, recorded, strict=True):
            if command.tick == tick:
                await ask(client, message.body)
        step = CommandMessage(command_name=STEP, parameters={"ticks": STEP_TICKS}, metadata=CommandMetadata())
        await ask(client, step.to_json())
    await client.flush()
    return truth


async def ask(client: Client, body: bytes) -> None:
    answer = ControlAck.from_json((await client.request(topics.COMMANDS.subject, body, timeout=ANSWER_S)).data)
    assert answer.ok, answer.error_detail
