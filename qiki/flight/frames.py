"""A frame of a run: measured, tracked and judged, with the truth that belongs to it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np

from qiki.clock import rfc3339
from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.frame_messages import messages_of_plots
from qiki.contracts.headers import Message
from qiki.contracts.radar_figures import RadarFigures
from qiki.contracts.telemetry import TruthSnapshot
from qiki.geometry import unit_vectors
from qiki.guard.messages import estimates_messages, guard_messages, spoofer_messages, track_messages, tracked_message
from qiki.guard.tracked_run import Tracked
from qiki.tracking import Scan
from qiki.tracking.scan import EPOCH, MICROSECOND
from qiki.world.contacts import Contacts, ContactStates
from qiki.world.truth import truth_body
from qiki.world.world import MeasuredFrame


@dataclass(frozen=True)
class FlownFrame:
    """A measured frame, its tracks and alerts, and the truth.

    Attributes:
        radar: the figures that a tracker needs; None for the default radar
        states: those of the contacts when the frame was measured
    """

    measured: MeasuredFrame
    radar: RadarFigures | None
    contacts: Contacts
    states: ContactStates
    tracked: Tracked

    def without(self, tracks: Collection[str]) -> "FlownFrame":
        """Return the same frame without these tracks, by their ids; the measurement and the truth stay."""
        return replace(self, tracked=self.tracked.without(tracks)) if tracks else self

    @property
    def truth(self) -> TruthSnapshot:
        """True state of the present contacts; made when asked for."""
        return TruthSnapshot.from_json(self._truth_body)

    @cached_property
    def estimates(self) -> list[Message]:
        """The estimates of the frame's tracks, ready to publish."""
        return estimates_messages(self.tracked)

    @property
    def _truth_body(self) -> bytes:
        return truth_body(self.contacts, self.states, self.measured)

    def messages(self, ts_ingest: datetime) -> list[Message]:
        """Return all messages of the frame in the order of a stack; `ts_ingest` is wall time there."""
        measured, tracked = self.measured, self.tracked
        estimates = self.estimates
        return [
            *messages_of_plots(measured.bare(ts_ingest), measured.detections.to_json(), measured.origin, self.radar),
            Message(topics.TRUTH.subject, self._truth_body, {}),
            *track_messages(tracked, rfc3339(ts_ingest)),
            *guard_messages(tracked),
            *spoofer_messages(tracked),
            *estimates,
            tracked_message(tracked, parts=len(estimates)),
        ]


def scan_of(frame: MeasuredFrame) -> Scan:
    """Return the tracker's scan of a frame, past the wire; values are rounded where they are measured."""
    plots = frame.detections
    return Scan(
        t_us=(frame.timestamp - EPOCH) // MICROSECOND,
        own_position=np.array(frame.own_position_m, dtype=np.float64),
        own_velocity=np.array(frame.own_velocity_mps, dtype=np.float64),
        range_m=plots.range_m,
        line_of_sight=unit_vectors(np.radians(plots.bearing_deg), np.radians(plots.elev_deg)),
        doppler_mps=plots.vr_mps,
        snr_db=plots.snr_db,
        rcs_dbsm=plots.rcs_dbsm,
        long_range=plots.range_band == RadarRangeBand.RR_LR,
        transponder_on=plots.transponder_on,
        transponder_mode=plots.transponder_mode.astype(np.int8),
        transponder_id=plots.transponder_id.tolist(),
    )
