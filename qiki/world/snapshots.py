"""The world as its payloads: truth for scoring, telemetry of the vehicle."""

import math
from typing import Any

from qiki.botspec.planes import Node, sensor_id
from qiki.contracts.enums import FriendFoe, ObjectType, TransponderMode
from qiki.contracts.models import (
    Attitude,
    CommsState,
    DockingState,
    HullState,
    PowerState,
    PropulsionState,
    SimState,
    TelemetrySnapshot,
    ThermalNode,
    ThermalState,
    TruthBot,
    TruthContact,
    TruthSnapshot,
    Vector,
)
from qiki.world.frames import MeasuredFrame
from qiki.world.vehicle.axes import Vector3
from qiki.world.vehicle.loads import Load
from qiki.world.vehicle.vehicle import Vehicle
from qiki.world.world import SimWorld

SOURCE = "q_sim_service"


def truth(world: SimWorld, frame: MeasuredFrame) -> TruthSnapshot:
    """What is really there at a frame that was just measured: those contacts that are present."""
    contacts = world.contacts
    rows = zip(
        contacts.present.tolist(),
        contacts.ids,
        contacts.object_types.tolist(),
        contacts.iffs.tolist(),
        contacts.transponder_modes.tolist(),
        contacts.claimed_ids.tolist(),
        contacts.positions.tolist(),
        contacts.velocities.tolist(),
        strict=True,
    )
    return TruthSnapshot(
        run_id=str(world.run_id),
        frame=frame.number,
        timestamp=frame.timestamp,
        bot=TruthBot(position=_vector(frame.own_position_m), velocity=_vector(frame.own_velocity_mps)),
        contacts=tuple(
            TruthContact(
                id=str(identity),
                object_type=ObjectType(object_type),
                iff=FriendFoe(iff),
                transponder_mode=TransponderMode(mode),
                transponder_id=claimed,
                position=_vector(position),
                velocity=_vector(velocity),
            )
            for present, identity, object_type, iff, mode, claimed, position, velocity in rows
            if present
        ),
    )


def telemetry(world: SimWorld, sim_state: SimState) -> TelemetrySnapshot:
    """The vehicle's own state; its time is simulated time."""
    vehicle = world.vehicle
    timestamp = world.timestamp
    return TelemetrySnapshot(
        source=SOURCE,
        timestamp=timestamp,
        ts_unix_ms=round(timestamp.timestamp() * 1000),
        sim_state=sim_state,
        position=_vector(vehicle.position_m),
        velocity=math.hypot(*vehicle.velocity_mps),
        heading=vehicle.drive.heading_deg,
        attitude=Attitude(roll_rad=0.0, pitch_rad=0.0, yaw_rad=yaw_rad(vehicle.drive.heading_deg)),
        battery=vehicle.power.battery.soc_pct,
        hull=HullState(integrity=vehicle.hull.integrity_pct),
        power=_power(vehicle),
        thermal=_thermal(vehicle),
        propulsion=PropulsionState(propellant_kg=vehicle.thrusters.propellant_kg, rcs_active=vehicle.thrusters.active),
        docking=DockingState(state=vehicle.docking.state, port=vehicle.docking.port),
        comms=CommsState(xpdr_mode=vehicle.transponder.mode, xpdr_allowed=vehicle.transponder.allowed),
        sensors=_sensors(vehicle),
    )


def yaw_rad(heading_deg: float) -> float:
    """Counter-clockwise from +X, in (-π, π]."""
    yaw = math.radians(90.0 - heading_deg)
    return yaw + 2 * math.pi if yaw <= -math.pi else yaw


def _power(vehicle: Vehicle) -> PowerState:
    bus = vehicle.bus
    return PowerState(
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


def _thermal(vehicle: Vehicle) -> ThermalState:
    return ThermalState(
        nodes=tuple(
            ThermalNode(
                id=node,
                temp_c=vehicle.thermal.temperature_c(node),
                t_max_c=vehicle.thermal.trip_c(node),
                tripped=vehicle.thermal.tripped(node),
            )
            for node in Node
        )
    )


def _sensors(vehicle: Vehicle) -> dict[str, Any]:
    return {
        kind.name.lower(): {"id": str(sensor_id(kind)), "ok": vehicle.sensors.works(kind)}
        for kind in vehicle.sensors.parameters.fitted
    }


def _vector(values: Vector3 | list[float]) -> Vector:
    x, y, z = values
    return Vector(x=x, y=y, z=z)
