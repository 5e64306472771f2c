"""The service: joins inputs, agent, engines and vehicle."""

import asyncio
import warnings
from contextlib import AbstractContextManager, suppress
from uuid import uuid4

from q_core_agent.engine_pool import ThreadedEngines
from q_core_agent.event_log import LoggingEmitter
from q_core_agent.grpc_vehicle import LIVE, LOCKSTEP, GrpcVehicle
from q_core_agent.inputs import Inputs
from q_core_agent.lockstep import Conductor
from q_core_agent.metrics import PHASE_TIMERS, TICKS
from q_core_agent.settings import AgentSettings
from q_core_agent.states import States
from q_core_agent.tick_drivers import by_the_clock, to_its_end
from qiki.agent.agent import Agent, AgentParameters
from qiki.agent.engine import Engine
from qiki.agent.engines.discovery import load_engines
from qiki.agent.perception.observer import Observer
from qiki.botspec import BotConfig, generate, load_spec, profile_hash
from qiki.runtime.nats import Link, connect
from qiki.runtime.service import Service
from qiki.runtime.window import PublishWindow

FINISH_S = 1.5
"""How long a tick in progress may take when the agent is stopped."""
DRAIN_S = 2.0
AgentService = Service[AgentSettings]


async def main(service: AgentService) -> None:
    """Run the agent until the service is stopped.

    Raises:
        UserError: the bot's specification is invalid, or an engine cannot be loaded.
    """
    settings = service.settings
    bot = generate(load_spec(settings.qiki_bot_spec))
    with warnings.catch_warnings():
        warnings.simplefilter("default", DeprecationWarning)  # the author of an engine sees which import has moved
        engines = load_engines(settings.agent_engines, bot)
    service.log.info("agent", bot_id=bot.bot_id, hardware_profile=profile_hash(bot), engines=list(engines))
    async with connect(service) as link:
        if service.stopping.is_set():
            return
        async with PublishWindow(link) as window:
            async with service.events.sent_by(window):
                await run(service, link, bot, engines)
            with suppress(TimeoutError):
                await asyncio.wait_for(window.drained(), DRAIN_S)


async def run(service: AgentService, link: Link, bot: BotConfig, engines: dict[str, Engine]) -> None:
    """Connect the agent, and let it tick until the service is stopped."""
    settings, lockstep = service.settings, service.settings.agent_lockstep_ticks > 0
    observer = Observer(settings.agent_stale_min_sec, lockstep)
    inputs = Inputs(observer, service.health, lockstep=lockstep)
    pool = ThreadedEngines(engines, settings.agent_engine_budget_sec, patient=lockstep)
    sensors = [sensor.type for sensor in bot.hardware_profile.sensors]
    patience = LOCKSTEP if lockstep else LIVE
    async with GrpcVehicle(settings.qsim_grpc, sensors, service.health, patience) as vehicle:
        agent = Agent(bot, _parameters(settings), vehicle, pool, LoggingEmitter(service.events).emit, observer, _timing)
        states = States(agent, inputs, link.client)

        async def tick() -> None:
            await to_its_end(agent.tick(inputs.now_s), FINISH_S)
            TICKS.inc()
            await states.changed()

        async def conduct() -> None:
            await inputs.until(lambda: inputs.caught_up)
            if lockstep:
                ticks = settings.agent_lockstep_ticks
                await Conductor(link.client, ticks, inputs, observer, service.health).run(tick)
            else:
                await by_the_clock(tick, settings.agent_tick_sec)

        await service.until_stopped(inputs.run(link), states.run(), conduct())
        await agent.shutdown(inputs.now_s)
        await states.publish()


def _parameters(settings: AgentSettings) -> AgentParameters:
    lockstep = settings.agent_lockstep_ticks > 0
    return AgentParameters(
        bios_interval_s=settings.agent_bios_interval_sec,
        confidence_threshold=settings.agent_confidence_threshold,
        conduct="lockstep" if lockstep else "live",
        instance="" if lockstep else str(uuid4()),
    )


def _timing(phase: str) -> AbstractContextManager[object]:
    return PHASE_TIMERS[phase].time()
