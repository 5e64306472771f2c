"""Messages may hold anything: they fail the check that reads them, in one line."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module
from types import SimpleNamespace
from uuid import UUID

import pytest

from generated.q_sim_api_pb2 import GetSensorDataResponse, ListActuatorsResponse
from qiki.contracts import topics
from qiki.contracts.control import AckPayload, ControlAck
from qiki.contracts.events import BIOS_OK, BOOT_OK, COMMAND_REFUSED, Refusal
from qiki.contracts.headers import FRAME, MESSAGE_ID, RUN
from qiki.contracts.models import RadarFrame, TrackedFrame
from qiki_harness.smoke.check import Verdict
from qiki_harness.smoke.checks import CHECKS
from qiki_harness.smoke.checks.radar import FRAMES, SUBJECTS
from qiki_harness.smoke.inbox import Inbox, Message
from qiki_harness.smoke.runner import run

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


def giving(what):
    async def give(*_, **__):
        return what

    return give


class Told:
    """A stack on which these messages have passed, and that answers so."""

    def __init__(self, *messages, answer=b"", bios=b""):
        self._messages = messages
        self.target = SimpleNamespace(bot_spec=None)
        self.sim = SimpleNamespace(
            ListActuators=giving(ListActuatorsResponse()), GetSensorData=giving(GetSensorDataResponse())
        )
        self.client = SimpleNamespace(request=giving(SimpleNamespace(data=answer)))
        self.jetstream = SimpleNamespace(
            stream_info=giving(SimpleNamespace(state=SimpleNamespace(last_seq=0))),
            get_last_msg=giving(SimpleNamespace(data=bios, seq=9)),
        )

    @asynccontextmanager
    async def listening(self, *subjects):
        inbox = Inbox()
        for message in self._messages:
            if message.subject in subjects:
                inbox.take(message)
        yield inbox

    def following(self, _, *subjects, **__):
        return self.listening(*subjects)

    newest = property(lambda self: giving(list(self._messages)))


def failure(name, *messages, **answers):
    """Why a check failed."""
    (result,) = asyncio.run(run([BY_NAME[name]], Told(*messages, **answers)))
    assert result.verdict is Verdict.FAILED
    assert result.text.isprintable()
    return result.text


@pytest.fixture(params=BODIES.values(), ids=BODIES)
def body(request):
    return request.param


def frames(body, **headers):
    """Ten frames on each of three subjects."""
    return [
        Message(subject, body, {RUN: "a", FRAME: str(number)} | headers, number + 1, float(number))
        for number in range(FRAMES)
        for subject in SUBJECTS
    ]


def test_an_event(body):
    event = Message(BOOT_OK.subject, body, BOOT_OK.headers("event-1", NOON, "registrar"), 7)
    assert failure("cloudevents", event).startswith(f"{BOOT_OK.subject}, sequence 7: ")


def test_telemetry(body):
    said = failure("botspec", Message(topics.TELEMETRY.subject, body))
    assert said.startswith("qiki.telemetry: no TelemetrySnapshot: ")


def test_sensors_that_are_none(telemetry):
    odd = telemetry.model_copy(update={"sensors": {"radar": 3}})
    assert failure("botspec", Message(topics.TELEMETRY.subject, odd.to_json())).startswith("AttributeError: ")


def test_the_answer_to_a_command(body):
    assert failure("registrar", answer=body).startswith("the answer to smoke.unknown: no ControlAck: ")


@pytest.fixture
def answer(monkeypatch):
    """A command is refused, under an id that is known."""
    monkeypatch.setattr(import_module("qiki_harness.smoke.checks.registrar"), "uuid4", lambda: REQUEST)
    refused = AckPayload(command_name="smoke.unknown", status="refused")
    ack = ControlAck(kind="x", timestamp=NOON, request_id=str(REQUEST), success=False, ok=False, payload=refused)
    return ack.to_json()


def refusal(**headers):
    told = Refusal(command="x", sender="smoke", request_id=str(REQUEST), reason="x", ts_epoch=0.0)
    return Message(COMMAND_REFUSED.subject, told.to_json(), headers, 7)


def test_the_event_of_a_refusal(body, answer):
    said = failure("registrar", Message(COMMAND_REFUSED.subject, body, {}, 7), answer=answer)
    assert said.startswith(f"{COMMAND_REFUSED.subject}, sequence 7: no Refusal: ")


def test_an_event_without_its_id(answer):
    said = failure("registrar", refusal(), answer=answer)
    assert said == f"{COMMAND_REFUSED.subject}, sequence 7: {MESSAGE_ID}: is missing"


def test_an_audit_record(body, answer):
    record = Message(topics.AUDIT.subject, body, {}, 8)
    said = failure("registrar", refusal(**{MESSAGE_ID: "event-1"}), record, answer=answer)
    assert said.startswith(f"{topics.AUDIT.subject}, sequence 8: no AuditRecord: ")


def test_a_frame(body):
    expected = f"{topics.FRAMES.subject}, sequence 1"
    assert failure("radar", *frames(body)).startswith(expected)


@pytest.mark.parametrize("name", ["radar", "tracks"])
@pytest.mark.parametrize("number", ["", "ten", "1.5", "9" * 5000, "7\x1b[31m"])
def test_a_frames_number(name, number):
    assert failure(name, *frames(b"{}", **{FRAME: number})).startswith(
        f"{topics.FRAMES.subject}, sequence 1: {FRAME}: "
    )


@pytest.mark.parametrize("name", ["radar", "tracks"])
def test_a_frame_of_a_run_without_a_number(name):
    unnumbered = [Message(one.subject, one.body, {RUN: "a"}, one.sequence) for one in frames(b"{}")]
    assert failure(name, *unnumbered) == f"{topics.FRAMES.subject}, sequence 1: {FRAME}: is missing"


def test_what_is_said_of_a_frame(body):
    said = [Message(topics.TRACKED.subject, body, {RUN: "a", FRAME: str(number)}, 40) for number in range(FRAMES)]
    assert failure("tracks", *frames(b"{}"), *said).startswith(
        f"{topics.TRACKED.subject}, sequence 40: no TrackedFrame"
    )


def test_a_track(body):
    frame = RadarFrame(frame_id=FRAME_ID, sensor_id=FRAME_ID, timestamp=NOON).to_json()
    told = TrackedFrame(run_id="a", frame_id=FRAME_ID, frame=0, timestamp=NOON, tracks=1).to_json()
    places = [{RUN: "a", FRAME: str(number)} for number in range(FRAMES)]
    said = [Message(topics.TRACKED.subject, told, place, 40) for place in places]
    unnamed = [Message(topics.TRACKS.subject, body, place, 41) for place in places]
    tracks = [Message(topics.TRACKS.subject, body, place | {MESSAGE_ID: "1"}, 41) for place in places]
    expected = f"{topics.TRACKS.subject}, sequence 41: "
    assert failure("tracks", *frames(frame), *said, *unnamed) == f"{expected}{MESSAGE_ID}: is missing"
    assert failure("tracks", *frames(frame), *said, *tracks).startswith(f"{expected}no RadarTrack: ")


@pytest.mark.parametrize("name", ["agent", "guard"])
def test_the_agents_state(name, body):
    assert failure(name, Message(topics.AGENT_STATE.subject, body)).startswith("qiki.agent.v1.state: no AgentState: ")


def test_the_agents_self_test(body, state):
    states = [state(7, bios_ok=False), state(8, bios_ok=False)]
    assert failure("agent", *states, bios=body).startswith(f"{BIOS_OK.subject}, sequence 9: no BiosStatus: ")
