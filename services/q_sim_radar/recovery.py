"""Frames that the broker acknowledged and lost, as after a power failure: sent again, or reported as a gap."""

from collections.abc import Callable, Collection
from datetime import datetime

from nats.js.api import RawStreamMsg

from q_sim_radar.backlog import CUT, Gap, Waiting, not_received
from q_sim_radar.settings import RadarSettings
from q_sim_radar.source import kept
from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.frame_messages import LAST_SUBJECT, frame_messages
from qiki.contracts.headers import FrameOrigin, Message
from qiki.contracts.ids import frame_message_id
from qiki.runtime.clock import now
from qiki.runtime.nats import Link
from qiki.runtime.retry import last_message, patiently, until_there
from qiki.runtime.service import Service

Last = tuple[str, int]


class Recovery:
    """Compares, after each reconnect, what the stream holds with what it acknowledged.

    Args:
        tell: called with each gap, and a simulated time at which it is known

    Attributes:
        acknowledged: run and number of the newest frame that the broker has acknowledged
        moment: simulated time of that frame
    """

    def __init__(self, service: Service[RadarSettings], link: Link, tell: Callable[[Gap, datetime], None]) -> None:
        self._service, self._link, self._tell = service, link, tell
        self.acknowledged: Last | None = None
        self.moment = now()

    async def first(self) -> Last | None:
        """Return run and number of the last frame that is stored, at the start: this service goes on behind it."""
        message = await until_there(self._service, f"{topics.QIKI_RADAR_V1} does not answer", self._newest)
        self.acknowledged = self._place(message)
        return self.acknowledged

    async def lost(self, held: Collection[str]) -> list[Message]:
        """Return the messages of the frames that the broker lost; tell those that cannot be sent as gaps.

        Messages with the ids `held` are sent behind them in any case.
        """
        last = self.acknowledged
        message = await patiently(self._newest, answers=())
        stored = self._place(message)
        if last is None or (stored is None and message is not None) or _reaches(stored, last):
            return []  # also where the newest is another radar's
        self._service.log.error("the broker lost frames that it had acknowledged", stored=stored, acknowledged=last)
        last = last[0], first_held(last, held) - 1
        if _reaches(stored, last):
            return []
        messages, before = list[Message](), stored
        async for frame in kept(self._service, stored, last):
            messages += self._messages(frame, before)
            before = (frame.run, frame.number)
        for gap in not_received(last[0], last[1] + 1, before, CUT):
            self._tell(gap, self.moment)
        self._service.log.info("sends frames again", messages=len(messages))
        return messages

    def _messages(self, frame: Waiting, before: Last | None) -> list[Message]:
        try:
            measured = frame.read()
        except ValueError:  # it was refused, and told, the first time
            return []
        for gap in not_received(frame.run, frame.number, before, CUT):
            self._tell(gap, measured.frame.timestamp)
        return frame_messages(measured.frame, measured.origin, measured.radar, now())

    async def _newest(self) -> RawStreamMsg | None:
        return await last_message(self._link.jetstream, topics.QIKI_RADAR_V1, LAST_SUBJECT)

    def _place(self, message: RawStreamMsg | None) -> Last | None:
        """Return run and number of a frame; None for none, or another radar's."""
        try:
            origin = FrameOrigin.read(message.headers if message else None)
        except ValueError as error:
            self._service.log.error("the last stored frame has headers that do not read", reason=str(error))
            return None
        return (origin.run, origin.frame) if origin else None


def _reaches(stored: Last | None, last: Last) -> bool:
    return stored is not None and stored[0] == last[0] and stored[1] >= last[1]


def first_held(last: Last, held: Collection[str]) -> int:
    """Return the number of the first frame whose messages are held; of the one behind `last` where none is."""
    run, number = last
    while frame_message_id(run, number, RadarRangeBand.RR_UNSPECIFIED.name) in held:
        number -= 1
    return number + 1
