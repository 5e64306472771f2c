"""Messages may hold anything: they fail the check that reads them, in one line."""

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

import pytest

from generated.q_sim_api_pb2 import GetSensorDataResponse, ListActuatorsResponse
from qiki.contracts import topics
from qiki.contracts.control import AckPayload, ControlAck
from qiki.contracts.events import BIOS_OK, BOOT_OK, COMMAND_REFUSED, Refusal
from qiki.contracts.headers import FRAME, MESSAGE_ID, RUN
from qiki.contracts.radar import RadarFrame, TrackedFrame
from qiki.contracts.topics import FRAMES_BY_BAND
from qiki_harness.smoke.check import CheckVerdict, run
from qiki_harness.smoke.checks import CHECKS
from qiki_harness.smoke.checks.radar import FRAMES

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
REQUEST = UUID("00000000-0000-4000-8000-00000000002b")
FRAME_ID = UUID("00000000-0000-4000-8000-00000000002c")
BY_NAME = {check.name: check for check in CHECKS}
BODIES = {
    "empty": b"",
    "text": b"well,\nthank you",
    "half": b'{"schema_version": 1,\n',
    "null": b"null",
    "list": b"[1, 2]",
    "another": b'{"a": {"b": [{}]}}',
    "no UTF-8": b'{"source": "\xff\xfe"}',
    "surrogate": b'{"source": "\\ud800"}',
    "no time": b'{"timestamp": "0001-01-01T00:00:00+14:00", "ts_epoch": 1e999}',
    "deep": b"[" * 9999,
}


@pytest.fixture
def failure(watcher, take):
    """Why a check failed on a stack on which these messages have passed, and that answers so."""

    def text(name, *messages, refused=None):
        watcher.forget()
        take(*messages)
        watcher.sim = SimpleNamespace(
            ListActuators=lambda *_, **__: ListActuatorsResponse(),
            GetSensorData=lambda *_, **__: GetSensorDataResponse(),
        )
        watcher.newest = lambda topic, _: [one for one in messages if topic.covers(one.subject)]
        watcher.command = lambda *_, **__: refused
        (result,) = run([BY_NAME[name]], watcher)
        assert result.verdict is CheckVerdict.FAILED
        assert result.text.isprintable()
        return result.text

    return text


@pytest.fixture(params=BODIES.values(), ids=BODIES)
def body(request):
    return request.param


@pytest.fixture
def frames(message):
    """Ten frames on each of three subjects."""

    def make(body, **headers):
        return [
            message(topic.subject, body, {RUN: "a", FRAME: str(number)} | headers, number + 1)
            for number in range(FRAMES)
            for topic in FRAMES_BY_BAND.values()
        ]

    return make


def test_an_event(body, failure, message):
    event = message(BOOT_OK.subject, body, BOOT_OK.headers("event-1", NOON, "registrar"), 7)
    assert failure("cloudevents", event).startswith(f"{BOOT_OK.subject}, sequence 7: ")


def test_telemetry(body, failure, message):
    said = failure("botspec", message(topics.TELEMETRY.subject, body))
    assert said.startswith("qiki.telemetry: no TelemetrySnapshot: ")


def test_sensors_that_are_none(telemetry, failure, message):
    odd = telemetry.model_copy(update={"sensors": {"radar": 3}})
    assert failure("botspec", message(topics.TELEMETRY.subject, odd.to_json())).startswith("AttributeError: ")


@pytest.fixture
def refused():
    """The acknowledgement of a refused command."""
    payload = AckPayload(command_name="smoke.unknown", status="refused")
    return ControlAck(kind="x", timestamp=NOON, request_id=str(REQUEST), success=False, ok=False, payload=payload)


@pytest.fixture
def refusal(message):
    """Its event."""

    def make(**headers):
        body = Refusal(command="x", sender="smoke", request_id=str(REQUEST), reason="x", ts_epoch=0.0)
        return message(COMMAND_REFUSED.subject, body, headers, 7)

    return make


