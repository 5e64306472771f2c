"""BotSpec: the components of the bot, the signals between them, and the parameters of its planes."""

from pathlib import Path
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from qiki.botspec import planes
from qiki.fields import Name, Spec, distinct, field_error, not_bool
from qiki.yamlfile import load_yaml_model

DEFAULT_SPEC = Path(__file__).with_name("BotSpec.yaml")
REQUIRED_CHANNELS = (
    "SensorFrame",
    "TrackSet",
    "ThrusterCmd",
    "ModeCmd",
    "ProtocolCmd",
    "EnergyStatus",
    "ShieldStatus",
    "NavState",
    "RegistrarEvent",
)

P = TypeVar("P", bound=Spec)
Names = Annotated[tuple[Name, ...], AfterValidator(distinct)]


class NoParameters(Spec):
    """Parameters of a component without a plane: none."""


class Component(Spec, Generic[P]):
    """A component of the bot. `type` is free text; its name determines the plane of its parameters."""

    type: Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\n]*$")]
    provides: Names = ()
    consumes: Names = ()
    parameters: P = Field(default_factory=dict, validate_default=True)


class Components(Spec):
    """The components by name: the required ones, the optional ones with a plane, and any others."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Name, Component[NoParameters]]

    hull: Component[planes.HullParameters]
    power: Component[planes.PowerParameters]
    propulsion: Component[planes.PropulsionParameters]
    docking: Component[planes.DockingParameters]
    antenna_xpdr: Component[NoParameters]
    sensors: Component[planes.SensorParameters]
    comms: Component[planes.CommsParameters]
    shields: Component[NoParameters]
    navigation: Component[NoParameters]
    sensor_mounts: Component[NoParameters]
    protocols: Component[NoParameters]
    thermal: Component[planes.ThermalParameters] | None = None
    mcqpu: Component[planes.McqpuParameters] | None = None
    drive: Component[planes.DriveParameters] | None = None

    @property
    def fitted(self) -> dict[str, Component[Any]]:
        """The components that are given, by name."""
        return {name: component for name, component in self if component is not None}

    @model_validator(mode="after")
    def _what_is_consumed_is_provided(self) -> Self:
        provided = {signal for component in self.fitted.values() for signal in component.provides}
        for name, component in self.fitted.items():
            for i, signal in enumerate(component.consumes):
                if signal not in provided:
                    known = ", ".join(sorted(provided)) or "none"
                    reason = f"no component provides {signal} (expected one of: {known})"
                    raise field_error((name, "consumes", i), reason)
        return self


class EventBus(Spec):
    """The bus between the components."""

    channels: Names

    @model_validator(mode="after")
    def _has_the_required_channels(self) -> Self:
        missing = [channel for channel in REQUIRED_CHANNELS if channel not in self.channels]
        if missing:
            raise field_error(("channels",), f"missing: {', '.join(missing)} (expected {', '.join(REQUIRED_CHANNELS)})")
        return self


class Metadata(Spec):
    """Identity of the bot."""

    id: Name


class BotSpec(Spec):
    """The whole file."""

    version: Annotated[Literal[1], BeforeValidator(not_bool)]
    kind: Literal["BotSpec"]
    metadata: Metadata
    components: Components
    event_bus: EventBus


def load_spec(path: Path | None = None) -> BotSpec:
    """Read a specification, without a path the shipped one; a FileError has file, line and field."""
    return load_yaml_model(path or DEFAULT_SPEC, BotSpec)
