"""The vehicle: its planes, advanced together."""

from typing import Literal

import numpy as np

from qiki.botspec.planes import BotParameters, Node, SensorKind
from qiki.contracts.enums import FSMState
from qiki.state import State, Stateful
from qiki.world.scenario import BotStart
from qiki.world.vehicle.axes import Vector3, to_world
from qiki.world.vehicle.loads import Load, Nbl
from qiki.world.vehicle.power import BusState, Demand, PowerPlane
from qiki.world.vehicle.propulsion import COASTING, Drive, Thrusters
from qiki.world.vehicle.sensors import Sensors
from qiki.world.vehicle.systems import Docking, Hull, Mcqpu, Transponder
from qiki.world.vehicle.thermal import ThermalPlane

# Names of the module: until Python 3.12 a member of an enumeration costs five times as much by way of its class.
NBL, MOTION, RCS, RADAR, TRANSPONDER = Load
CORE, PDU, SUPERCAP, BATTERY, DOCK_BRIDGE, HULL = Node
ERROR_STATE, RADAR_SENSOR = FSMState.ERROR_STATE, SensorKind.RADAR
SAFE_MODE_SHEDS = frozenset({NBL, MOTION, RCS})
"""The radar and the transponder stay on in safe mode: a vehicle in danger has to see and to be seen."""
NOTHING: frozenset[Load] = frozenset()


