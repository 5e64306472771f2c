"""The bot that the simulator runs, compared with the configuration made from the specification."""

from collections.abc import Iterator

import grpc.aio

from generated.common_types_pb2 import SensorType
from generated.q_sim_api_pb2 import GetSensorDataRequest, ListActuatorsRequest
from qiki.botspec import BotConfig, generate, load_spec, profile_hash
from qiki.contracts import topics
from qiki.contracts.models import TelemetrySnapshot
from qiki.errors import UserError
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.payloads import read
from qiki_harness.smoke.session import ANSWER_S, Session


async def botspec(session: Session) -> str:
    """Actuators, sensors and the numbers that telemetry shows are the configuration's."""
    try:
        config = generate(load_spec(session.target.bot_spec))
    except UserError as error:
        raise CheckFailedError(f"the specification is not valid: {error}") from None
    faults = [*await _actuator_faults(session, config), *await _sensor_faults(session, config)]
    telemetry = await _telemetry(session)
    faults += telemetry_faults(telemetry, config)
    if faults:
        expected = session.target.bot_spec or "the platform's own specification"
        raise CheckFailedError(f"the simulator does not run on {expected} (QIKI_BOT_SPEC): {'; '.join(faults)}")
    profile = config.hardware_profile
    fitted = f"{len(profile.actuators)} actuators, {len(profile.sensors)} sensors, {len(telemetry.thermal.nodes)} nodes"
    return f"{config.bot_id} {profile_hash(config)[:15]}: {fitted} as configured"


async def _actuator_faults(session: Session, config: BotConfig) -> list[str]:
    listed = (await session.sim.ListActuators(ListActuatorsRequest(), timeout=ANSWER_S)).actuators
    there = {(one.actuator_id.value, one.role) for one in listed}
    declared = {(str(one.id), one.role) for one in config.hardware_profile.actuators}
    return _differences("actuators", {role for _, role in declared - there}, {role for _, role in there - declared})


async def _sensor_faults(session: Session, config: BotConfig) -> list[str]:
    """Every declared sensor gives a reading under its own name; valid or not is the self test's business."""
    faults = []
    for sensor in config.hardware_profile.sensors:
        kind = SensorType.ValueType(int(sensor.type))
        try:
            answer = await session.sim.GetSensorData(GetSensorDataRequest(sensor_type=kind), timeout=ANSWER_S)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            faults.append(f"no sensor answers as {sensor.type.name}")
            continue
        if (answer.reading.sensor_type, answer.reading.sensor_id.value) != (kind, str(sensor.id)):
            faults.append(f"{sensor.type.name} answers as {answer.reading.sensor_id.value}")
    return faults


async def _telemetry(session: Session) -> TelemetrySnapshot:
    async with session.listening(topics.TELEMETRY.subject) as inbox:
        message = await inbox.first(lambda _: True, ANSWER_S)
    if message is None:
        raise CheckFailedError(f"no telemetry within {ANSWER_S:g} s")
    return read(TelemetrySnapshot, message)


def telemetry_faults(telemetry: TelemetrySnapshot, config: BotConfig) -> Iterator[str]:
    """What telemetry says otherwise than the configuration, as far as it says what does not change."""
    profile = config.hardware_profile
    declared = {(sensor.type.name.lower(), str(sensor.id)) for sensor in profile.sensors}
    there = {(name, str(state.get("id"))) for name, state in telemetry.sensors.items()}
    yield from _differences("sensors", {name for name, _ in declared - there}, {name for name, _ in there - declared})
    for node in telemetry.thermal.nodes:
        trip_c = next((one.trip_c for name, one in profile.thermal_plane.nodes.items() if name == node.id), None)
        if trip_c != node.t_max_c:
            yield f"{node.id} trips at {node.t_max_c:g} °C, specified {trip_c} °C"
    if telemetry.propulsion.propellant_kg > profile.propulsion_plane.propellant_kg:
        yield f"{telemetry.propulsion.propellant_kg:g} kg of propellant, of {profile.propulsion_plane.propellant_kg:g}"


def _differences(what: str, missing: set[str], surplus: set[str]) -> list[str]:
    said = {"missing": missing, "not specified": surplus}
    return [f"{what} {words}: {', '.join(sorted(names))}" for words, names in said.items() if names]
