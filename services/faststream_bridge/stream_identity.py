"""Checks that stream and durable are still those that the bridge follows: its sequences mean nothing in others.

The server does not say that one was removed or made again, or that it came back without its last messages. Then the
bridge ends, and its next start finds out where to go on.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from nats.js.api import ConsumerInfo, StreamInfo

from faststream_bridge.snapshot import Snapshot
from faststream_bridge.stream_position import PRECISION, Position, StoredFrames
from qiki.contracts import topics
from qiki.errors import UserError


class StreamChangedError(UserError):
    """The stream or the durable is no longer the one that the bridge follows."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} while the bridge followed it; started again, it finds out where to go on")


class Newest:
    """The time when the newest message handled was stored.

    Attributes:
        stored: that time, if it is known; the broker's clock may have been set back since an earlier message
    """

    def __init__(self) -> None:
        self.stored: datetime | None = None
        self._latest: datetime | None = None

    def note(self, stored: datetime | None) -> None:
        """Note a message that was handled."""
        self.stored = stored
        if stored is not None:
            self._latest = max(self._latest or stored, stored)

    def check(self, stored: datetime | None) -> None:
        """Check a message whose sequence says that it was handled.

        Raises:
            StreamChangedError: it was stored later than any that was handled.
        """
        if stored and self._latest and stored > self._latest + PRECISION:
            raise StreamChangedError(f"{topics.QIKI_RADAR_V1} was made again, or lost its last messages,")


async def covers(snapshot: Snapshot, where: Position, frames: StoredFrames) -> bool:
    """Return whether the newest frame of a snapshot is the one that the stream holds at its sequence.

    It is not where the broker lost it and others have taken its place. A frame that has aged away counts as the same.
    """
    if snapshot.stored is None or snapshot.sequence < where.first_sequence:
        return True
    stored = await frames.when(snapshot.sequence)
    return stored is not None and abs(stored - snapshot.stored) <= PRECISION


def check_followed(
    where: Position, sequence: int, streams: Iterable[StreamInfo], durables: Mapping[tuple[str, str], ConsumerInfo]
) -> None:
    """Compare stream and durable with those that the bridge began with.

    Args:
        where: at the bridge's start
        sequence: of the newest message handled before the server was asked
        streams: all of the server's
        durables: all of the server's, by stream and name

    Raises:
        StreamChangedError: it is not the same any more.
    """
    stream = next((one for one in streams if one.config.name == topics.QIKI_RADAR_V1), None)
    durable = durables.get((topics.QIKI_RADAR_V1, topics.FRAMES_DURABLE))
    if stream is None:
        raise StreamChangedError(f"{topics.QIKI_RADAR_V1} was removed")
    if str(stream.created) != where.stream:
        raise StreamChangedError(f"{topics.QIKI_RADAR_V1} was made again")
    if stream.state.last_seq < sequence:
        raise StreamChangedError(f"{topics.QIKI_RADAR_V1} lost its last {sequence - stream.state.last_seq} messages")
    if durable is None:
        raise StreamChangedError(f"{topics.FRAMES_DURABLE} was removed")
    if str(durable.created) != where.durable:
        raise StreamChangedError(f"{topics.FRAMES_DURABLE} was made again")
