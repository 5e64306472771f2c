"""Messages as the services send them, and a small vehicle that answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid5

import pytest

from qiki.agent.perception.observer import Observer
from qiki.agent.vehicle import ActuatorReport, Answers, Outcome, Reading
from qiki.agent.world import TELEMETRY, TRACKS, Input, World
from qiki.botspec import BotConfig, generate, load_spec
from qiki.contracts.actuators import ActuatorCommand
from qiki.contracts.enums import CommandType, FriendFoe, FSMState, RadarTrackStatus, TransponderMode
from qiki.contracts.estimates import TrackEstimate, TrackEstimates
from qiki.contracts.events import GuardCleared
from qiki.contracts.ids import run_frame_id, track_id
from qiki.contracts.radar import GuardAlert, RadarTrack, TrackedFrame
from qiki.contracts.telemetry import TelemetrySnapshot

RUN = "6f1c3d1e-0000-4000-8000-000000000001"
START_S = 1_790_000_000.0
FRAME_S = 0.1
SPACE = UUID(RUN)


def moment(t_s: float) -> datetime:
    return datetime.fromtimestamp(START_S + t_s, UTC)


class Make:
    """Builds what the tests need; times are seconds since the run's epoch."""

    RUN = RUN
    START_S = START_S

    @staticmethod
    def run(number: int) -> str:
        return str(uuid5(SPACE, f"run {number}"))

    @staticmethod
    @cache
    def track_id(number: int) -> UUID:
        return track_id(SPACE, number)

    @staticmethod
    @cache
    def track(number: int, t_s: float = 0.0, status: RadarTrackStatus = RadarTrackStatus.TRACKED) -> RadarTrack:
        return RadarTrack(
            track_id=Make.track_id(number),
            status=status,
            range_m=60.0,
            bearing_deg=0.0,
            elev_deg=0.0,
            vr_mps=0.0,
            snr_db=20.0,
            rcs_dbsm=0.0,
            timestamp=moment(t_s),
        )

    @staticmethod
    @cache
    def tracked(frame: int, tracks: int, run: str = RUN) -> TrackedFrame:
        return TrackedFrame(
            run_id=run,
            frame_id=run_frame_id(SPACE, frame),
            frame=frame,
            timestamp=moment(frame * FRAME_S),
            tracks=tracks,
        )

    @staticmethod
    @cache
    def estimates(frame: int, *tracks: int, part: int = 1, parts: int = 1, run: str = RUN) -> TrackEstimates:
        """Each is 1 km ahead, in quiet flight."""
        covariance = [1.0 if row == column else 0.0 for row in range(9) for column in range(row, 9)]
        return TrackEstimates(
            run_id=run,
            frame=frame,
            timestamp=moment(frame * FRAME_S),
            part=part,
            parts=parts,
            tracks=tuple(
                TrackEstimate(
                    track_id=Make.track_id(number),
                    state=(0.0, 1000.0, 0.0, 0.0, -20.0, 0.0, 0.0, 0.0, 0.0),
                    covariance=tuple(covariance),
                    mode_probabilities=(0.9, 0.1),
                    existence=0.99,
                )
                for number in tracks
            ),
        )

    @staticmethod
    @cache
    def alert(
        number: int, frame: int = 0, severity: str = "critical", rule: str = "UNKNOWN_CONTACT_CLOSE"
    ) -> GuardAlert:
        return GuardAlert(
            subject=rule,
            ts_epoch=START_S + frame * FRAME_S,
            rule_id=rule,
            id=Make.track_id(number),
            track_id=Make.track_id(number),
            fsm_event="RADAR_ALERT_UNKNOWN_CLOSE",
            severity=severity,
            message="an unknown contact is close: 60 m",
            range_m=60.0,
            quality=0.9,
            iff=FriendFoe.UNKNOWN,
            transponder_on=False,
            transponder_mode=TransponderMode.OFF,
        )

    @staticmethod
    @cache
    def cleared(number: int, frame: int, run: str = RUN, rule: str = "UNKNOWN_CONTACT_CLOSE") -> GuardCleared:
        return GuardCleared(
            run_id=run,
            rule_id=rule,
            track_id=Make.track_id(number),
            fsm_event="RADAR_ALERT_UNKNOWN_CLOSE",
            ts_epoch=START_S + frame * FRAME_S,
        )

    @staticmethod
    def telemetry(t_s: float = 0.0, run: str = RUN, **changes: Any) -> TelemetrySnapshot:
        """Changes: of `sim` (SimState), `power`, `comms`; `nodes` {id: (temp_c, tripped)}, `failed` sensors."""
        sim = {"running": True, "paused": False, "speed": 1.0, "tick": round(t_s * 20), "run_id": run, "behind_s": 0.0}
        power = dict.fromkeys(("power_in_w", "power_out_w", "bus_v", "bus_a", "supercap_soc_pct"), 0.0)
        power |= {"soc_pct": 80.0, "sources_w": {}, "loads_w": {}, "shed_loads": (), "faults": ()}
        power |= dict.fromkeys(("dock_connected", "nbl_active", "load_shedding"), False)
        nodes = {"core": (25.0, False), "pdu": (25.0, False), "battery": (20.0, False), "hull": (-50.0, False)}
        nodes |= changes.get("nodes", {})
        failed = changes.get("failed", ())
        axes = {"x": 0.0, "y": 0.0, "z": 0.0}
        return TelemetrySnapshot.model_validate(
            {
                "source": "test",
                "timestamp": moment(t_s),
                "ts_unix_ms": round((START_S + t_s) * 1000),
                "sim_state": sim | changes.get("sim", {}),
                "position": axes,
                "velocity": 0.0,
                "heading": 0.0,
                "attitude": {"roll_rad": 0.0, "pitch_rad": 0.0, "yaw_rad": 0.0},
                "battery": 80.0,
                "hull": {"integrity": 100.0},
                "power": power | changes.get("power", {}),
                "thermal": {
                    "nodes": [
                        {"id": name, "temp_c": temp_c, "t_max_c": 90.0, "tripped": tripped}
                        for name, (temp_c, tripped) in nodes.items()
                    ]
                },
                "propulsion": {"propellant_kg": 10.0, "rcs_active": False},
                "docking": {"state": "UNDOCKED", "port": None},
                "comms": {"xpdr_mode": TransponderMode.ON, "xpdr_allowed": True} | changes.get("comms", {}),
                "sensors": {
                    name: {"id": "-", "ok": name not in failed} for name in ("lidar", "imu", "gps", "thermal", "radar")
                },
            }
        )

    @staticmethod
    def answers(config: BotConfig, **changes: Any) -> Answers:
        """A vehicle in order; changes are those of `Answers`, entries of None are left out."""
        hardware = config.hardware_profile
        readings: dict[int, Any] = {
            int(one.type): Reading(str(one.id), is_valid=True, has_data=True) for one in hardware.sensors
        }
        actuators: dict[UUID, Any] = {one.id: ActuatorReport(one.role, ready=True) for one in hardware.actuators}
        return Answers(
            controller=changes.get("controller", ""),
            readings=_present(readings | changes.get("readings", {})),
            actuators=_present(actuators | changes.get("actuators", {})),
            timed_out=changes.get("timed_out", False),
        )

    @staticmethod
    def world(**changes: Any) -> World:
        """A world in which all is well."""
        inputs = {
            TRACKS: Input("qiki.tracker.v1.frames", 7, 0.05, alive=True),
            TELEMETRY: Input("qiki.telemetry", None, 0.2, alive=True),
        }
        own = changes.pop("own", None) or Make.telemetry()
        well = World(tick=1, run_id=RUN, t_s=START_S, own=own, inputs=inputs)
        return replace(well, **changes)


