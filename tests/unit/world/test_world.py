"""The world: repeatable, numbered without a gap, and silent without power."""

import math
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from q_sim_service.protobuf import frame_to_proto
from qiki.botspec.planes import BotParameters, Port, PowerParameters, SensorKind, SensorParameters, StorageParameters
from qiki.contracts.ids import RADAR_SENSOR_ID, run_frame_id
from qiki.contracts.protobuf import frame_from_proto, timestamp_from_proto
from qiki.contracts.telemetry import SimState, TelemetrySnapshot, TruthSnapshot
from qiki.world.errors import OrderError
from qiki.world.scenario import Scenario, load_scenario
from qiki.world.snapshots import telemetry, yaw_rad
from qiki.world.truth import truth_body
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import Cruise, EngageDock, FireThruster, ReleaseDock, SwitchDockPower, SwitchNbl
from qiki.world.vehicle_events import VehicleEvent, VehicleEventKind
from qiki.world.world import MeasuredFrame, SimWorld

RUN = UUID("11111111-2222-4333-8444-555555555555")
CONTACTS = [
    {
        "id": "near",
        "object_type": "DRONE",
        "motion": {"kind": "constant_velocity", "position_m": [0, 900, 0], "velocity_mps": [5, 0, 0]},
    },
    {
        "id": "far",
        "object_type": "SHIP",
        "side": "FRIEND",
        "transponder": {"mode": "ON", "id": "ALLY-1"},
        "motion": {"kind": "constant_velocity", "position_m": [3000, 0, 100], "velocity_mps": [-30, 0, 0]},
    },
    {
        "id": "late",
        "object_type": "DEBRIS",
        "appears_at_s": 2.0,
        "motion": {"kind": "constant_velocity", "position_m": [100, 50, 0]},
    },
]


def scenario(**fields: Any) -> Scenario:
    return Scenario.model_validate({"name": "test", "description": "for tests", "contacts": CONTACTS} | fields)


def world(seed: int = 7, parameters: BotParameters | None = None, **fields: Any) -> SimWorld:
    return SimWorld(scenario(**fields), parameters or BotParameters(), seed, RUN)


def weak(soc_pct: float) -> BotParameters:
    battery = StorageParameters(capacity_wh=1.0, start_pct=soc_pct, charge_limit_w=120.0, discharge_limit_w=140.0)
    return BotParameters(power=PowerParameters(battery=battery, base_source_w=75.0))


def truth_of(simulated: SimWorld, frame: MeasuredFrame) -> bytes:
    return truth_body(simulated.contacts, simulated.contacts.now, frame)


def run(simulated: SimWorld, ticks: int) -> tuple[list[MeasuredFrame], list[VehicleEvent]]:
    frames, events = [], []
    for _ in range(ticks):
        tick = simulated.tick()
        frames += [tick.frame] if tick.frame else []
        events += tick.events
    return frames, events


def recording(simulated: SimWorld, ticks: int) -> list[bytes]:
    """All that goes out of a run with some orders, as bytes."""
    out = []
    for number in range(ticks):
        if number == 10:
            simulated.submit(FireThruster(Axis.UP, 0.5, 1.0))
        frame = simulated.tick().frame
        if frame is not None:
            out += [frame_to_proto(frame).SerializeToString(deterministic=True), truth_of(simulated, frame)]
    return out


def test_the_same_seed_gives_the_same_bytes():
    assert recording(world(), 200) == recording(world(), 200)


def test_another_seed_gives_other_measurements_of_the_same_truth():
    one, other = world(1), world(2)
    assert recording(one, 20)[0] != recording(other, 20)[0]
    assert recording(one, 20)[1::2] == recording(other, 20)[1::2]


def test_frames_are_numbered_from_zero_at_the_frame_rate():
    frames, _ = run(world(), 40)
    assert [frame.number for frame in frames] == list(range(20))
    assert [frame.timestamp - scenario().epoch for frame in frames] == [
        timedelta(milliseconds=100 * (number + 1)) for number in range(20)
    ]