class Vehicle(Stateful):
    """The bot QIKI. Its state is public to read; orders (`qiki.world.vehicle.orders`) change it.

    In a step of `dt_s` the bus shares power among the loads; thrusters and drive accelerate the vehicle with their
    shares; the computer's load follows; power becomes heat; the sensors draw their noise and failures from `rng`.
    """

    STATE = State(
        position_m=Vector3,
        velocity_mps=Vector3,
        mode=FSMState,
        power=PowerPlane,
        mcqpu=Mcqpu,
        thermal=ThermalPlane,
        thrusters=Thrusters,
        drive=Drive,
        docking=Docking,
        transponder=Transponder,
        nbl=Nbl,
        sensors=Sensors,
        hull=Hull,
        bus=BusState,
    )

    def __init__(self, parameters: BotParameters, start: BotStart, dt_s: float, rng: np.random.Generator) -> None:
        self._parameters = parameters
        self._dt_s = dt_s
        self.position_m: Vector3 = start.position_m
        self.velocity_mps: Vector3 = start.velocity_mps
        self.mode = FSMState.IDLE
        self.power = PowerPlane(parameters.power)
        self.mcqpu = Mcqpu(parameters.mcqpu)
        self.thermal = ThermalPlane(parameters.thermal, dt_s)
        self.thrusters = Thrusters(parameters.propulsion)
        self.drive = Drive(parameters.drive, start.heading_deg)
        self.docking = Docking(parameters.docking)
        self.transponder = Transponder(parameters.comms)
        self.nbl = Nbl(parameters.power.nbl_max_w)
        self.sensors = Sensors(parameters.sensors, rng)
        self.hull = Hull(parameters.hull)
        self.bus: BusState = self.power.idle()

    @property
    def safe_mode(self) -> bool:
        """True in safe mode."""
        return self.mode is ERROR_STATE

    @property
    def radar_off_reason(self) -> str | None:
        """Reason for which the radar does not measure; None while it does."""
        if not self.sensors.works(RADAR_SENSOR):
            fitted = RADAR_SENSOR in self.sensors.parameters.fitted
            return "the radar has failed" if fitted else "no radar is fitted"
        if RADAR in self.bus.shed:
            return "the radar is shed: " + (", ".join(self.faults) or "not enough power")
        return None

    @property
    def faults(self) -> tuple[str, ...]:
        """Faults of power and heat."""
        hot = tuple(f"THERMAL_TRIP:{node}" for node in Node if node in self.thermal.tripped)
        return self.bus.faults + hot

    def no_power(self, load: Literal[Load.MOTION, Load.RCS]) -> str | None:
        """Return why a load would get no power in the next step; None if it gets a part, which is enough to act."""
        constants = self._parameters.power
        want_w = constants.rcs_load_w if load is Load.RCS else constants.motion_load_w_per_mps
        if want_w <= 0 or self.power.offer_w(self._dt_s, self._demand(), load, want_w) > 0:
            return None
        return f"there is no power for {load}: " + (", ".join(self.faults) or "not enough is left")

    def stop_thrust(self) -> None:
        """End all pulses and turns; the vehicle coasts."""
        self.thrusters.stop()
        self.drive.stop()

    def step(self) -> list[SensorKind]:
        """Advance by one tick, and return the sensors that failed or recovered."""
        demand = self._demand()
        self.bus = self.power.step(self._dt_s, demand)
        self.transponder.allowed = TRANSPONDER not in self.bus.shed
        self._move(demand)
        granted_w = self.bus.granted_w
        self.mcqpu.step(
            self._dt_s,
            speed_mps=self.drive.speed_mps,
            radar=granted_w[RADAR] > 0,
            transponder=granted_w[TRANSPONDER] > 0,
        )
        self.thermal.step(self._heat_w())
        return self.sensors.step(self._dt_s)

    def _demand(self) -> Demand:
        constants, hot = self._parameters.power, self.thermal.tripped
        return Demand(
            wanted_w={
                NBL: self.nbl.wanted_w,
                MOTION: constants.motion_load_w_per_mps * self.drive.speed_mps,
                RCS: constants.rcs_load_w * self.thrusters.throttle,
                RADAR: constants.radar_load_w,
                TRANSPONDER: constants.transponder_load_w if self.transponder.wants_power else 0.0,
            },
            mcqpu_w=self.mcqpu.power_w,
            dock_connected=self.docking.power_connected and DOCK_BRIDGE not in hot,
            barred=self._barred() if hot or self.safe_mode else NOTHING,
            pdu_hot=PDU in hot,
            battery_hot=BATTERY in hot,
            supercap_hot=SUPERCAP in hot,
        )

    def _barred(self) -> frozenset[Load]:
        """Return the loads that safe mode and hot nodes switch off."""
        barred = set(SAFE_MODE_SHEDS) if self.safe_mode else set()
        if CORE in self.thermal.tripped:
            barred.add(NBL)
        if HULL in self.thermal.tripped:
            barred.add(RCS)
        return frozenset(barred)

    def _move(self, demand: Demand) -> None:
        """Change the velocity, and move at the mean of old and new: exact for constant acceleration."""
        burn = self.thrusters.step(self._dt_s, self._share(RCS, demand))
        heading_deg = self.drive.heading_deg
        drive = self.drive.step(self._dt_s, self.velocity_mps, self._share(MOTION, demand))
        thrust = COASTING if burn is COASTING else to_world(burn, heading_deg)
        old = self.velocity_mps
        new = (old[0] + thrust[0] + drive[0], old[1] + thrust[1] + drive[1], old[2] + thrust[2] + drive[2])
        half_s = self._dt_s / 2
        x, y, z = self.position_m
        self.position_m = (
            x + (old[0] + new[0]) * half_s,
            y + (old[1] + new[1]) * half_s,
            z + (old[2] + new[2]) * half_s,
        )
        self.velocity_mps = new

    def _share(self, load: Load, demand: Demand) -> float:
        """Return the power granted over the power wanted; 1 for a load that wants none."""
        wanted_w = demand.wanted_w[load]
        if wanted_w > 0:
            return self.bus.granted_w[load] / wanted_w
        return 0.0 if load in demand.barred else 1.0

    def _heat_w(self) -> dict[Node, float]:
        bus, shares = self.bus, self._parameters.thermal
        dock_a = self.power.dock.current_a(bus.sources_w["dock"])
        supercap_w, battery_w = abs(self.power.supercap.power_w), abs(self.power.battery.power_w)
        return {
            CORE: shares.mcqpu_share * bus.loads_w["mcqpu"] + shares.nbl_share * bus.granted_w[NBL],
            PDU: shares.pdu_share * bus.power_out_w + shares.pdu_resistance_ohm * bus.bus_a**2,
            SUPERCAP: shares.supercap_share * supercap_w,
            BATTERY: shares.battery_share * battery_w,
            DOCK_BRIDGE: shares.dock_resistance_ohm * dock_a**2,
            HULL: shares.rcs_share * bus.granted_w[RCS],
        }
