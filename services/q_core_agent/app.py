"""The service: joins inputs, agent, engines and vehicle, and drives the ticks of a live agent."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

from q_core_agent.engine_pool import ThreadedEngines
from q_core_agent.grpc_vehicle import LIVE, LOCKSTEP, GrpcVehicle
from q_core_agent.inputs import Inputs
from q_core_agent.lockstep import Conductor
from q_core_agent.metrics import LATE, PHASE_TIMERS, TICKS
from q_core_agent.outputs import States, emit_and_log
from q_core_agent.settings import AgentSettings
from qiki.agent.agent import Agent, AgentParameters
from qiki.agent.discovery import load_engines, switched_off
from qiki.agent.engine import Engine
from qiki.agent.perception.observer import Observer
from qiki.botspec import BotConfig, generate, load_spec, profile_hash
from qiki.runtime.identities.credentials import credentials
from qiki.runtime.nats import Link, connect
from qiki.runtime.publisher import Publisher
from qiki.runtime.service import Service

FINISH_S = 1.5
"""Time that a tick in progress may still take when the agent is stopped."""
DRAIN_S = 2.0


async def main(service: Service[AgentSettings]) -> None:
    """Run the agent until the service is stopped.

    Raises:
        UserError: the bot's specification is invalid, or an engine cannot be loaded.
    """
    settings = service.settings
    bot = generate(load_spec(settings.qiki_bot_spec))
    with warnings.catch_warnings():
        warnings.simplefilter("default", DeprecationWarning)  # the author of an engine sees which import has moved
        engines = load_engines(settings.agent_engines, bot)
    if off := switched_off(settings.agent_engines):
        choice = ",".join(sorted({*engines, *off}))
        service.log.warning("installed engines are off", engines=off, hint=f"AGENT_ENGINES={choice} switches them on")
    service.log.info("agent", bot_id=bot.bot_id, hardware_profile=profile_hash(bot), engines=list(engines))
    async with connect(service) as link:
        if service.stopping.is_set():
            return
        async with Publisher(link) as publisher:
            async with service.events.sent_by(publisher):
                await run(service, link, bot, engines)
            with suppress(TimeoutError):
                await asyncio.wait_for(publisher.drained(), DRAIN_S)


async def run(service: Service[AgentSettings], link: Link, bot: BotConfig, engines: dict[str, Engine]) -> None:
    """Connect the agent, and let it tick until the service is stopped."""
    settings, lockstep = service.settings, service.settings.agent_lockstep_ticks > 0
    observer = Observer(settings.agent_stale_min_sec, lockstep)
    inputs = Inputs(observer, service.health, lockstep=lockstep)
    pool = ThreadedEngines(engines, settings.agent_engine_budget_sec, patient=lockstep)
    sensors = [sensor.type for sensor in bot.hardware_profile.sensors]
    conduct_name, instance, patience = ("lockstep", "", LOCKSTEP) if lockstep else ("live", str(uuid4()), LIVE)
    bios_interval_s, confidence = settings.agent_bios_interval_sec, settings.agent_confidence_threshold
    ticks = settings.agent_lockstep_ticks
    parameters = AgentParameters(bios_interval_s, confidence, conduct_name, ticks, instance)
    own = credentials(settings.qiki_keys_dir)
    async with GrpcVehicle(settings.qsim_grpc, sensors, service.health, patience, own) as vehicle:
        emit = partial(emit_and_log, service.events)
        agent = Agent(bot, parameters, vehicle, pool, emit, observer, lambda phase: PHASE_TIMERS[phase].time())
        states = States(agent, inputs, link.client)

        async def tick() -> None:
            await to_its_end(agent.tick(inputs.now_s), FINISH_S)
            TICKS.inc()
            await states.changed()

        async def conduct() -> None:
            await inputs.until(lambda: inputs.caught_up)
            if lockstep:
                await Conductor(link.client, ticks, inputs, observer, service.health).run(tick)
            else:
                await by_the_clock(tick, settings.agent_tick_sec)

        await service.until_stopped(inputs.run(link), states.run(), conduct())
        await agent.shutdown(inputs.now_s)
        await states.publish()


async def to_its_end(work: Coroutine[Any, Any, None], finish_s: float) -> None:
    """Await work; when cancelled in the middle, let it finish within `finish_s` first."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=finish_s)
        if task.done() and not task.cancelled():
            task.result()
        raise
    finally:
        task.cancel()


async def by_the_clock(tick: Callable[[], Awaitable[None]], period_s: float) -> None:
    """Tick every `period_s`, for ever; a late tick delays those after it."""
    clock = asyncio.get_running_loop().time
    due_s = clock()
    while True:
        await tick()
        due_s += period_s
        if (late_s := clock() - due_s) > 0:
            LATE.inc()
            due_s += late_s
        await asyncio.sleep(due_s - clock())
