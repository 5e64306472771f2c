"""The load: clients that publish events, command the simulator, and read; each operation goes into the history."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import nats.errors
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from pydantic_core import from_json, to_json

from qiki.clock import rfc3339
from qiki.contracts import topics
from qiki.contracts.control import CommandMessage, CommandMetadata
from qiki.contracts.headers import RUN, cloud_event
from qiki.runtime.clock import now
from qiki.runtime.tasks import end_if_cancelled
from qiki_harness.chaos.bus import identity
from qiki_harness.chaos.command_checks import ANSWER_S
from qiki_harness.chaos.event_checks import CLIENT_SOURCE
from qiki_harness.chaos.history import History
from qiki_harness.chaos.plan import WINDOW_S

EVENT_SUBJECT, EVENT_TYPE = "qiki.events.v1.chaos", "qiki.chaos.v1.Published"
PUBLISH_S = 2.0
FAILURES = (nats.errors.Error, TimeoutError, OSError)
READ = (
    (topics.QIKI_EVENTS_V1, topics.EVENTS),
    (topics.QIKI_EVENTS_V1, topics.AUDIT),
    (topics.QIKI_RADAR_V1, topics.FRAMES),
)
_START = "sim.start"
_COMMANDS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("sim.pause", {}),
    ("sim.reset", {}),
    ("sim.xpdr.mode", {"mode": "SILENT"}),
    ("sim.xpdr.mode", {"mode": "ON"}),
    ("sim.rcs.fire", {"axis": "port", "pct": 1, "duration_s": 0.1}),
    ("sim.rcs.stop", {}),
    ("power.nbl.set_max", {"max_power_w": 50}),
    ("chaos.no-such-command", {}),
    ("sim.rcs.fire", {"axis": "sideways", "pct": 1, "duration_s": 0.1}),
)
_WEIGHTS = (3, 1, 6, 6, 4, 4, 4, 2, 2)


async def publish_events(client: Client, history: History, name: str, chance: random.Random) -> None:
    """Publish events with ids of our own, each again until it is acknowledged or the duplicate window is over."""
    number = 0
    while True:
        number += 1
        await _publish(client, history, name, f"{name}-{number}")
        await asyncio.sleep(chance.uniform(0.02, 0.2))


async def _publish(client: Client, history: History, name: str, event: str) -> None:
    headers = cloud_event(event, EVENT_TYPE, CLIENT_SOURCE, rfc3339(now()))
    body = to_json({"client": name, "id": event})
    jetstream = client.jetstream(timeout=PUBLISH_S)
    begin_s = history.now_s
    while history.now_s - begin_s < WINDOW_S - PUBLISH_S:
        end_if_cancelled()
        history.note("event", id=event, client=name, state="sent")
        try:
            answer = await jetstream.publish(EVENT_SUBJECT, body, headers=headers)
        except FAILURES as error:
            history.note("event", id=event, client=name, state="unknown", error=repr(error))
            await asyncio.sleep(0.1)
        else:
            duplicate = bool(answer.duplicate)
            history.note("event", id=event, client=name, state="stored", seq=answer.seq, duplicate=duplicate)
            return


async def send_commands(client: Client, history: History, speed: float, chance: random.Random) -> None:
    """Send commands; what stops the world's time is followed by a start."""
    while True:
        name, parameters = chance.choices(_COMMANDS, _WEIGHTS)[0]
        await command(client, history, name, parameters)
        await asyncio.sleep(chance.uniform(0.1, 0.8))
        if name in {"sim.pause", "sim.reset"} or chance.random() < 0.2:
            started = False
            while not started:
                started = await command(client, history, _START, {"speed": speed})
                await asyncio.sleep(0.1)


async def command(client: Client, history: History, name: str, parameters: Mapping[str, Any]) -> bool:
    """Send a command; return whether it was accepted."""
    end_if_cancelled()
    request = uuid4()
    metadata = CommandMetadata(message_id=request, message_type="command", source="chaos")
    message = CommandMessage(command_name=name, parameters=dict(parameters), metadata=metadata)
    history.note("command", id=str(request), name=name, state="sent")
    try:
        answer = await client.request(topics.COMMANDS.subject, message.to_json(), timeout=ANSWER_S)
    except FAILURES as error:
        history.note("command", id=str(request), name=name, state="unknown", error=repr(error))
        return False
    accepted = bool(from_json(answer.data)["ok"])
    run = (answer.headers or {}).get(RUN)
    history.note("command", id=str(request), name=name, state="answered", ok=accepted, run=run)
    return accepted


async def read_newest(client: Client, history: History, chance: random.Random) -> None:
    """Read the newest message of a subject, now and then."""
    jetstream = client.jetstream(timeout=PUBLISH_S)
    while True:
        end_if_cancelled()
        stream, topic = chance.choice(READ)
        try:
            message = await jetstream.get_last_msg(stream, topic.subject)
        except (*FAILURES, NotFoundError):
            pass
        else:
            place = stream, int(message.seq or 0)
            history.note("read", stream=stream, seq=place[1], id=identity(message.headers, *place))
        await asyncio.sleep(chance.uniform(0.1, 0.5))
