"""The tracker: one scan in, one report a track out."""

from collections.abc import Mapping
from typing import Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from qiki.arrays import Index, Mask
from qiki.contracts.enums import FriendFoe
from qiki.contracts.ids import track_id
from qiki.tracking.associator import associate, gains
from qiki.tracking.continuity import exchange, maybe_known, reattach
from qiki.tracking.errors import ScanError, TimeReversedError
from qiki.tracking.estimates import Estimates
from qiki.tracking.gate import NO_PAIRS, Pairs, gate, joined
from qiki.tracking.identity import NameBook, adopt, mark_spoofers, take_replies, weigh
from qiki.tracking.initiator import initiate, unassigned
from qiki.tracking.jumps import jump
from qiki.tracking.measurement import Measurements, OwnState, diagonal, measured, position_noise
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.predictor import predict
from qiki.tracking.reports import TrackReports, report
from qiki.tracking.resolution import Shared, divided, plots_of, share, shares
from qiki.tracking.scan import SECOND_US, Scan
from qiki.tracking.score import Rates, dead, existence, fade, score, smooth_strength
from qiki.tracking.tracks import (
    MOTION,
    NO_TRACKS,
    QUIET,
    Estimate,
    Header,
    Modes,
    TrackTable,
    appended,
    merged,
    without,
)
from qiki.tracking.updater import store, update
from qiki.tracking.visibility import seen

NAMES_A_TRACK = 2
SPARE_NAMES = 32
"""Names kept beyond those that tracks can use, before the book is cleaned."""


