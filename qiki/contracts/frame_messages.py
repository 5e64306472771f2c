"""The three messages of a radar frame: all detections, long range alone, short range alone."""

from collections.abc import Sequence
from datetime import datetime

from qiki.clock import rfc3339
from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import RADAR, FrameOrigin, Message
from qiki.contracts.radar import RadarFrame
from qiki.contracts.radar_figures import RadarFigures

LAST_SUBJECT = topics.FRAMES_SR.subject  # published last: a frame that is stored here is stored on all three
_NO_PLOTS = b"]}"  # end of a frame's body, whose last member is the list of its detections
Plots = Sequence[tuple[int, bytes]]  # range band and JSON of each detection


def frame_messages(
    frame: RadarFrame, origin: FrameOrigin, radar: RadarFigures | None, ts_ingest: datetime
) -> list[Message]:
    """Return the messages of a frame in the order in which they are published; each detection becomes JSON once.

    `radar` holds the figures that a tracker needs, None for the default radar. `ts_ingest` is wall time.
    """
    bare = frame.model_copy(update={"ts_ingest": ts_ingest, "detections": ()})
    return messages_of_plots(bare, [(plot.range_band, plot.to_json()) for plot in frame.detections], origin, radar)


def messages_of_plots(bare: RadarFrame, plots: Plots, origin: FrameOrigin, radar: RadarFigures | None) -> list[Message]:
    """Return the messages of a frame whose detections are JSON already; `bare` is the frame without them."""
    head = bare.to_json().removesuffix(_NO_PLOTS)
    time = rfc3339(bare.timestamp)
    figures = {RADAR: radar.text()} if radar else {}
    messages = []
    for band, topic in topics.FRAMES_BY_BAND.items():
        rows = (row for of, row in plots if band in {RadarRangeBand.RR_UNSPECIFIED, of})
        body = head + b",".join(rows) + _NO_PLOTS
        messages.append(Message(topic.subject, body, origin.headers(band, time) | figures))
    return messages
