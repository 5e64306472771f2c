"""The simulator service: ticker, gRPC server and NATS."""

import time

from q_sim_service.control import Control
from q_sim_service.gate import Gate
from q_sim_service.nats_publisher import NatsPublisher, send_telemetry, telemetry_on_request
from q_sim_service.ports import Ports
from q_sim_service.runs import RunCounter, run_ids, warn_if_derived
from q_sim_service.server import Rpc, serving
from q_sim_service.settings import SimulatorSettings
from q_sim_service.ticker import Ticker
from qiki.botspec import BotConfig, generate, load_spec, profile_hash
from qiki.runtime.identities.credentials import KEYS_DIR, Credentials, credentials
from qiki.runtime.identities.roster import Roster
from qiki.runtime.nats import connect
from qiki.runtime.publisher import Publisher
from qiki.runtime.service import Service
from qiki.runtime.tasks import TaskGroup
from qiki.world.scenario import load_named_scenario, load_scenario
from qiki.world.simulator import Setup, Simulator


async def main(service: Service[SimulatorSettings]) -> None:
    """Run the simulator until it is stopped; UserError if the scenario, the BotSpec or the address cannot be used."""
    settings = service.settings
    service.health.wait_for("world", "not ticking yet")
    service.health.wait_for("commands", "not listening yet")
    publisher = NatsPublisher(service.events)
    bot = generate(load_spec(settings.qiki_bot_spec))
    ticker = Ticker(_simulator(settings, bot), time.monotonic, publisher)
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
        warn_if_derived(settings.qiki_run_id, ticker.world.run_id)
        if settings.qiki_autostart:
            ticker.simulator.start(None)
            ticker.follow()
        service.health.met("world")
        await service.until_stopped(ticker.run(), _talk(service, ticker, publisher))


def _gate(service: Service[SimulatorSettings], own: Credentials | None) -> Gate | None:
    """Return the check of callers; None for a simulator without keys."""
    if own is None:
        service.log.warning("no keys: all who reach the simulator may command it", variable=KEYS_DIR)
        return None
    return Gate(Roster(own.folder), service.events)


def _simulator(settings: SimulatorSettings, bot: BotConfig) -> Simulator:
    parameters = bot.hardware_profile.parameters
    setup = Setup(parameters, settings.radar_sr_threshold_m, settings.qiki_seed, load_named_scenario)
    ids = run_ids(settings.qiki_run_id, RunCounter(settings.qiki_state_dir))
    return Simulator(setup, load_scenario(settings.qiki_scenario), ids, settings.qiki_speed)


async def _talk(service: Service[SimulatorSettings], ticker: Ticker, publisher: NatsPublisher) -> None:
    """Serve commands and publish telemetry, truth and events while NATS is connected."""
    async with connect(service) as link:
        if service.stopping.is_set():
            return
        async with Publisher(link) as to_streams, service.events.sent_by(to_streams), TaskGroup() as group:
            control = Control(ticker, service.events)
            await control.listen(link)
            await telemetry_on_request(link, ticker)
            await link.client.flush()
            service.health.met("commands")
            group.create_task(control.run(link))
            group.create_task(send_telemetry(link, ticker, service.settings.telemetry_interval_sec))
            group.create_task(publisher.send_truth(link))
            group.create_task(publisher.describe_again(ticker))