class Tracker:
    """Tracks of one run: multiple targets in clutter, with identities.

    Three interacting models of motion predict each track (Bar-Shalom, Li & Kirubarajan 2001, section 11.6.6). Global
    nearest neighbour assigns the plots within the gates (Blackman & Popoli 1999, section 6.4). A contact that jumped
    out of its gate is looked for in a wider one. An extended Kalman filter corrects each mode by the plot. The
    log-likelihood ratio confirms and deletes (section 6.2). Unassigned plots start tentative tracks. Tracks in one
    resolution cell share its plot (Koch & van Keuk 1997). Replies are evidence of identity. The same scans give the
    same reports, also through a snapshot.

    The tracks' ids follow from `run_id`; `identities` gives the side of each known transponder identity.
    """

    def __init__(self, run_id: UUID, parameters: TrackerParameters, identities: Mapping[str, FriendFoe]) -> None:
        self._run_id = run_id
        self._parameters = parameters
        self._identities = dict(identities)
        self._names = NameBook()
        self._tracks = NO_TRACKS
        self._next_counter = 0
        self._rates = Rates.of(parameters)
        self._t_us: int | None = None
        self._track_ids: dict[int, str] = {}

    @property
    def run_id(self) -> UUID:
        """The run of these tracks."""
        return self._run_id

    @property
    def t_us(self) -> int | None:
        """Event time of the newest scan [µs], None before the first."""
        return self._t_us

    def __len__(self) -> int:
        """Number of live tracks."""
        return len(self._tracks)

    def know(self, identities: Mapping[str, FriendFoe]) -> None:
        """Replace the sides of the known transponder identities."""
        self._identities = dict(identities)

    def step(self, scan: Scan) -> TrackReports:
        """Take in one scan; raise TimeReversedError if it is older than the last, ScanError if it is too large."""
        parameters, tracks, dt_s = self._parameters, self._tracks, self._elapsed_s(scan)
        gap, dt_s = dt_s > parameters.longest_gap_s, min(dt_s, parameters.longest_gap_s)
        plots = measured(scan.range_m, scan.line_of_sight, scan.doppler_mps, scan.snr_db, parameters)
        claims = self._names.indices(scan.transponder_id)
        own = OwnState(scan.own_position, scan.own_velocity)

        predict(tracks, dt_s, parameters)
        visible = seen(tracks, own, parameters)
        near = NO_PAIRS if gap else gate(tracks, plots, own, parameters)
        gain = gains(near, tracks, claims, self._rates.false_alarms, parameters)
        pairs = near.take(associate(near, gain, len(tracks), scan.size))
        shared = share(tracks, pairs, plots, own, parameters)
        if not gap:
            jumped = jump(tracks, near, pairs, shared, plots, own, claims, scan.t_us, self._rates, parameters)
            pairs = joined((pairs, jumped)) if len(jumped) else pairs
        self._correct(pairs, shared, plots, own)
        plot = plots_of(len(tracks), pairs, shared)

        known = np.count_nonzero(tracks["confirmed"])
        score(tracks, pairs, shared.track, visible, scan.t_us, self._rates, parameters)
        fade(tracks, visible, dt_s, parameters)
        births = int(np.count_nonzero(tracks["confirmed"]) - known)
        self._rates = self._rates.learned(scan.size, births, tracks, parameters)
        smooth_strength(tracks, pairs, scan, parameters)
        contrary = take_replies(tracks, pairs.track, scan, pairs.plot, claims)

        estimate = merged(tracks)
        gone = reattach(tracks, estimate, plot, scan.t_us, parameters) | dead(tracks, parameters) | gap
        if len(contrary) or tracks["doubt_us"].any():
            of_several = pairs.track[shares(shared, pairs.plot, scan.size)]
            self._judge(contrary, of_several, estimate, plot, scan.t_us, dt_s)
        free = unassigned(scan, np.concatenate((pairs.plot, shared.plot)), parameters.max_tracks - len(tracks))
        if len(free):
            estimate = estimate.joined(merged(self._initiate(scan, plots, free, claims)))
            gone = np.concatenate((gone, np.zeros(len(free), dtype=np.bool_)))
            plot = np.concatenate((plot, free))
        return self._report(estimate, gone, plot, scan)

    def estimates(self) -> Estimates:
        """Return the whole states of the live tracks after the newest scan, in the order of their birth."""
        tracks = self._tracks
        modes = Modes(*(column.copy() for column in Modes.of(tracks)))
        return Estimates(self._ids(tracks["counter"]), modes, existence(tracks["llr"]))

    def snapshot(self) -> bytes:
        """Return the whole state, as bytes for `restore`."""
        names, size = self._names.names, len(self._tracks)
        rates = self._rates.false_alarms, self._rates.new_contacts
        header = Header(str(self._run_id), self._t_us, self._next_counter, *rates, names, size)
        return header.pack(self._tracks)

    @classmethod
    def restore(cls, snapshot: bytes, parameters: TrackerParameters, identities: Mapping[str, FriendFoe]) -> Self:
        """Continue exactly as the tracker of the snapshot; raise SnapshotError if it is none, or of another version."""
        header, tracks = Header.unpack(snapshot)
        tracker = cls(UUID(header.run_id), parameters, identities)
        tracker._names, tracker._tracks = NameBook(header.names), tracks
        tracker._next_counter, tracker._t_us = header.next_counter, header.t_us
        tracker._rates = Rates(header.false_alarms, header.new_contacts)
        return tracker

    def _correct(self, pairs: Pairs, shared: Shared, plots: Measurements, own: OwnState) -> None:
        """Correct the tracks by their plots, and by those that they share."""
        tracks = self._tracks
        again = pairs.bent | shares(shared, pairs.plot, len(plots.range_m))
        direct, rest = pairs.take(np.flatnonzero(~again)), np.flatnonzero(again)
        store(tracks, direct.track, direct.corrected)
        if not len(rest) and not len(shared.track):
            return
        track = np.concatenate((pairs.track[rest], shared.track))
        plot = np.concatenate((pairs.plot[rest], shared.plot))
        first = pairs.corrected.take(rest).merged(MOTION).mean
        point = np.concatenate((first, tracks["mode_mean"][shared.track, QUIET, MOTION]))
        update(tracks, track, divided(tracks, track, plot, shared, plots, own), point, own)

    def _elapsed_s(self, scan: Scan) -> float:
        """Return the time since the newest scan, and check the new one [s]."""
        if scan.size > self._parameters.max_detections:
            raise ScanError(f"{scan.size} detections in a scan (expected at most {self._parameters.max_detections})")
        before = scan.t_us if self._t_us is None else self._t_us
        if scan.t_us < before:
            raise TimeReversedError(scan.t_us, before)
        self._t_us = scan.t_us
        return (scan.t_us - before) / SECOND_US

    def _judge(
        self, contrary: Index, of_several: Index, estimate: Estimate, plot: Index, t_us: int, dt_s: float
    ) -> None:
        """Judge the tracks `contrary`, (k,), which claim others' identities; `estimate` and `plot` may change.

        The plots of the tracks `of_several`, (h,), are shared: their replies may be a neighbour's, and prove nothing.
        """
        tracks, parameters = self._tracks, self._parameters
        adopt(tracks, contrary, t_us, parameters)
        found = weigh(tracks, contrary, estimate, round(dt_s * SECOND_US), parameters)
        exchange(tracks, estimate, plot, found, t_us, parameters)
        mark_spoofers(tracks, found.without(of_several), parameters)

    def _initiate(self, scan: Scan, plots: Measurements, rows: Index, claims: Index) -> TrackTable:
        """Add tracks of the unassigned plots `rows`, (k,), and return them."""
        chosen = plots.take(rows)
        position = scan.own_position + chosen.range_m[:, None] * chosen.sight
        variance = diagonal(position_noise(chosen, chosen.sight, chosen.range_m))
        known = maybe_known(self._tracks, position, variance, scan.t_us, self._parameters)
        born = initiate(scan, plots, rows, ~known, self._next_counter, self._rates, self._parameters)
        contrary = take_replies(born, np.arange(len(rows)), scan, rows, claims)
        older = len(self._tracks)
        self._tracks = appended(self._tracks, born)
        if len(contrary):
            adopt(self._tracks, older + contrary, scan.t_us, self._parameters)
        self._next_counter += len(rows)
        return born

    def _report(self, estimate: Estimate, gone: Mask, plot: Index, scan: Scan) -> TrackReports:
        """Report all tracks, and drop those that are gone with this report."""
        tracks, names = self._tracks, self._names.names
        ids = self._ids(tracks["counter"])
        # The last side is for the index NOBODY.
        sides = [*(self._identities.get(name, FriendFoe.UNKNOWN) for name in names), FriendFoe.UNKNOWN]
        sides_of = np.array(sides, dtype=np.int8)
        reports = report(tracks, estimate, gone, plot, scan, ids, names, sides_of, self._parameters)
        if gone.any():
            for counter in tracks["counter"][gone].tolist():
                del self._track_ids[counter]
            self._tracks = without(tracks, gone)
        if len(names) > SPARE_NAMES + NAMES_A_TRACK * len(self._tracks):
            self._names = self._names.without_unused(self._tracks)
        return reports

    def _ids(self, counters: NDArray[np.int64]) -> list[str]:
        """Return the tracks' ids as text; each is computed once."""
        known = self._track_ids
        return [
            known.get(counter) or known.setdefault(counter, str(track_id(self._run_id, counter)))
            for counter in counters.tolist()
        ]