def test_the_event_of_a_refusal(body, refused, failure, message):
    said = failure("registrar", message(COMMAND_REFUSED.subject, body, {}, 7), refused=refused)
    assert said.startswith(f"{COMMAND_REFUSED.subject}, sequence 7: no Refusal: ")


def test_an_event_without_its_id(refused, failure, refusal):
    said = failure("registrar", refusal(), refused=refused)
    assert said == f"{COMMAND_REFUSED.subject}, sequence 7: {MESSAGE_ID}: is missing"


def test_an_audit_record(body, refused, failure, refusal, message):
    record = message(topics.AUDIT.subject, body, {}, 8)
    said = failure("registrar", refusal(**{MESSAGE_ID: "event-1"}), record, refused=refused)
    assert said.startswith(f"{topics.AUDIT.subject}, sequence 8: no AuditRecord: ")


def test_a_frame(body, failure, frames):
    expected = f"{topics.FRAMES.subject}, sequence 1"
    assert failure("radar", *frames(body)).startswith(expected)


@pytest.mark.parametrize("name", ["radar", "tracks"])
@pytest.mark.parametrize("number", ["", "ten", "1.5", "9" * 5000, "7\x1b[31m"])
def test_a_frames_number(name, number, failure, frames):
    assert failure(name, *frames(b"{}", **{FRAME: number})).startswith(
        f"{topics.FRAMES.subject}, sequence 1: {FRAME}: "
    )


@pytest.mark.parametrize("name", ["radar", "tracks"])
def test_a_frame_of_a_run_without_a_number(name, failure, frames, message):
    unnumbered = [message(one.subject, one.body, {RUN: "a"}, one.sequence) for one in frames(b"{}")]
    assert failure(name, *unnumbered) == f"{topics.FRAMES.subject}, sequence 1: {FRAME}: is missing"


def test_what_is_said_of_a_frame(body, failure, frames, message):
    said = [message(topics.TRACKED.subject, body, {RUN: "a", FRAME: str(number)}, 40) for number in range(FRAMES)]
    assert failure("tracks", *frames(b"{}"), *said).startswith(
        f"{topics.TRACKED.subject}, sequence 40: no TrackedFrame"
    )


def test_a_track(body, failure, frames, message):
    frame = RadarFrame(frame_id=FRAME_ID, sensor_id=FRAME_ID, timestamp=NOON).to_json()
    told = TrackedFrame(run_id="a", frame_id=FRAME_ID, frame=0, timestamp=NOON, tracks=1).to_json()
    places = [{RUN: "a", FRAME: str(number)} for number in range(FRAMES)]
    said = [message(topics.TRACKED.subject, told, place, 40) for place in places]
    unnamed = [message(topics.TRACKS.subject, body, place, 41) for place in places]
    tracks = [message(topics.TRACKS.subject, body, place | {MESSAGE_ID: place[FRAME]}, 41) for place in places]
    expected = f"{topics.TRACKS.subject}, sequence 41: "
    assert failure("tracks", *frames(frame), *said, *unnamed) == f"{expected}{MESSAGE_ID}: is missing"
    assert failure("tracks", *frames(frame), *said, *tracks).startswith(f"{expected}no RadarTrack: ")


@pytest.mark.parametrize("name", ["agent", "guard"])
def test_the_agents_state(name, body, failure, message):
    assert failure(name, message(topics.AGENT_STATE.subject, body)).startswith("qiki.agent.v1.state: no AgentState: ")


def test_the_agents_self_test(body, state, failure, message):
    states = [state(7, bios_ok=False), state(8, bios_ok=False)]
    report = message(BIOS_OK.subject, body, {}, 9)
    assert failure("agent", *states, report).startswith(f"{BIOS_OK.subject}, sequence 9: no BiosStatus: ")
