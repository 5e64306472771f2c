"""The configuration of the bot, for the simulator and the agent, generated from the specification alone."""

import hashlib
import json
from typing import Any, Literal, Self
from uuid import UUID

from qiki.botspec import planes
from qiki.botspec.actuators import ACTUATORS, ActuatorFamily
from qiki.botspec.planes import BotParameters, SensorName, sensor_id
from qiki.botspec.spec import BotSpec
from qiki.fields import Spec

PLANES = {name: f"{name}_plane" for name in BotParameters.model_fields} | {"sensors": "sensor_plane"}
"""Plane and component to the field of the hardware profile."""


class Actuator(Spec):
    """An actuator, commanded by its id or its role."""

    id: UUID
    role: str
    type: ActuatorFamily
    commands: tuple[str, ...]


class FittedSensor(Spec):
    """A fitted sensor."""

    id: UUID
    type: SensorName


class HardwareProfile(Spec):
    """The parameters of every plane, the actuators and the fitted sensors."""

    power_plane: planes.PowerParameters
    thermal_plane: planes.ThermalParameters
    propulsion_plane: planes.PropulsionParameters
    docking_plane: planes.DockingParameters
    sensor_plane: planes.SensorParameters
    comms_plane: planes.CommsParameters
    mcqpu_plane: planes.McqpuParameters
    drive_plane: planes.DriveParameters
    hull_plane: planes.HullParameters
    actuators: tuple[Actuator, ...]
    sensors: tuple[FittedSensor, ...]

    @property
    def parameters(self) -> BotParameters:
        """The planes' parameters, for a vehicle."""
        return BotParameters(**{name: getattr(self, field) for name, field in PLANES.items()})


class Wiring(Spec):
    """Signals that a component provides and consumes."""

    provides: tuple[str, ...]
    consumes: tuple[str, ...]


class BotConfig(Spec):
    """Configuration of one bot."""

    schema_version: Literal["1.0"] = "1.0"
    bot_id: str
    bot_type: str = "configured_bot"
    mode: str = "full"
    hardware_profile: HardwareProfile
    runtime_profile: dict[str, Wiring]

    def with_parameters(self, parameters: BotParameters) -> Self:
        """Return the configuration of the same bot with other numbers; its sensors are those of the numbers."""
        hardware = self.hardware_profile.model_copy(update=_fitted(parameters))
        return self.model_copy(update={"hardware_profile": hardware})


def generate(spec: BotSpec) -> BotConfig:
    """Generate the configuration; the same specification always gives the same one."""
    parts = spec.components.fitted
    parameters = BotParameters(**{name: parts[name].parameters for name in PLANES if name in parts})
    hardware = HardwareProfile(
        **_fitted(parameters),
        actuators=tuple(
            Actuator(id=one.id, role=one.role, type=one.family, commands=tuple(kind.name for kind in one.commands))
            for one in ACTUATORS
        ),
    )
    wiring = {name: Wiring(provides=part.provides, consumes=part.consumes) for name, part in parts.items()}
    return BotConfig(bot_id=spec.metadata.id, hardware_profile=hardware, runtime_profile=wiring)


def _fitted(parameters: BotParameters) -> dict[str, Any]:
    """Return the planes of the hardware profile, and its sensors."""
    planes = {field: getattr(parameters, name) for name, field in PLANES.items()}
    sensors = tuple(FittedSensor(id=sensor_id(kind), type=kind) for kind in parameters.sensors.fitted)
    return {**planes, "sensors": sensors}


def profile_hash(config: BotConfig) -> str:
    """Return the SHA-256 of the hardware profile: the same for the same numbers, however they were written."""
    profile = config.hardware_profile.model_dump(mode="json")
    canonical = json.dumps(profile, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"
