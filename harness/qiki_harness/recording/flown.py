"""Record a run that is flown in this process."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from qiki.contracts import topics
from qiki.contracts.headers import Message
from qiki.contracts.telemetry import SimState
from qiki.flight import Flight, Moment
from qiki.world.inputs import run_message
from qiki.world.snapshots import telemetry
from qiki.world.world import SimWorld
from qiki_harness.recording.about import about, attachments
from qiki_harness.recording.layout import FLIGHT
from qiki_harness.recording.writer import RecordingWriter

SPEED = 1.0
STATE_TICKS = 20
"""Ticks from one state of the agent and of the vehicle to the next, as at speed 1."""


def record_flight(flight: Flight, seconds: float, path: Path, checkout: Path | None = None) -> None:
    """Fly so many seconds of simulated time, and record all that a stack would publish.

    Args:
        flight: at its begin
        checkout: the project's folder, for the recording's origin; None where there is none

    Raises:
        RecordingError: the file exists already, or cannot be written.
    """
    record_moments(flight, flight.fly(seconds), path, checkout)


def record_moments(flight: Flight, moments: Iterable[Moment], path: Path, checkout: Path | None = None) -> None:
    """Record the moments of a flight, from its begin.

    Raises:
        RecordingError: the file exists already, or cannot be written.
    """
    ingest = datetime.now(UTC)
    with RecordingWriter(path, about(FLIGHT, checkout), attachments(checkout)) as writer:
        writer.put(run_message(flight.world, SPEED))
        writer.put(_telemetry(flight.world))
        for moment in moments:
            for message in moment.messages(ingest):
                writer.put(message)
            if moment.tick % STATE_TICKS == 0:
                writer.put(_telemetry(flight.world))
                if state := flight.agent_state():
                    writer.put(Message(topics.AGENT_STATE.subject, state.to_json(), {}))


def _telemetry(world: SimWorld) -> Message:
    tick, run_id = world.tick_count, str(world.run_id)
    state = SimState(running=True, paused=False, speed=SPEED, tick=tick, run_id=run_id, behind_s=0.0)
    return Message(topics.TELEMETRY.subject, telemetry(world, state).to_json(), {})
