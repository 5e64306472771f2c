"""The radar service: publishes the simulator's frames to JetStream."""

import asyncio
import contextlib
from datetime import datetime
from functools import partial

from prometheus_client import Counter, Gauge

from q_sim_radar.backlog import TOO_LARGE, Backlog, Gap, gaps_before
from q_sim_radar.recovery import Last, Recovery
from q_sim_radar.settings import RadarSettings
from q_sim_radar.source import CONDITION, frames
from qiki.contracts import topics
from qiki.contracts.events import RADAR_GAP, RadarGap
from qiki.contracts.frame_messages import frame_messages
from qiki.runtime.clock import now
from qiki.runtime.nats import connect
from qiki.runtime.publisher import Publisher
from qiki.runtime.retry import StoppingError
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
        recovery = Recovery(service, link, partial(report, service))
        with_recovery = Publisher(link, checked={topics.FRAMES.subject}, recover=recovery.lost)
        async with with_recovery as publisher, service.events.sent_by(publisher):
            with contextlib.suppress(StoppingError):
                last = await recovery.first()
                service.log.info("goes on behind", last_stored=last)
                await _work(service, publisher, recovery, last)
            await publisher.drained()


async def _work(service: Service[RadarSettings], publisher: Publisher, recovery: Recovery, last: Last | None) -> None:
    backlog = Backlog(service.settings.radar_backlog_bytes)
    async with TaskGroup() as group:
        receiver = group.create_task(receive(service, backlog, last))
        group.create_task(publish(service, backlog, publisher, recovery, last))
        await service.stopping.wait()
        receiver.cancel()
        backlog.close()


async def receive(service: Service[RadarSettings], backlog: Backlog, last: Last | None) -> None:
    """Move frames from the simulator to the backlog."""
    async for frame in frames(service, last):
        backlog.put(frame)
        BACKLOG.set(len(backlog))


async def publish(
    service: Service[RadarSettings], backlog: Backlog, publisher: Publisher, recovery: Recovery, last: Last | None
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
            report(service, gap, measured.frame.timestamp)
        messages = frame_messages(measured.frame, measured.origin, measured.radar, now())
        last = (waiting.run, waiting.number)
        stored = await publisher.publish_all(messages)
        stored.add_done_callback(partial(_settled, service, recovery, last, measured.frame.timestamp))
        PUBLISHED.inc()


def _settled(
    service: Service[RadarSettings], recovery: Recovery, place: Last, moment: datetime, stored: "asyncio.Future[None]"
) -> None:
    """Note that a frame is stored; report one that the broker never takes."""
    if stored.cancelled():
        return
    if stored.exception() is None:
        recovery.acknowledged, recovery.moment = place, moment
    else:
        report(service, Gap(*place, place[1], TOO_LARGE), moment)


def report(service: Service[RadarSettings], gap: Gap, moment: datetime) -> None:
    """Report lost frames, known at a simulated time, in the log, as a metric and as an event."""
    LOST.inc(gap.last_frame - gap.first_frame + 1)
    lost = {"first_frame": gap.first_frame, "last_frame": gap.last_frame, "reason": gap.reason}
    service.log.error("frames lost", run=gap.run, **lost)
    event = RadarGap(run_id=gap.run, ts_epoch=moment.timestamp(), **lost)
    event_id = f"{gap.run}:{gap.first_frame}-{gap.last_frame}:gap"
    service.events.emit(RADAR_GAP, event, event_id, moment)
