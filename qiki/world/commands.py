"""The control commands: their parameters, and the orders that some of them give to the vehicle."""

from abc import ABC, abstractmethod
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from qiki.botspec.actuators import MAX_PULSE_S
from qiki.botspec.planes import Port
from qiki.contracts.enums import TransponderMode
from qiki.world.errors import OrderError
from qiki.world.simulator import MAX_SPEED
from qiki.world.vehicle import orders
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import Order

MAX_STEP_TICKS = 1_000_000
MAX_NBL_W = 1e6  # far beyond what a vehicle has
MAX_SCENARIO_NAME = 63
STEP = "sim.step"
Speed = Annotated[float, Field(gt=0, le=MAX_SPEED)]


class Command(BaseModel):
    """Parameters of a command: numbers are strict and finite; unknown parameters are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


class Start(Command):
    """Let time pass; also resumes."""

    speed: Speed | None = None


class Pause(Command):
    """Hold time."""


class Stop(Command):
    """End the run; it may be started again."""


class Reset(Command):
    """Begin a new run, stopped."""

    scenario: Annotated[str, Field(max_length=MAX_SCENARIO_NAME)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    speed: Speed | None = None


class Step(Command):
    """Do a number of ticks while time is held."""

    ticks: Annotated[int, Field(ge=1, le=MAX_STEP_TICKS)]


class VehicleCommand(Command, ABC):
    """A command to the vehicle."""

    @abstractmethod
    def order(self) -> Order:
        """Return the order that the command gives."""


class TransponderCommand(VehicleCommand):
    """Switch the transponder."""

    mode: Literal["ON", "OFF", "SILENT", "SPOOF"]

    def order(self) -> Order:
        """Return the order."""
        return orders.SetTransponder(TransponderMode[self.mode])


class FireCommand(VehicleCommand):
    """Fire a thruster."""

    axis: Annotated[Axis, Field(strict=False)]
    pct: Annotated[float, Field(ge=0, le=100)]
    duration_s: Annotated[float, Field(ge=0, le=MAX_PULSE_S)]

    def order(self) -> Order:
        """Return the order."""
        return orders.FireThruster(self.axis, self.pct / 100.0, self.duration_s)


class EngageCommand(VehicleCommand):
    """Dock."""

    port: Annotated[Port, Field(strict=False)] = Port.A

    def order(self) -> Order:
        """Return the order."""
        return orders.EngageDock(self.port)


class NblLimit(VehicleCommand):
    """Limit the NBL."""

    max_power_w: Annotated[float, Field(ge=0, le=MAX_NBL_W)]

    def order(self) -> Order:
        """Return the order."""
        return orders.LimitNbl(self.max_power_w)


def _plain(given: Order) -> type[VehicleCommand]:
    """Return a command without parameters, which gives this order."""

    class Plain(VehicleCommand):
        def order(self) -> Order:
            return given

    return Plain


COMMANDS: dict[str, type[Command]] = {
    "sim.start": Start,
    "sim.pause": Pause,
    "sim.stop": Stop,
    "sim.reset": Reset,
    STEP: Step,
    "sim.xpdr.mode": TransponderCommand,
    "sim.rcs.fire": FireCommand,
    "sim.rcs.stop": _plain(orders.StopThrusters()),
    "sim.dock.engage": EngageCommand,
    "sim.dock.release": _plain(orders.ReleaseDock()),
    "power.dock.on": _plain(orders.SwitchDockPower(on=True)),
    "power.dock.off": _plain(orders.SwitchDockPower(on=False)),
    "power.nbl.on": _plain(orders.SwitchNbl(on=True)),
    "power.nbl.off": _plain(orders.SwitchNbl(on=False)),
    "power.nbl.set_max": NblLimit,
}


def read_command(name: str, parameters: dict[str, Any]) -> Command:
    """Return the command of a name; OrderError if there is none, or a parameter is missing or wrong."""
    kind = COMMANDS.get(name)
    if kind is None:
        raise OrderError(f"unknown command {name!r} (expected one of: {', '.join(COMMANDS)})")
    try:
        return kind.model_validate(parameters)
    except ValidationError as error:
        raise OrderError("; ".join(map(_fault, error.errors()))) from None


def _fault(fault: ErrorDetails) -> str:
    where = ".".join(map(str, fault["loc"]))
    if fault["type"] == "missing":
        return f"{where} is missing"
    return f"{where}: {fault['msg'][0].lower()}{fault['msg'][1:]}, got {fault['input']!r}"
