"""Frames of the simulator's radar, as the stream keeps them."""

from collections.abc import Sequence
from itertools import pairwise

from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import FRAME, RUN
from qiki.contracts.models import RadarFrame, TelemetrySnapshot
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.inbox import Inbox, Message
from qiki_harness.smoke.payloads import header, read, wrong
from qiki_harness.smoke.session import Session

FRAMES = 10
SUBJECTS = {
    topics.FRAMES.subject: RadarRangeBand.RR_UNSPECIFIED,
    topics.FRAMES_LR.subject: RadarRangeBand.RR_LR,
    topics.FRAMES_SR.subject: RadarRangeBand.RR_SR,
}
_PATIENCE_S = 10.0
_LOOK_S = 2.0

Place = tuple[str, int]
"""Run and number of a frame."""


async def radar(session: Session) -> str:
    """So many frames, each on all three subjects, in the order of their numbers."""
    async with (
        session.listening(topics.TELEMETRY.subject) as telemetry,
        session.following(topics.QIKI_RADAR_V1, *SUBJECTS) as inbox,
    ):
        whole, *bands = await _frames(inbox, telemetry)
    for one in (whole, *bands):
        check_order([place(message) for message in one])
    plots = [_plots(*together) for together in zip(whole, *bands, strict=True)]
    rate_hz = (FRAMES - 1) / (whole[-1].came_s - whole[0].came_s)
    (_, first), (_, last) = place(whole[0]), place(whole[-1])
    return f"frames {first} to {last} on 3 subjects, {rate_hz:.1f} Hz, {sum(plots)} detections in them"


async def _frames(inbox: Inbox, telemetry: Inbox) -> list[list[Message]]:
    """The first frames on each subject, from the first whole one on."""
    for _ in range(int(_PATIENCE_S / _LOOK_S)):
        came = len(inbox.messages)
        if found := await inbox.until(complete, _LOOK_S):
            return found
        silent = came == len(inbox.messages)
        if silent and telemetry.messages and (reason := why_none(read(TelemetrySnapshot, telemetry.messages[-1]))):
            raise CheckFailedError(f"no frames: {reason}")
    counts = ", ".join(f"{len(of_simulator(inbox.messages, subject))} on {subject}" for subject in SUBJECTS)
    raise CheckFailedError(f"expected {FRAMES} frames on each subject within {_PATIENCE_S:g} s, came: {counts}")


def complete(messages: Sequence[Message]) -> list[list[Message]] | None:
    """So many frames on each subject, beginning with the same one; None while there are not so many."""
    whole = of_simulator(messages, topics.FRAMES.subject)
    if not whole:
        return None
    begin = place(whole[0])
    found = []
    for subject in SUBJECTS:
        frames = of_simulator(messages, subject)
        first = next((index for index, message in enumerate(frames) if place(message) == begin), len(frames))
        found.append(frames[first : first + FRAMES])
    return found if all(len(frames) == FRAMES for frames in found) else None


def of_simulator(messages: Sequence[Message], subject: str) -> list[Message]:
    """Frames on a subject; other radars' are left out."""
    return [message for message in messages if message.subject == subject and RUN in message.headers]


def place(message: Message) -> Place:
    """Run and number of a frame, or of what comes of it.

    Raises:
        CheckFailedError: its headers do not say them.
    """
    number = header(message, FRAME)
    try:
        return header(message, RUN), int(number)
    except ValueError:
        raise wrong(message, f"{FRAME}: {number!r} is no number") from None


def check_order(places: Sequence[Place]) -> None:
    """Numbers ascend by one; a new run begins at 0.

    Raises:
        CheckFailedError: they do not.
    """
    for (run, number), (next_run, next_number) in pairwise(places):
        expected = number + 1 if next_run == run else 0
        if next_number != expected:
            raise CheckFailedError(f"frame {number} of run {run} is followed by {next_number}, expected {expected}")


def why_none(telemetry: TelemetrySnapshot) -> str | None:
    """Why there can be no frames, as far as the vehicle says so."""
    state = telemetry.sim_state
    if state.paused:
        return "the simulation is paused (sim.start resumes it)"
    if not state.running:
        return "the simulation is stopped (sim.start starts it)"
    if "radar" in telemetry.power.shed_loads:
        return "the radar is shed: the vehicle has no power for it"
    if not telemetry.sensors.get("radar", {}).get("ok", True):
        return "the radar has failed"
    return None


def _plots(whole: Message, long: Message, short: Message) -> int:
    """How many detections a frame holds: those of the two bands, each on its own subject."""
    frame, far, near = (read(RadarFrame, message) for message in (whole, long, short))
    for message, one in ((long, far), (short, near)):
        if {plot.range_band for plot in one.detections} - {SUBJECTS[message.subject]}:
            raise wrong(message, f"frame {one.frame_id} holds detections of another range band")
    if len(frame.detections) != len(far.detections) + len(near.detections):
        raise wrong(whole, f"frame {frame.frame_id} holds other detections than its two bands")
    return len(frame.detections)
