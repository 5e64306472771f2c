"""Orders to the vehicle: the reasons for which each cannot be obeyed now, and its effect."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from qiki.botspec.actuators import MAX_PULSE_S
from qiki.botspec.planes import Node, Port
from qiki.contracts.enums import FSMState, TransponderMode
from qiki.contracts.fields import Finite, first_fault
from qiki.world.errors import OrderError
from qiki.world.scenario import Scenario
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.loads import Load
from qiki.world.vehicle.vehicle import Vehicle


@dataclass(frozen=True)
class Order(ABC):
    """One order to the vehicle; `name` is its kind's, as it is published."""

    name: ClassVar[str]

    def refusal(self, vehicle: Vehicle) -> str | None:  # noqa: ARG002
        """Return why the order cannot be obeyed now; None when it can."""
        return None

    @abstractmethod
    def apply(self, vehicle: Vehicle) -> None:
        """Obey."""


@dataclass(frozen=True)
class FireThruster(Order):
    """A pulse, which releases the drive; without thrust or duration it ends the pulse on its axis."""

    name: ClassVar = "rcs.fire"

    axis: Axis
    fraction: Finite
    duration_s: Finite

    def refusal(self, vehicle: Vehicle) -> str | None:
        """No thrust while held or in safe mode, nor without propellant; no pulse without end."""
        if self.duration_s > MAX_PULSE_S:
            return f"a pulse of {self.duration_s:g} s is too long (expected 0 to {MAX_PULSE_S:g} s)"
        if self.fraction <= 0 or self.duration_s <= 0:
            return None
        if vehicle.thrusters.propellant_kg <= 0:
            return "no propellant is left"
        if Node.HULL in vehicle.thermal.tripped:
            return "the hull is too hot to thrust (THERMAL_TRIP:hull)"
        return _no_thrust(vehicle) or vehicle.no_power(Load.RCS)

    def apply(self, vehicle: Vehicle) -> None:
        """Fire."""
        vehicle.thrusters.fire(self.axis, self.fraction, self.duration_s)
        if self.fraction > 0 and self.duration_s > 0:
            vehicle.drive.release()


@dataclass(frozen=True)
class StopThrusters(Order):
    """End every pulse."""

    name: ClassVar = "rcs.stop"

    def apply(self, vehicle: Vehicle) -> None:
        """Stop."""
        vehicle.thrusters.stop()


@dataclass(frozen=True)
class Cruise(Order):
    """Hold a fraction of the drive's greatest speed along the heading."""

    name: ClassVar = "motion.cruise"

    fraction: Finite

    def refusal(self, vehicle: Vehicle) -> str | None:
        """No thrust while held or in safe mode, nor without power; to come to rest takes none."""
        return _no_thrust(vehicle) or (vehicle.no_power(Load.MOTION) if self.fraction > 0 else None)

    def apply(self, vehicle: Vehicle) -> None:
        """Engage the drive."""
        vehicle.drive.cruise(self.fraction)


@dataclass(frozen=True)
class Turn(Order):
    """Turn by an angle, clockwise when positive."""

    name: ClassVar = "motion.turn"

    degrees: Finite

    def refusal(self, vehicle: Vehicle) -> str | None:
        """No turning while held or in safe mode."""
        return _no_thrust(vehicle)

    def apply(self, vehicle: Vehicle) -> None:
        """Turn."""
        vehicle.drive.turn(self.degrees)


@dataclass(frozen=True)
class SetMode(Order):
    """The agent's state: ERROR_STATE is safe mode, any other leaves it."""

    name: ClassVar = "mode.set"

    mode: FSMState

    def apply(self, vehicle: Vehicle) -> None:
        """Enter or leave safe mode."""
        vehicle.mode = self.mode
        if vehicle.safe_mode:
            vehicle.stop_thrust()


@dataclass(frozen=True)
class SetTransponder(Order):
    """Switch the vehicle's transponder; without power it acts once there is some."""

    name: ClassVar = "xpdr.mode"

    mode: TransponderMode

    def apply(self, vehicle: Vehicle) -> None:
        """Switch."""
        vehicle.transponder.commanded = self.mode


@dataclass(frozen=True)
class EngageDock(Order):
    """Latch at a port."""

    name: ClassVar = "dock.engage"

    port: Port

    def refusal(self, vehicle: Vehicle) -> str | None:
        """One dock at a time."""
        held = vehicle.docking.port
        return None if held in {None, self.port} else f"docked at port {held}: release it first"

    def apply(self, vehicle: Vehicle) -> None:
        """Latch; thrust ends."""
        vehicle.stop_thrust()
        vehicle.docking.port = self.port


@dataclass(frozen=True)
class ReleaseDock(Order):
    """Open the latch."""

    name: ClassVar = "dock.release"

    def apply(self, vehicle: Vehicle) -> None:
        """Release."""
        vehicle.docking.release()


@dataclass(frozen=True)
class SwitchDockPower(Order):
    """Set the switch of the power bridge: the dock supplies once the latch is closed too."""

    name: ClassVar = "dock.power"

    on: bool

    def apply(self, vehicle: Vehicle) -> None:
        """Switch."""
        vehicle.docking.bridge_on = self.on


@dataclass(frozen=True)
class SwitchNbl(Order):
    """Switch the NBL; power and heat decide whether it really runs."""

    name: ClassVar = "nbl.switch"

    on: bool

    def apply(self, vehicle: Vehicle) -> None:
        """Switch."""
        vehicle.nbl.on = self.on


@dataclass(frozen=True)
class LimitNbl(Order):
    """Set what the NBL draws."""

    name: ClassVar = "nbl.limit"

    max_power_w: Finite

    def apply(self, vehicle: Vehicle) -> None:
        """Set."""
        vehicle.nbl.max_power_w = self.max_power_w


@dataclass(frozen=True)
class Fork(Order):
    """Begin another future; it is the world's business, and changes nothing of the vehicle.

    Attributes:
        parent: the run that this one was until now
        seed: of all random numbers from now on; None: they go on
        scenario: whose contacts replace the present ones, its times counted from now; None: they stay
        engines: of an agent that begins now, names separated by commas; None: there is none, or it goes on
    """

    name: ClassVar = "run.fork"

    parent: UUID
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    scenario: Scenario | None = None
    engines: str | None = None

    def apply(self, vehicle: Vehicle) -> None:
        """Leave the vehicle as it is."""


KINDS: dict[str, type[Order]] = {kind.name: kind for kind in Order.__subclasses__()}
"""By their names."""


def order_values(order: Order) -> dict[str, Any]:
    """Return an order's parameters, as they are published."""
    values: dict[str, Any] = to_jsonable_python(asdict(order))
    return values


def make_order(name: str, parameters: Mapping[str, Any]) -> Order:
    """Return the order of a name.

    Raises:
        OrderError: there is none, or it has other parameters.
    """
    kind = KINDS.get(name)
    if kind is None:
        raise OrderError(f"unknown order {name!r} (expected one of: {', '.join(KINDS)})")
    try:
        return _reader(kind).validate_python(parameters)
    except ValidationError as error:
        raise OrderError(f"{name}: {first_fault(error)}") from None


@cache
def _reader(kind: type[Order]) -> TypeAdapter[Order]:
    return TypeAdapter(kind)


def _no_thrust(vehicle: Vehicle) -> str | None:
    if vehicle.safe_mode:
        return "the vehicle is in safe mode: set another mode first"
    if vehicle.docking.port is not None:
        return f"docked at port {vehicle.docking.port}: release it first"
    return None
