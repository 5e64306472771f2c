"""The simulator over gRPC: its health, and the bot that it runs."""

from collections.abc import Iterator
from typing import Any

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest as StandardRequest
from grpc_health.v1.health_pb2 import HealthCheckResponse as StandardResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from generated.common_types_pb2 import SensorType
from generated.q_sim_api_pb2 import DESCRIPTOR, GetSensorDataRequest, HealthCheckRequest, ListActuatorsRequest
from qiki.botspec import BotConfig, generate, load_spec, profile_hash
from qiki.contracts.telemetry import TelemetrySnapshot
from qiki.errors import UserError
from qiki.runtime.settings import load_settings
from qiki_harness.smoke.check import ANSWER_S, CheckFailedError, rpc_fault, until
from qiki_harness.smoke.target import SmokeSettings
from qiki_harness.twin import Twin

SERVICE = DESCRIPTOR.services_by_name["QSimAPIService"].full_name


def simulator(twin: Twin) -> str:
    """Check for SERVING of the server and of the API, and for `OK` from the API itself."""
    standard: Any = HealthStub(twin.channel)
    try:
        for service in ("", SERVICE):
            answer = standard.Check(StandardRequest(service=service), timeout=ANSWER_S)
            if answer.status != StandardResponse.SERVING:
                status = StandardResponse.ServingStatus.Name(answer.status)
                raise CheckFailedError(f"grpc.health.v1 says {status} of {service or 'the server'}, not SERVING")
        health = twin.sim.HealthCheck(HealthCheckRequest(), timeout=ANSWER_S)
    except grpc.RpcError as error:
        address = twin.backing.addresses["QSIM_GRPC"]
        raise CheckFailedError(f"no answer at QSIM_GRPC={address}: {rpc_fault(error)}") from None
    if health.status != "OK":
        raise CheckFailedError(f"HealthCheck says {health.status}, not OK: {health.message}")
    return f"SERVING, and HealthCheck OK: {health.message}"


def botspec(twin: Twin) -> str:
    """Check that actuators, sensors and the numbers that telemetry shows are those of the specified configuration."""
    path = load_settings(SmokeSettings).qiki_bot_spec
    try:
        config = generate(load_spec(path))
    except UserError as error:
        raise CheckFailedError(f"the specification is not valid: {error}") from None
    faults = [*_actuator_faults(twin, config), *_sensor_faults(twin, config)]
    telemetry = until(twin, twin.telemetry, ANSWER_S, f"no telemetry within {ANSWER_S:g} s")[-1].data
    faults += telemetry_faults(telemetry, config)
    if faults:
        expected = path or "the platform's own specification"
        raise CheckFailedError(f"the simulator does not run on {expected} (QIKI_BOT_SPEC): {'; '.join(faults)}")
    profile = config.hardware_profile
    fitted = f"{len(profile.actuators)} actuators, {len(profile.sensors)} sensors, {len(telemetry.thermal.nodes)} nodes"
    return f"{config.bot_id} {profile_hash(config)[:15]}: {fitted} as configured"


def _actuator_faults(twin: Twin, config: BotConfig) -> Iterator[str]:
    listed = twin.sim.ListActuators(ListActuatorsRequest(), timeout=ANSWER_S).actuators
    declared = {(one.role, str(one.id)) for one in config.hardware_profile.actuators}
    return _differences("actuators", declared, {(one.role, one.actuator_id.value) for one in listed})


def _sensor_faults(twin: Twin, config: BotConfig) -> Iterator[str]:
    """Every declared sensor gives a reading under its own name; valid or not is the self test's business."""
    for sensor in config.hardware_profile.sensors:
        kind = SensorType.ValueType(int(sensor.type))
        try:
            reading = twin.sim.GetSensorData(GetSensorDataRequest(sensor_type=kind), timeout=ANSWER_S).reading
        except grpc.RpcError as error:
            call: Any = error
            if call.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            yield f"no sensor answers as {sensor.type.name}"
            continue
        if (reading.sensor_type, reading.sensor_id.value) != (kind, str(sensor.id)):
            yield f"{sensor.type.name} answers as {reading.sensor_id.value}"


def telemetry_faults(telemetry: TelemetrySnapshot, config: BotConfig) -> Iterator[str]:
    """Yield what telemetry says otherwise than the configuration, as far as it says what does not change."""
    profile = config.hardware_profile
    declared = {(sensor.type.name.lower(), str(sensor.id)) for sensor in profile.sensors}
    there = {(name, str(state.get("id"))) for name, state in telemetry.sensors.items()}
    yield from _differences("sensors", declared, there)
    for node in telemetry.thermal.nodes:
        trip_c = next((one.trip_c for name, one in profile.thermal_plane.nodes.items() if name == node.id), None)
        if trip_c != node.t_max_c:
            yield f"{node.id} trips at {node.t_max_c:g} °C, specified {trip_c} °C"
    if telemetry.propulsion.propellant_kg > profile.propulsion_plane.propellant_kg:
        yield f"{telemetry.propulsion.propellant_kg:g} kg of propellant, of {profile.propulsion_plane.propellant_kg:g}"


def _differences(what: str, declared: set[tuple[str, str]], there: set[tuple[str, str]]) -> Iterator[str]:
    """Name the devices, each a name and an id, that are missing or too many."""
    for difference, devices in (("missing", declared - there), ("not specified", there - declared)):
        if devices:
            yield f"{what} {difference}: {', '.join(sorted({name for name, _ in devices}))}"