@pytest.mark.parametrize(("rate_hz", "expected"), [(20, 100), (10, 50), (4, 20), (1, 5), (0.5, 2)])
def test_the_scenario_sets_the_frame_rate(rate_hz: float, expected: int):
    assert len(run(world(frame_rate_hz=rate_hz), 100)[0]) == expected


def test_a_frame_carries_its_run_its_time_and_the_vehicles_own_state():
    simulated = world(bot={"position_m": [10, 20, 30], "velocity_mps": [1, 2, 3]})
    frames, _ = run(simulated, 20)
    message = frame_to_proto(frames[-1])
    assert (message.run_id, message.number) == (str(RUN), 9)
    assert message.frame.frame_id.value == str(run_frame_id(RUN, 9))
    assert message.frame.sensor_id.value == str(RADAR_SENSOR_ID)
    assert timestamp_from_proto(message.frame.timestamp) == simulated.timestamp
    assert list(message.own_position) == pytest.approx([11.0, 22.0, 33.0])
    assert list(message.own_velocity) == [1.0, 2.0, 3.0]
    assert frame_from_proto(message.frame).detections == frames[-1].detections.to_models()


def test_detections_are_relative_to_where_the_vehicle_is():
    simulated = world(contacts=[CONTACTS[0]], bot={"position_m": [0, 400, 0]})
    frames, _ = run(simulated, 20)
    ranges = [value for frame in frames for value in frame.detections.range_m.tolist()]
    assert ranges
    assert all(abs(value - 500.0) < 10.0 for value in ranges)


def test_truth_has_the_bytes_of_its_model():
    simulated = SimWorld(load_scenario("mixed-traffic"), BotParameters(), 7, RUN)
    for _ in range(100):
        if (frame := simulated.tick().frame) is not None:
            body = truth_of(simulated, frame)
            assert TruthSnapshot.from_json(body).to_json() == body
    assert TruthSnapshot.from_json(body).frame == frame.number == 49


def test_detections_have_the_bytes_of_their_models():
    for name in ("mixed-traffic", "clutter"):
        frames, _ = run(SimWorld(load_scenario(name), BotParameters(), 7, RUN), 100)
        for frame in frames:
            rows = [(plot.range_band, plot.to_json()) for plot in frame.detections.to_models()]
            assert frame.detections.to_json() == rows
        assert rows


def test_truth_is_what_is_present():
    simulated = world()
    frames, _ = run(simulated, 38)
    snapshot = TruthSnapshot.from_json(truth_of(simulated, frames[-1]))
    assert TruthSnapshot.from_json(snapshot.to_json()) == snapshot
    assert [contact.transponder_id for contact in snapshot.contacts] == [None, "ALLY-1"]
    assert snapshot.frame == 18
    assert snapshot.contacts[0].position.x == pytest.approx(5.0 * 1.9)
    frames, _ = run(simulated, 4)
    assert len(TruthSnapshot.from_json(truth_of(simulated, frames[-1])).contacts) == 3


def test_telemetry_is_the_contracts_and_the_vehicles():
    simulated = world(bot={"velocity_mps": [3, 4, 0], "heading_deg": 90.0})
    simulated.submit(SwitchNbl(on=True))
    run(simulated, 3)
    state = SimState(running=True, paused=False, speed=1.0, tick=3, run_id=str(RUN), behind_s=0.0)
    snapshot = telemetry(simulated, state)
    assert TelemetrySnapshot.from_json(snapshot.to_json()) == snapshot
    assert snapshot.timestamp == scenario().epoch + timedelta(seconds=0.15)
    assert snapshot.ts_unix_ms == round(snapshot.timestamp.timestamp() * 1000)
    assert (snapshot.velocity, snapshot.heading, snapshot.attitude.yaw_rad) == (5.0, 90.0, 0.0)
    assert snapshot.power.nbl_active
    assert snapshot.power.power_out_w == pytest.approx(sum(snapshot.power.loads_w.values()))
    assert {node.id for node in snapshot.thermal.nodes} == {"core", "pdu", "supercap", "battery", "dock_bridge", "hull"}
    assert snapshot.docking.state == "undocked"
    assert snapshot.sensors["radar"] == {"id": str(RADAR_SENSOR_ID), "ok": True}


