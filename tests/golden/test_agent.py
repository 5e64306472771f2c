"""The agent gets recorded tracks, telemetry and answers: what it decides, and what it orders, is what is recorded.

In lockstep it steps the simulation itself, and asks it by gRPC. Here all of that is answered out of the reference.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from nats.aio.client import Client

from qiki.clock import rfc3339
from qiki.contracts import topics
from qiki.contracts.events import AGENT_HALTED, CODE
from qiki.contracts.headers import MESSAGE_ID, Message
from qiki.contracts.sim import SimOrder
from qiki.contracts.ticks import TICK_MS
from qiki.flight.digest import DECISIONS, GROUP_OF
from qiki.world.inputs import order_body
from qiki_harness.golden.reference import Reference
from qiki_harness.golden.run import STEP_TICKS
from qiki_harness.golden.simulator import RecordedSimulator
from qiki_harness.testing import ServiceProcess

AVOIDANCE = Path(__file__).parents[2] / "docs/examples/avoidance/avoidance.py"
DECIDED = frozenset(subject for subject, group in GROUP_OF.items() if group == DECISIONS)
DEADLINE_S = 30


@pytest.mark.parametrize("reference", ["collision"], indirect=True)
def test_the_agent_decides_and_commands_as_it_did(reference, bus, installed, ended, assert_same, tmp_path):
    engines = {"PYTHONPATH": installed(AVOIDANCE, avoidance="avoidance:Avoidance"), "AGENT_ENGINES": "avoidance"}

    def start(address: str) -> ServiceProcess:
        settings = {"NATS_URL": bus.url, "QSIM_GRPC": address, "AGENT_LOCKSTEP_TICKS": STEP_TICKS, **engines}
        agent = ServiceProcess("q_core_agent", tmp_path / "log", **settings)
        agent.start()
        return agent

    simulator = bus.run(lambda client: conducted(client, reference, start, ended))

    decided = [message for message in bus.stored(topics.EVENTS) if message.subject in DECIDED]
    alive = [message for message in decided if message.headers[CODE] != str(AGENT_HALTED.code)]
    bodies = [order_body(reference.world, given) for given in simulator.given]
    given = [*alive, *orders(reference, bodies)]
    ordered = [SimOrder.from_json(message.body) for message in reference.of({topics.ORDERS.subject})]
    assert_same("the agent", reference, [*reference.of(DECIDED), *orders(reference, ordered)], given)


async def conducted(
    client: Client,
    reference: Reference,
    start: Callable[[str], ServiceProcess],
    end: Callable[[ServiceProcess], None],
) -> RecordedSimulator:
    """Let an agent conduct the recorded simulator until it asks for a step beyond the end."""
    simulator = RecordedSimulator(reference)
    async with simulator.serving(client) as address:
        agent = start(address)
        try:
            with suppress(TimeoutError):  # what is missing then, the comparison finds
                await asyncio.wait_for(simulator.ended.wait(), DEADLINE_S)
            await asyncio.to_thread(end, agent)
        finally:
            agent.kill()
    return simulator


def orders(reference: Reference, bodies: list[SimOrder]) -> Iterator[Message]:
    """Orders of the run, with the times at which they took effect."""
    for body in bodies:
        moment = reference.world.scenario.epoch + timedelta(milliseconds=(body.tick + 1) * TICK_MS)
        headers = {MESSAGE_ID: str(body.number), "ce-time": rfc3339(moment)}
        yield Message(topics.ORDERS.subject, body.to_json(), headers)
