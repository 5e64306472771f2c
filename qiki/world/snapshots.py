"""Telemetry of the vehicle."""

import math

from qiki.botspec.planes import Node, sensor_id
from qiki.contracts import telemetry as state
from qiki.contracts.fields import Vector
from qiki.contracts.telemetry import SimState, TelemetrySnapshot
from qiki.world.vehicle.axes import Vector3
from qiki.world.vehicle.loads import Load
from qiki.world.vehicle.vehicle import Vehicle
from qiki.world.world import SimWorld

SOURCE = "q_sim_service"


def telemetry(world: SimWorld, sim_state: SimState) -> TelemetrySnapshot:
    """Return the vehicle's own state; its time is simulated time."""
    vehicle, timestamp = world.vehicle, world.timestamp
    thrusters = vehicle.thrusters
    return TelemetrySnapshot(
        source=SOURCE,
        timestamp=timestamp,
        ts_unix_ms=round(timestamp.timestamp() * 1000),
        sim_state=sim_state,
        position=_vector(vehicle.position_m),
        velocity=math.hypot(*vehicle.velocity_mps),
        heading=vehicle.drive.heading_deg,
        attitude=state.Attitude(roll_rad=0.0, pitch_rad=0.0, yaw_rad=yaw_rad(vehicle.drive.heading_deg)),
        battery=vehicle.power.battery.soc_pct,
        hull=state.HullState(integrity=vehicle.hull.integrity_pct),
        power=_power(vehicle),
        thermal=_thermal(vehicle),
        propulsion=state.PropulsionState(propellant_kg=thrusters.propellant_kg, rcs_active=thrusters.throttle > 0),
        docking=state.DockingState(state=vehicle.docking.state, port=vehicle.docking.port),
        comms=state.CommsState(xpdr_mode=vehicle.transponder.mode, xpdr_allowed=vehicle.transponder.allowed),
        sensors={
            kind.name.lower(): {"id": str(sensor_id(kind)), "ok": vehicle.sensors.works(kind)}
            for kind in vehicle.sensors.parameters.fitted
        },
    )


def yaw_rad(heading_deg: float) -> float:
    """Return the yaw, counter-clockwise from +X, in (-π, π]."""
    yaw = math.radians(90.0 - heading_deg)
    return yaw + 2 * math.pi if yaw <= -math.pi else yaw


def _power(vehicle: Vehicle) -> state.PowerState:
    bus = vehicle.bus
    return state.PowerState(
        soc_pct=vehicle.power.battery.soc_pct,
        power_in_w=bus.power_in_w,
        power_out_w=bus.power_out_w,
        bus_v=bus.bus_v,
        bus_a=bus.bus_a,
        sources_w=dict(bus.sources_w),
        loads_w=dict(bus.loads_w),
        supercap_soc_pct=vehicle.power.supercap.soc_pct,
        dock_connected=bus.dock_connected,
        nbl_active=bus.granted_w[Load.NBL] > 0,
        load_shedding=bool(bus.shed),
        shed_loads=tuple(bus.shed),
        faults=vehicle.faults,
    )


def _thermal(vehicle: Vehicle) -> state.ThermalState:
    plane = vehicle.thermal
    nodes = (
        state.ThermalNode(
            id=node, temp_c=plane.temperature_c(node), t_max_c=plane.trip_c(node), tripped=node in plane.tripped
        )
        for node in Node
    )
    return state.ThermalState(nodes=tuple(nodes))


def _vector(values: Vector3) -> Vector:
    x, y, z = values
    return Vector(x=x, y=y, z=z)
