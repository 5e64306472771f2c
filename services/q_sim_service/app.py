"""The simulator service: ticker, gRPC server and NATS."""

import time

from q_sim_service.answers import Answers
from q_sim_service.control import Control
from q_sim_service.gate import Gate
from q_sim_service.keeper import Keeper, Resumed
from q_sim_service.nats_publisher import NatsPublisher, send_telemetry, telemetry_on_request
from q_sim_service.ports import Ports
from q_sim_service.runs import RunCounter, run_ids, warn_if_derived
from q_sim_service.server import Rpc, serving
from q_sim_service.settings import SimulatorSettings
from q_sim_service.ticker import Ticker
from qiki.botspec import BotConfig, generate, load_spec, profile_hash
from qiki.contracts.sim import Origin
from qiki.errors import UserError
from qiki.runtime.identities.credentials import KEYS_DIR, Credentials, credentials
from qiki.runtime.identities.roster import Roster
from qiki.runtime.nats import connect
from qiki.runtime.publisher import Publisher
from qiki.runtime.service import Service
from qiki.runtime.tasks import TaskGroup
from qiki.world.events import run_resumed
from qiki.world.scenario import load_named_scenario, load_scenario
from qiki.world.simulator import Setup, Simulator


async def main(service: Service[SimulatorSettings]) -> None:
    """Run the simulator until it is stopped; UserError if the scenario, the BotSpec or the address cannot be used."""
    settings = service.settings
    service.health.wait_for("world", "not ticking yet")
    service.health.wait_for("commands", "not listening yet")
    publisher = NatsPublisher(service.events)
    bot = generate(load_spec(settings.qiki_bot_spec))
    keeper = _keeper(settings, bot)
    resumed = keeper.resume() if keeper else None
    ticker = Ticker(_simulator(settings, bot, resumed), time.monotonic, publisher, keeper)
    if resumed is not None:
        await _go_on(service, ticker, resumed)
    own = credentials(settings.qiki_keys_dir)
    ports, gate = Ports(settings.qsim_listen, own), _gate(service, own)
    async with serving(Rpc(ticker, service.events), ports, gate) as port:
        service.log.info(
            "serving",
            grpc_port=port,
            scenario=ticker.world.scenario.name,
            run_id=str(ticker.world.run_id),
            bot_id=bot.bot_id,
            hardware_profile=profile_hash(bot),
        )
        if resumed is None:
            warn_if_derived(settings.qiki_run_id, ticker.world.run_id)
        if resumed is None and settings.qiki_autostart:
            ticker.simulator.start(None)
        ticker.follow()
        service.health.met("world")
        await service.until_stopped(ticker.run(), _talk(service, ticker, publisher, resumed))
        if keeper is not None:
            keeper.forget()


def _gate(service: Service[SimulatorSettings], own: Credentials | None) -> Gate | None:
    """Return the check of callers; None for a simulator without keys."""
    if own is None:
        service.log.warning("no keys: all who reach the simulator may command it", variable=KEYS_DIR)
        return None
    return Gate(Roster(own.folder), service.events)


def _keeper(settings: SimulatorSettings, bot: BotConfig) -> Keeper | None:
    """Return the keeper of the run; None without a folder for it."""
    if settings.qiki_state_dir is None:
        return None
    begun_with = {
        "QIKI_SCENARIO": load_scenario(settings.qiki_scenario).model_dump(mode="json"),
        "QIKI_SEED": settings.qiki_seed,
        "QIKI_RUN_ID": settings.qiki_run_id and str(settings.qiki_run_id),
        "QIKI_SPEED": settings.qiki_speed,
        "QIKI_BOT_SPEC": profile_hash(bot),
        "RADAR_SR_THRESHOLD_M": settings.radar_sr_threshold_m,
    }
    try:
        return Keeper(settings.qiki_state_dir, begun_with, time.monotonic)
    except OSError as error:
        raise UserError(f"QIKI_STATE_DIR: cannot write into {settings.qiki_state_dir}: {error.strerror}") from None


async def _go_on(service: Service[SimulatorSettings], ticker: Ticker, resumed: Resumed) -> None:
    """Bring the run of a killed process to where it was."""
    begin, world = ticker.world.tick_count, ticker.world
    await ticker.catch_up(resumed.reached, resumed.orders)
    ticker.simulator.state = resumed.state
    service.log.warning("goes on with the run", run_id=str(world.run_id), tick=world.tick_count, state_tick=begin)
    if not resumed.planted:
        service.events.emit(*run_resumed(world))


def _simulator(settings: SimulatorSettings, bot: BotConfig, resumed: Resumed | None) -> Simulator:
    parameters = bot.hardware_profile.parameters
    setup = Setup(parameters, settings.radar_sr_threshold_m, settings.qiki_seed, load_named_scenario)
    ids = run_ids(settings.qiki_run_id, RunCounter(settings.qiki_state_dir))
    if resumed is None:
        return Simulator(setup, load_scenario(settings.qiki_scenario), ids, settings.qiki_speed)
    simulator = Simulator(setup, resumed.world.scenario, ids, resumed.speed, resumed.world)
    simulator.default_speed = resumed.default_speed
    return simulator


def _answers(resumed: Resumed | None) -> Answers:
    """Return the memory of answers: that of a killed process, where there was one."""
    if resumed is None:
        return Answers()
    obeyed = (order.message_id for order in resumed.orders if order.origin is Origin.CONTROL)
    return Answers(resumed.answers, filter(None, obeyed))


async def _talk(
    service: Service[SimulatorSettings], ticker: Ticker, publisher: NatsPublisher, resumed: Resumed | None
) -> None:
    """Serve commands and publish telemetry, truth and events while NATS is connected."""
    async with connect(service) as link:
        if service.stopping.is_set():
            return
        async with Publisher(link) as to_streams, service.events.sent_by(to_streams), TaskGroup() as group:
            control = Control(ticker, service.events, _answers(resumed))
            await control.listen(link)
            await telemetry_on_request(link, ticker)
            await link.client.flush()
            service.health.met("commands")
            group.create_task(control.run(link))
            group.create_task(send_telemetry(link, ticker, service.settings.telemetry_interval_sec))
            group.create_task(publisher.send_truth(link))
            group.create_task(publisher.describe_again(ticker))
