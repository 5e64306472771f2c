"""A golden reference: the recording of a golden run, which is kept."""

from collections.abc import Collection
from pathlib import Path

from qiki.contracts import topics
from qiki.contracts.headers import Message
from qiki_harness.errors import RecordingError
from qiki_harness.golden.comparison import Timeline, first_of
from qiki_harness.golden.run import GoldenRun
from qiki_harness.recording.layout import RULES
from qiki_harness.recording.reader import Recording

RENEW = "pytest tests/golden --update-refs renews it"


class Reference:
    """The recording of a golden run.

    Attributes:
        run: as it is flown now
        messages: in their order
        rules: the guard's
        timeline: its frames
        world: at the begin of the run

    Raises:
        RecordingError: it is missing, cut short, or of another run than the present one.
    """

    def __init__(self, path: Path, run: GoldenRun) -> None:
        self.path, self.run = path, run
        try:
            self.messages, self.rules = read_whole(path)
        except RecordingError as error:
            raise RecordingError(f"{error}; {RENEW}") from None
        self.timeline = Timeline(self.of({topics.FRAMES.subject}))
        self.world = run.flight().world
        self._check_inputs()

    def of(self, subjects: Collection[str]) -> list[Message]:
        """Return the messages of some subjects."""
        return [message for message in self.messages if message.subject in subjects]

    def _check_inputs(self) -> None:
        """Raise RecordingError if the run was flown with other inputs."""
        expected = self.run.inputs(self.world)
        recorded = self.of({message.subject for message in expected} | {topics.COMMANDS.subject})
        found = first_of(self.timeline, recorded, expected)
        if found:
            where = found.field or f"{found.key[0]} {found.key[1]}"
            raise self._stale(f"{where}: recorded {found.one}, now {found.other}")
        if self.rules != self.run.rules.read_bytes():
            raise self._stale(f"the guard's rules were others than {self.run.rules.name} has now")
        if len(self.of({topics.TELEMETRY.subject})) * 2 != self.run.ticks + 2:
            raise self._stale(f"it does not last {self.run.seconds:g} s")

    def _stale(self, reason: str) -> RecordingError:
        return RecordingError(f"{self.path}: it is stale: {reason}; {RENEW}")


def read_whole(path: Path) -> tuple[list[Message], bytes]:
    """Return the messages of a recording, and the guard's rules.

    Raises:
        RecordingError: it is missing, no recording, not whole, or without frames.
    """
    recording = Recording(path)
    messages = [one.message for one in recording.messages()]
    if recording.summary is None:
        raise RecordingError(f"{path}: {recording.problem or 'its index was changed'}")
    if not any(message.subject == topics.FRAMES.subject for message in messages):
        raise RecordingError(f"{path}: it has no frames")
    return messages, recording.attachment(RULES) or b""
