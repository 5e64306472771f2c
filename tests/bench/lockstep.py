"""How fast the agent conducts the simulator, beside the stack's own free run of the same world."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from clients import connect
from nats.aio.client import Client
from nats.aio.msg import Msg
from start import options

from qiki.contracts import headers, topics
from qiki.contracts.control import CommandMessage, CommandMetadata
from qiki_harness.stack import Stack

FRAMES_PER_S, TICKS_PER_S = 10, 20
DEADLINE_S = 300.0
SCENARIO = """name: swarm-20
description: Twenty drones with transponders circle within 5 km
seed: 20
swarms:
  - id: bee
    count: 20
    object_type: DRONE
    rcs_m2: 2
    transponder_mode: ON
    radius_m: [1600, 3400]
    speed_mps: [10, 40]
    turn_rate_dps: [3, 8]
"""


def conducted(folder: Path, ticks: int, simulated_s: int) -> float:
    """Times real time, with an agent that conducts in steps of so many ticks."""
    with Stack.start(options(folder, **_world(folder), AGENT_LOCKSTEP_TICKS=str(ticks))) as stack:
        return asyncio.run(_pace(stack.wait_healthy().addresses, simulated_s, step=False))


def free(folder: Path, simulated_s: int) -> float:
    """Times real time, when all ticks are asked for at once and nobody decides anything."""
    with Stack.start(options(folder, without=("qiki-dev",), **_world(folder))) as stack:
        return asyncio.run(_pace(stack.wait_healthy().addresses, simulated_s, step=True))


def _world(folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True)
    scenario = folder / "swarm-20.yaml"
    scenario.write_text(SCENARIO)
    return {"QIKI_SCENARIO": str(scenario), "QIKI_AUTOSTART": "false"}


async def _pace(addresses: Mapping[str, str], simulated_s: int, *, step: bool) -> float:
    """Simulated seconds in a second, from one tracked frame to the one so many simulated seconds later."""
    client = await connect(addresses)
    seen: dict[int, float] = {}
    came = asyncio.Event()

    async def tracked(message: Msg) -> None:
        seen[int(message.headers[headers.FRAME])] = time.perf_counter()
        came.set()

    await client.subscribe(topics.TRACKED.subject, cb=tracked)
    await client.flush()
    if step:
        await _step(client, (simulated_s + 1) * TICKS_PER_S)
    async with asyncio.timeout(DEADLINE_S):
        while not seen or max(seen) < min(seen) + simulated_s * FRAMES_PER_S:
            came.clear()
            await came.wait()
    await client.close()
    first = min(seen)
    return simulated_s / (seen[first + simulated_s * FRAMES_PER_S] - seen[first])


async def _step(client: Client, ticks: int) -> None:
    metadata = CommandMetadata(message_id=uuid4(), message_type="command", source="bench")
    command = CommandMessage(command_name="sim.step", parameters={"ticks": ticks}, metadata=metadata)
    await client.publish(topics.COMMANDS.subject, command.to_json())
