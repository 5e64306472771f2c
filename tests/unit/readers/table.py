"""Every reader of messages on the bus, with a sound message, and the errors that it may raise."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import structlog
from pydantic import ValidationError

from faststream_bridge.frames import Poison, StoredFrame, read_content
from faststream_bridge.max_deliveries import Exhausted
from q_core_agent import inputs
from q_core_agent.lockstep import RefusedError, read_place
from q_sim_radar.recovery import Recovery
from q_sim_service.requests import read_message, salvage
from qiki.agent.perception.observer import Observer
from qiki.audit.intake import read_draft
from qiki.contracts import topics
from qiki.contracts.cloudevents import BrokenEventError, read_cloud_event
from qiki.contracts.events import EVENTS, GUARD_CLEARED, GUARD_RESUMED, RADAR_GAP, RUN_STARTED
from qiki.contracts.headers import FrameOrigin, Message, cloud_event
from qiki.contracts.radar_figures import RadarFigures
from qiki.contracts.sim import SimOrder, SimRun
from qiki.flight.digest import RunDigest
from qiki.radar import RadarParameters
from qiki.runtime.health import Health
from qiki.runtime.publish_ledger import read_answer
from qiki.runtime.reading import read_payload
from qiki.world.errors import OrderError
from qiki.world.inputs import read_inputs, read_order
from qiki_harness.twin.records import Record, UnreadableError
from registrar.anchors import read_anchor, read_head
from registrar.radar import TRAFFIC, amount_of

ID = "6f1c3d1e-0000-4000-8000-000000000001"
MOMENT = "2026-01-01T00:00:01.000000Z"
AT = datetime(2026, 1, 1, tzinfo=UTC)
VECTOR = {"x": 1.0, "y": 2.0, "z": 3.0}
PLOT = {"range_m": 60.0, "bearing_deg": 1.0, "elev_deg": 1.0, "vr_mps": 1.0, "snr_db": 9.0, "rcs_dbsm": 1.0}
FRAME = {"schema_version": 1, "frame_id": ID, "sensor_id": ID, "timestamp": MOMENT, "detections": [PLOT]}
TRACKED = {"run_id": ID, "frame_id": ID, "frame": 7, "timestamp": MOMENT, "tracks": 1}
ESTIMATE = {
    "track_id": ID, "state": [0.0] * 9, "covariance": [1.0] * 45, "mode_probabilities": [0.5, 0.5], "existence": 1.0
}  # fmt: skip
ALERT = {
    "subject": "R", "ts_epoch": 1.0, "rule_id": "R", "id": ID, "track_id": ID, "fsm_event": "E", "severity": "critical",
    "message": "near", "range_m": 50.0, "quality": 0.9, "iff": 3, "transponder_on": False, "transponder_mode": 0,
}  # fmt: skip
CLEARED = {
    "category": "radar", "source": "guard", "ts_epoch": 1.0, "run_id": ID, "rule_id": "R", "track_id": ID,
    "fsm_event": "E",
}  # fmt: skip
AUDIT = {
    "event_id": "1", "code": 500, "event_type": "t", "source": "s", "timestamp": MOMENT, "payload": {}, "sequence": 1,
    "severity": "INFO", "registered_at": MOMENT, "previous_hash": "0" * 64, "hash": "0" * 64,
}  # fmt: skip
ANCHOR = {
    "schema_version": 1, "sequence": 1, "hash": "0" * 64, "signed_at": MOMENT, "key": f"ed25519:{'A' * 43}=",
    "signature": f"{'A' * 86}==",
}  # fmt: skip
COMMAND = {"command_name": "sim.pause", "parameters": {"ticks": 1}, "metadata": {"message_id": ID, "source": "me"}}
ACK = {
    "kind": "sim.step", "timestamp": MOMENT, "success": True, "ok": True,
    "payload": {"command_name": "sim.step", "status": "applied"},
}  # fmt: skip
TRUTH = {
    "run_id": ID, "frame": 7, "timestamp": MOMENT, "bot": {"position": VECTOR, "velocity": VECTOR},
    "contacts": [{"id": ID, "object_type": 1, "iff": 1, "transponder_mode": 0, "position": VECTOR, "velocity": VECTOR}],
}  # fmt: skip
TELEMETRY = {
    "source": "sim", "timestamp": MOMENT, "ts_unix_ms": 1, "position": VECTOR, "velocity": 1.0, "heading": 1.0,
    "sim_state": {"running": True, "paused": False, "speed": 1.0, "tick": 1, "run_id": ID, "behind_s": 0.0},
    "attitude": {"roll_rad": 0.0, "pitch_rad": 0.0, "yaw_rad": 0.0}, "battery": 1.0, "hull": {"integrity": 100.0},
    "power": {
        "soc_pct": 1.0, "power_in_w": 1.0, "power_out_w": 1.0, "bus_v": 1.0, "bus_a": 1.0, "sources_w": {"a": 1.0},
        "loads_w": {"a": 1.0}, "supercap_soc_pct": 1.0, "dock_connected": False, "nbl_active": False,
        "load_shedding": False, "shed_loads": ["a"], "faults": [],
    },
    "thermal": {"nodes": [{"id": "a", "temp_c": 1.0, "t_max_c": 1.0, "tripped": False}]},
    "propulsion": {"propellant_kg": 1.0, "rcs_active": False}, "docking": {"state": "undocked", "port": None},
    "comms": {"xpdr_mode": 1, "xpdr_allowed": True}, "sensors": {"radar": {"on": True}},
}  # fmt: skip
STATE = {
    "timestamp": MOMENT, "conduct": "live", "tick": 1, "run_id": ID, "causes": ["a"], "good_checks": 1,
    "fsm": {
        "snapshot_id": ID, "timestamp": MOMENT, "current_state": 1, "history": [], "fsm_instance_id": ID,
        "attempt_count": 1,
    },
    "inputs": {"tracks": {"subject": "s", "sequence": 1, "age_s": 0.1, "alive": True}}, "bios_ok": True,
    "engines": {"e": {"proposals": 1, "duration_s": 0.1, "fault": None}}, "tracks": 1, "alerts": 0,
}  # fmt: skip
RUN = {
    "run_id": ID, "timestamp": MOMENT, "scenario": {"name": "empty", "description": "nothing"}, "seed": 1,
    "parameters": {}, "sr_threshold_m": 5000.0, "speed": 1.0,
}  # fmt: skip
ORDER = {
    "run_id": ID, "tick": 3, "number": 0, "order": "rcs.fire", "origin": "control",
    "parameters": {"axis": "up", "fraction": 0.5, "duration_s": 1.0},
}  # fmt: skip
PLACE = {"x-qiki-run": ID, "x-qiki-frame": "7", "x-qiki-tick": "9"}
OF_FRAME = {
    **cloud_event(f"{ID}:7", "qiki.radar.v1.UNSPECIFIEDFrame", "urn:qiki:q-sim-service:radar", MOMENT),
    **PLACE,
    "x-qiki-own-position": "1 2 3",
    "x-qiki-own-velocity": "1 2 3",
    "x-qiki-identities": "F-1=1",
    "x-qiki-radar": RadarParameters().figures.text(),
}
OF_EVENT = dict(RUN_STARTED.headers("1", AT))
Headers = Mapping[str, str] | None


@dataclass(frozen=True)
class Reader:
    """A reader: `read` of a body and headers; a sound body and headers; all that it raises, and what it returns."""

    name: str
    read: Callable[[bytes, Headers], Any]
    body: Any
    headers: Mapping[str, str]
    raises: tuple[type[Exception], ...] = ()
    returns: Any = object

    def message(self) -> tuple[bytes, Headers]:
        """Return the sound message."""
        return json.dumps(self.body).encode(), self.headers


def _message(subject: str, body: bytes, headers: Headers) -> Any:
    return SimpleNamespace(subject=subject, data=body, headers=headers)


def _stored(subject: str, body: bytes, headers: Headers) -> None:
    """Give a message of a stream to an agent."""
    of_agent = inputs.Inputs(Observer(1.0, lockstep=False), Health("agent"), lockstep=False)
    of_agent._stored(_message(subject, body, headers), 1)


def _record(topic: topics.Topic[Any], body: bytes, headers: Headers) -> None:
    record: Record[Any] = Record(topic.subject, body, headers or {}, 1, topic)
    assert record.data is not None
    assert record.frame >= 0


def _counted(subject: str, body: bytes, headers: Headers) -> None:
    digest = RunDigest(ID)
    digest.add(Message(subject, body, headers or {}))
    digest.finish()


def _place(_: bytes, headers: Headers) -> object:
    recovery = Recovery(SimpleNamespace(log=structlog.get_logger()), None, print)  # type: ignore[arg-type]
    return recovery._place(SimpleNamespace(headers=headers))  # type: ignore[arg-type]


OF_AGENT = {
    topics.TRACKED.subject: TRACKED,
    topics.TRACKS.subject: PLOT | {"track_id": ID, "status": 2, "timestamp": MOMENT},
    topics.ESTIMATES.subject: {
        "run_id": ID, "frame": 7, "timestamp": MOMENT, "part": 1, "parts": 1, "tracks": [ESTIMATE]
    },
    topics.GUARD.subject: ALERT,
    GUARD_RESUMED.subject: ALERT,
    GUARD_CLEARED.subject: CLEARED,
    RADAR_GAP.subject: {"ts_epoch": 1.0, "run_id": ID, "first_frame": 3, "last_frame": 5, "reason": "lost"},
}  # fmt: skip
HEALTH = {"timestamp": MOMENT, "service": "s", "ready": False, "status": "waiting", "waiting_for": {"nats": "away"}}
BODIES = {
    topics.FRAMES.subject: FRAME,
    topics.FRAMES_LR.subject: FRAME,
    topics.FRAMES_SR.subject: FRAME,
    topics.AUDIT.subject: AUDIT,
    topics.ANCHOR.subject: ANCHOR,
    topics.TELEMETRY.subject: TELEMETRY,
    topics.COMMANDS.subject: COMMAND,
    topics.RESPONSES.subject: ACK,
    topics.TRUTH.subject: TRUTH,
    topics.AGENT_STATE.subject: STATE,
    topics.RUNS.subject: RUN,
    topics.HEALTH.subject: {
        "timestamp": MOMENT,
        "service": "registrar",
        "ready": False,
        "status": "waiting",
        "waiting_for": {"nats": "away"},
    },
    topics.ORDERS.subject: ORDER,
    **OF_AGENT,
}
"""A sound body of each topic that has a model."""
OF_DLQ = {"x-qiki-reason": "r", "x-qiki-origin-subject": "s", "x-qiki-origin-seq": "7", "x-qiki-frame": "7"}
READERS = (
    Reader("frame", read_content, FRAME, OF_FRAME, (), StoredFrame | Poison),
    Reader("place of a frame", lambda _, headers: FrameOrigin.read(headers), {}, OF_FRAME, (ValueError,)),
    Reader("figures", lambda _, headers: RadarFigures.read(headers), {}, OF_FRAME, (ValueError,)),
    Reader("last stored frame", _place, {}, OF_FRAME, (), tuple | None),
    Reader("CloudEvent", lambda body, headers: read_cloud_event(headers, body), {}, OF_EVENT, (BrokenEventError,)),
    Reader(
        "draft", lambda body, headers: read_draft("s", headers, body, AT), {"a": 1}, OF_EVENT, (BrokenEventError,)
    ),
    Reader("anchor", lambda body, _: read_anchor(body, ()), BODIES[topics.ANCHOR.subject], {}),
    Reader("inputs of a run", lambda body, _: read_inputs(SimRun.from_json(body)), RUN, {}, (ValidationError,)),
    Reader("order", lambda body, _: read_order(SimOrder.from_json(body)), ORDER, {}, (ValidationError, OrderError)),
    *(
        Reader(f"digest of {topic.subject}", partial(_counted, topic.subject), BODIES[topic.subject], OF_FRAME,
            (ValueError,))
        for topic in (topics.FRAMES, topics.TRACKED, topics.TRUTH, topics.GUARD)
    ),
    Reader("head", lambda body, _: read_head(body), AUDIT, {}),
    Reader("command", lambda body, _: read_message(body), COMMAND, {}, (ValueError,)),
    Reader("part of a command", lambda body, _: salvage(body[:65_536]), COMMAND, {}),
    Reader(
        "acknowledgement",
        lambda body, headers: read_place(_message("", body, headers)),
        ACK,
        PLACE,
        (RefusedError, ValueError, LookupError),
    ),
    Reader("advisory", lambda body, _: Exhausted.from_json(body), {}, {}, (ValidationError,)),
    Reader("answer to a publish", lambda body, _: read_answer(_message("", body, None)), {"seq": 1}, {}),
    *(
        Reader(f"traffic of {traffic.topic.noun}s", partial(lambda one, body, _: amount_of(body, one), traffic),
            BODIES[traffic.topic.subject], {}, (), int | None)
        for traffic in TRAFFIC
    ),
    *(Reader(f"agent's {subject}", partial(_stored, subject), body, PLACE) for subject, body in OF_AGENT.items()),
    *(
        Reader(f"payload on {topic.subject}", partial(lambda model, body, _: read_payload(model, body), topic.model),
            BODIES[topic.subject], {}, (ValidationError,))
        for topic in topics.TOPICS
        if topic.model is not None
    ),
    *(
        Reader(f"event {kind.ce_type}", partial(lambda model, body, _: model.from_json(body), kind.model), {}, {},
            (ValidationError,))
        for kind in {kind.model: kind for kind in EVENTS}.values()
    ),
    *(
        Reader(f"record of {topic.subject}", partial(_record, topic), BODIES.get(topic.subject, {}), OF_FRAME | OF_DLQ,
            (UnreadableError,))
        for topic in (topics.FRAMES, topics.EVENTS, topics.DEAD_LETTERS)
    ),
)  # fmt: skip
