"""A golden run, flown in this process, with all that the processes of a stack take and give for it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid5

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from qiki.agent.engine import Engine
from qiki.agent.vehicle import Answers
from qiki.audit.intake import read_draft
from qiki.audit.record import START, seal
from qiki.botspec import BotConfig, generate, load_spec
from qiki.clock import parse_rfc3339, rfc3339
from qiki.contracts import topics
from qiki.contracts.control import CommandMessage, CommandMetadata
from qiki.contracts.headers import MESSAGE_ID, Message
from qiki.contracts.sim import Origin
from qiki.contracts.telemetry import SimState
from qiki.contracts.ticks import TICK_MS, TICK_S
from qiki.flight import Flight
from qiki.flight.agent_driver import WorldVehicle, run_to_end
from qiki.flight.flight import LOCKSTEP
from qiki.guard import DEFAULT_RULES, load_rules
from qiki.world.commands import VehicleCommand, read_command
from qiki.world.inputs import run_message
from qiki.world.scenario import load_scenario
from qiki.world.snapshots import telemetry
from qiki.world.world import Giver, SimWorld
from qiki_harness.recording.about import about
from qiki_harness.recording.flown import SPEED, STATE_TICKS
from qiki_harness.recording.layout import RULES
from qiki_harness.recording.writer import RecordingWriter

STEP_TICKS = LOCKSTEP.lockstep_ticks
SENDER = "golden"
SELF_TEST = "golden.self_test"
"""Subject of the vehicle's answers to a self test, which the agent asks for by gRPC; recorded where they change."""
ANSWERS = TypeAdapter(Answers)
_OF_THE_LOG = {"sequence", "registered_at", "previous_hash", "hash"}


class Command(NamedTuple):
    """A control command that is given after so many ticks."""

    tick: int
    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class GoldenRun:
    """All that a run follows from, and how long it is flown.

    Attributes:
        scenario: name of a shipped one
        commands: to the vehicle, at even ticks: the simulator is stepped by two
        engines: makes the engines of an agent that conducts; None: the vehicle flies without an agent
        rules: file of the guard's rules
        bot: the vehicle's configuration
    """

    scenario: str
    seconds: float
    commands: tuple[Command, ...] = ()
    engines: Callable[[BotConfig], Mapping[str, Engine]] | None = None
    rules: Path = DEFAULT_RULES
    bot: BotConfig = field(default_factory=lambda: generate(load_spec()))

    def __post_init__(self) -> None:
        for command in self.commands:
            if command.tick % STEP_TICKS:
                raise ValueError(f"{command.name} at tick {command.tick} (expected a multiple of {STEP_TICKS})")

    @property
    def ticks(self) -> int:
        """Number of ticks that are flown."""
        return round(self.seconds / TICK_S)

    def flight(self) -> Flight:
        """Return the flight at its begin."""
        engines = self.engines(self.bot) if self.engines else None
        return Flight(
            load_scenario(self.scenario),
            bot=self.bot,
            rules=load_rules(self.rules),
            engines=engines,
            agent=None if engines is None else LOCKSTEP,
            agent_ticks=STEP_TICKS,
        )

    def inputs(self, world: SimWorld) -> list[Message]:
        """Return what the run follows from: its description, and the control commands."""
        commands = (self._command(world, number) for number in range(len(self.commands)))
        return [run_message(world, SPEED), *commands]

    def record(self, path: Path) -> None:
        """Fly, and record what a stack would publish, what its processes would ask, and what its registrar would write.

        Raises:
            RecordingError: the file exists already, or cannot be written.
        """
        with RecordingWriter(path, about("flight", None), {RULES: self.rules.read_bytes()}) as writer:
            for message in _registered(self._flown()):
                writer.put(message)

    def _flown(self) -> Iterator[Message]:
        flight = self.flight()
        described, *commands = self.inputs(flight.world)
        yield described
        yield from (held := _Held(self, flight.world)).messages()
        given = list(zip(self.commands, commands, strict=True))
        while flight.world.tick_count < self.ticks:
            for command, message in given:
                if command.tick == flight.world.tick_count:
                    _give(flight.world, command, message)
                    yield message
            moment = flight.tick()
            yield from moment.messages(flight.world.scenario.epoch)
            if moment.tick % STEP_TICKS == 0:
                yield from held.messages()
            if moment.tick % STATE_TICKS == 0 and (state := flight.agent_state()):
                yield Message(topics.AGENT_STATE.subject, state.to_json(), {})

    def _command(self, world: SimWorld, number: int) -> Message:
        command = self.commands[number]
        message_id = uuid5(world.run_id, f"{SENDER}:{number}")
        moment = world.scenario.epoch + timedelta(milliseconds=command.tick * TICK_MS)
        metadata = CommandMetadata(message_id=message_id, timestamp=moment, message_type="command", source=SENDER)
        body = CommandMessage(command_name=command.name, parameters=dict(command.parameters), metadata=metadata)
        return Message(topics.COMMANDS.subject, body.to_json(), {MESSAGE_ID: str(message_id)})


def _give(world: SimWorld, command: Command, message: Message) -> None:
    """Give a command as the simulator's control does."""
    order = read_command(command.name, dict(command.parameters))
    assert isinstance(order, VehicleCommand), command
    world.submit(order.order(), Giver(Origin.CONTROL, SENDER, message.headers[MESSAGE_ID]))


class _Held:
    """The telemetry and the answers to a self test of a simulation that is held, for the agent."""

    def __init__(self, run: GoldenRun, world: SimWorld) -> None:
        sensors = [sensor.type for sensor in run.bot.hardware_profile.sensors]
        self._vehicle = WorldVehicle(world, sensors, lambda *_: None)
        self._world, self._asked = world, run.engines is not None
        self._answers: Answers | None = None

    def messages(self) -> Iterator[Message]:
        """Yield telemetry; if an agent is there, also the answers where they are others than before."""
        tick, run_id = self._world.tick_count, str(self._world.run_id)
        state = SimState(running=False, paused=False, speed=SPEED, tick=tick, run_id=run_id, behind_s=0.0)
        yield Message(topics.TELEMETRY.subject, telemetry(self._world, state).to_json(), {})
        if self._asked and (answers := run_to_end(self._vehicle.self_test())) != self._answers:
            self._answers = answers
            body = {"timestamp": rfc3339(self._world.timestamp), "answers": ANSWERS.dump_python(answers, mode="json")}
            yield Message(SELF_TEST, to_json(body), {})


def _registered(messages: Iterator[Message]) -> Iterator[Message]:
    """Yield messages, and behind each event its audit record."""
    place = 0
    for message in messages:
        yield message
        if topics.EVENTS.covers(message.subject):
            moment = message.headers["ce-time"]
            draft = read_draft(message.subject, message.headers, message.body, parse_rfc3339(moment))
            yield audit_record(seal(draft, START, parse_rfc3339(moment)).line, place, moment)
            place += 1


def audit_record(line: bytes, place: int, moment: str) -> Message:
    """Return a line of the audit log as the record of an event of others, at its place among those.

    Its sequence, its wall time and the hashes, which follow from these, are left out.
    """
    fields = {name: value for name, value in from_json(line).items() if name not in _OF_THE_LOG}
    return Message(topics.AUDIT.subject, to_json(fields), {MESSAGE_ID: f"record {place:04}", "ce-time": moment})