def _present(entries: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: entry for key, entry in entries.items() if entry is not None}


OBEYED = Outcome(True, "")


@dataclass
class SmallVehicle:
    """Gives the answers of the test, shows the mode that it took, and keeps the commands."""

    answers: Answers
    outcome: Outcome = OBEYED
    sent: list[ActuatorCommand] = field(default_factory=list)
    tests: int = 0
    safe: bool = False

    async def self_test(self) -> Answers:
        self.tests += 1
        return replace(self.answers, safe_mode=None if self.answers.timed_out else self.safe)

    async def send(self, command: ActuatorCommand) -> Outcome:
        self.sent.append(command)
        if self.outcome.accepted and command.command_type == CommandType.SET_MODE:
            self.safe = command.value == FSMState.ERROR_STATE
        return self.outcome


@dataclass
class Bridge:
    """Tells an observer of whole frames, as the bridge and the simulator do; each message has the next sequence."""

    observer: Observer
    run: str = RUN
    sequence: int = 0

    def next(self) -> int:
        self.sequence += 1
        return self.sequence

    def frame(
        self,
        number: int,
        tracks: tuple[int, ...],
        now_s: float,
        alerts: tuple[Any, ...] = (),
        ended: tuple[Any, ...] = (),
    ) -> None:
        for track in tracks:
            report = Make.track(track, number * FRAME_S)
            self.observer.take_track(report, self.run, number, self.next(), now_s)
        for alert in alerts:
            self.observer.take_alert(alert, self.run, number, self.next(), now_s)
        for cleared in ended:
            self.observer.take_cleared(cleared, number, self.next(), now_s)
        notice = Make.tracked(number, len(tracks), self.run)
        self.observer.take_tracked(notice, len(alerts) + len(ended), 0, self.next(), now_s)


@pytest.fixture(scope="session")
def make() -> type[Make]:
    return Make


@pytest.fixture(scope="session")
def config() -> BotConfig:
    return generate(load_spec())


@pytest.fixture
def vehicle(config: BotConfig) -> SmallVehicle:
    return SmallVehicle(Make.answers(config))


@pytest.fixture(scope="session")
def bridge_of() -> type[Bridge]:
    return Bridge


@pytest.fixture
def observer(make: type[Make]) -> Observer:
    observer = Observer(1.0, lockstep=False)
    observer.take_telemetry(make.telemetry(), 0.0)
    return observer


@pytest.fixture
def bridge(observer: Observer, bridge_of: type[Bridge]) -> Bridge:
    return bridge_of(observer)
