"""The radar service: publishes the simulator's frames to JetStream."""

import asyncio
import contextlib
from functools import partial

from prometheus_client import Counter, Gauge

from q_sim_radar.backlog import Backlog, Gap, Measured, gaps_before
from q_sim_radar.settings import RadarSettings
from q_sim_radar.source import CONDITION, frames
from qiki.contracts import topics
from qiki.contracts.events import RADAR_GAP, RadarGap
from qiki.contracts.frame_messages import LAST_SUBJECT, frame_messages
from qiki.contracts.headers import FrameOrigin
from qiki.runtime.clock import now
from qiki.runtime.nats import Link, connect
from qiki.runtime.publisher import Publisher
from qiki.runtime.retry import StoppingError, last_message, until_there
from qiki.runtime.service import Service
from qiki.runtime.tasks import TaskGroup

PUBLISHED = Counter("qiki_radar_frames_published_total", "Frames handed to JetStream")
LOST = Counter("qiki_radar_frames_lost_total", "Frames that were measured and will not be published")
REFUSED = Counter("qiki_radar_frames_refused_total", "Frames of the simulator that the contract does not allow")
BACKLOG = Gauge("qiki_radar_backlog_frames", "Frames that wait for NATS")


async def main(service: Service[RadarSettings]) -> None:
    """Publish frames until the service stops, then the rest of the backlog."""
    service.health.wait_for(CONDITION, "not connected yet")
    async with connect(service) as link:
        if service.stopping.is_set():
            return
        async with Publisher(link) as publisher, service.events.sent_by(publisher):
            with contextlib.suppress(StoppingError):
                await _work(service, publisher, await last_stored(service, link))
            await publisher.drained()


async def _work(service: Service[RadarSettings], publisher: Publisher, last: tuple[str, int] | None) -> None:
    service.log.info("goes on behind", last_stored=last)
    backlog = Backlog(service.settings.radar_backlog_bytes)
    async with TaskGroup() as group:
        receiver = group.create_task(receive(service, backlog, last))
        group.create_task(publish(service, backlog, publisher, last))
        await service.stopping.wait()
        receiver.cancel()
        backlog.close()


async def last_stored(service: Service[RadarSettings], link: Link) -> tuple[str, int] | None:
    """Return run and number of the last frame stored on all its subjects; None if there is none, or another radar's."""
    stream = topics.QIKI_RADAR_V1
    ask = partial(last_message, link.jetstream, stream, LAST_SUBJECT)
    message = await until_there(service, f"{stream} does not answer", ask)
    try:
        origin = FrameOrigin.read(message.headers if message else None)
    except ValueError as error:
        service.log.error("the last stored frame has headers that do not read", reason=str(error))
        return None
    return (origin.run, origin.frame) if origin else None


async def receive(service: Service[RadarSettings], backlog: Backlog, last: tuple[str, int] | None) -> None:
    """Move frames from the simulator to the backlog."""
    async for frame in frames(service, last):
        backlog.put(frame)
        BACKLOG.set(len(backlog))


async def publish(
    service: Service[RadarSettings], backlog: Backlog, publisher: Publisher, last: tuple[str, int] | None
) -> None:
    """Publish the backlog in order, and report each gap."""
    while (waiting := await backlog.take()) is not None:
        BACKLOG.set(len(backlog))
        await asyncio.sleep(0)  # to read a large frame takes milliseconds
        try:
            measured = waiting.read()
        except ValueError as error:
            REFUSED.inc()
            backlog.refuse(waiting)
            service.log.error("frame refused", run=waiting.run, frame=waiting.number, reason=str(error))
            continue
        for gap in gaps_before(waiting, last):
            report(service, gap, measured)
        await publisher.publish_all(frame_messages(measured.frame, measured.origin, measured.radar, now()))
        PUBLISHED.inc()
        last = (waiting.run, waiting.number)


def report(service: Service[RadarSettings], gap: Gap, measured: Measured) -> None:
    """Report lost frames in the log, as a metric and as an event."""
    LOST.inc(gap.last_frame - gap.first_frame + 1)
    lost = {"first_frame": gap.first_frame, "last_frame": gap.last_frame, "reason": gap.reason}
    service.log.error("frames lost", run=gap.run, **lost)
    event = RadarGap(run_id=gap.run, ts_epoch=measured.frame.timestamp.timestamp(), **lost)
    event_id = f"{gap.run}:{gap.first_frame}-{gap.last_frame}:gap"
    service.events.emit(RADAR_GAP, event, event_id, measured.frame.timestamp)