@pytest.mark.parametrize(
    ("heading", "yaw"), [(0, math.pi / 2), (90, 0), (180, -math.pi / 2), (270, math.pi), (300, 5 * math.pi / 6)]
)
def test_yaw_is_counter_clockwise_from_east(heading: float, yaw: float):
    assert yaw_rad(heading) == pytest.approx(yaw)
    assert -math.pi < yaw_rad(heading) <= math.pi


def test_an_order_takes_effect_at_the_next_tick():
    simulated = world()
    simulated.submit(Cruise(1.0))
    assert simulated.vehicle.drive.speed_mps == 0.0
    simulated.tick()
    assert simulated.vehicle.drive.speed_mps == 1.0


def test_what_the_vehicle_cannot_do_is_refused_at_once():
    simulated = world()
    simulated.submit(EngageDock(Port.A))
    simulated.tick()
    with pytest.raises(OrderError, match="docked at port A"):
        simulated.submit(Cruise(1.0))


def test_an_order_that_another_made_impossible_is_dropped_and_reported():
    simulated = world()
    simulated.submit(EngageDock(Port.A))
    simulated.submit(Cruise(1.0))
    events = simulated.tick().events
    assert [event.kind for event in events] == [VehicleEventKind.ORDER_DROPPED]
    assert simulated.vehicle.drive.speed_mps == 0.0


def test_without_power_there_are_no_frames_and_the_numbers_wait():
    simulated = world(parameters=weak(soc_pct=19.0))
    frames, events = run(simulated, 100)
    assert frames == []
    assert [event.kind for event in events] == [VehicleEventKind.RADAR_LOST, VehicleEventKind.POWER_LOW]
    assert events[0].details == {"reason": "the radar is shed: BATTERY_LOW"}
    simulated.submit(EngageDock(Port.A))
    simulated.submit(SwitchDockPower(on=True))
    frames, events = run(simulated, 100)
    assert [event.kind for event in events] == [VehicleEventKind.RADAR_RESTORED]
    assert [frame.number for frame in frames] == list(range(len(frames)))
    assert frames[0].t_s > 5.0
    simulated.submit(ReleaseDock())
    frames, events = run(simulated, 4)
    assert frames == []


def test_a_failed_radar_gives_no_frames():
    sensors = SensorParameters(mean_time_between_failures_s={SensorKind.RADAR: 5.0}, repair_s=1.0)
    simulated = world(parameters=BotParameters(sensors=sensors))
    frames, events = run(simulated, 800)
    kinds = {event.kind for event in events}
    assert kinds == {
        VehicleEventKind.RADAR_LOST,
        VehicleEventKind.RADAR_RESTORED,
        VehicleEventKind.SENSOR_FAILED,
        VehicleEventKind.SENSOR_RESTORED,
    }
    assert [frame.number for frame in frames] == list(range(len(frames)))
    assert 0 < len(frames) < 390


def test_a_contact_in_the_way_strikes():
    rock = {
        "id": "rock",
        "object_type": "ASTEROID",
        "motion": {"kind": "constant_velocity", "position_m": [0, 100, 0], "velocity_mps": [0, -50, 0]},
    }
    simulated = world(contacts=[rock])
    _, events = run(simulated, 60)
    assert [event.kind for event in events] == [VehicleEventKind.STRUCK]
    assert simulated.vehicle.hull.integrity_pct == pytest.approx(100.0 - 0.5 * 62.0 * 2500.0 / 1000.0, abs=0.01)


def test_the_nearest_contact():
    assert world().nearest_m() == pytest.approx(900.0)
    assert world(contacts=[]).nearest_m() is None
