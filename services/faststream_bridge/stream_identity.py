"""Whether the stream and the durable are still those that the bridge follows: its sequences mean nothing in others.

The server tells nobody that one was removed or made again, or that it came back without its last messages. Then the
bridge ends, and its next start settles where to go on.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from nats.js.api import ConsumerInfo, StreamInfo

from faststream_bridge.snapshot import Snapshot
from faststream_bridge.stream_position import PRECISION, Position, StoredFrames
from qiki.contracts import topics
from qiki.errors import UserError


class StreamChangedError(UserError):
    """What the bridge follows is no longer what it was."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} while the bridge followed it; started again, it finds out where to go on")


class Newest:
    """When the newest message handled was stored.

    Attributes:
        stored: that time, if it is known; the broker's clock may have been set back since an earlier message
    """

    def __init__(self) -> None:
        self.stored: datetime | None = None
        self._latest: datetime | None = None

    def note(self, stored: datetime | None) -> None:
        """A message was handled."""
        self.stored = stored
        if stored is not None:
            self._latest = max(self._latest or stored, stored)

    def check(self, stored: datetime | None) -> None:
        """Check one that looks as if it had been handled, by its sequence.

        Raises:
            StreamChangedError: it was stored later than anything that was handled.
        """
        if stored and self._latest and stored > self._latest + PRECISION:
            raise StreamChangedError(f"{topics.QIKI_RADAR_V1} was made again, or lost its last messages,")


async def covers(snapshot: Snapshot, where: Position, frames: StoredFrames) -> bool:
    """Whether the newest frame that a snapshot covers is the one that the stream holds in that place.

    It is not where the broker lost it, and others have taken its place since. One that has aged away is believed.
    """
    if snapshot.stored is None or snapshot.sequence < where.first_sequence:
        return True
    stored = await frames.when(snapshot.sequence)
    return stored is not None and abs(stored - snapshot.stored) <= PRECISION


def check_followed(
    where: Position, sequence: int, streams: Iterable[StreamInfo], durables: Mapping[tuple[str, str], ConsumerInfo]
) -> None:
    """Compare what there is with what there was.

    Args:
        where: what the bridge began with
        sequence: what it had handled before the server was asked
        streams: all that there are
        durables: all that there are, by stream and name

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
