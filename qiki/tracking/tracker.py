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
from qiki.tracking.gate import NO_PAIRS, Pairs, gate
from qiki.tracking.identity import NameBook, find_spoofers, hear
from qiki.tracking.initiator import initiate, unassigned
from qiki.tracking.measurement import Measurements, diagonal, measured, position_noise
from qiki.tracking.parameters import TrackerParameters
from qiki.tracking.predictor import predict
from qiki.tracking.reports import TrackReports, report
from qiki.tracking.resolution import Shared, blurred, share, with_shared
from qiki.tracking.scan import SECOND_US, Scan
from qiki.tracking.score import dead, learn_false_alarms, score
from qiki.tracking.snapshot import Header, pack, unpack
from qiki.tracking.tracks import Estimate, appended, empty_table, joined, merged, without
from qiki.tracking.updater import update

NAMES_A_TRACK = 2
SPARE_NAMES = 32


class Tracker:
    """Tracks of one run. The same scans give the same reports, also through a snapshot.

    Args:
        run_id: from which the tracks' ids follow
        parameters: of radar and targets
        identities: side of each known transponder identity
    """

    def __init__(self, run_id: UUID, parameters: TrackerParameters, identities: Mapping[str, FriendFoe]) -> None:
        self._run_id = run_id
        self._parameters = parameters
        self._identities = dict(identities)
        self._names = NameBook()
        self._tracks = empty_table()
        self._next_counter = 0
        self._false_alarms = parameters.expected_false_alarms
        self._t_us: int | None = None
        self._track_ids: dict[int, str] = {}

    @property
    def run_id(self) -> UUID:
        """The run whose contacts these are."""
        return self._run_id

    @property
    def t_us(self) -> int | None:
        """Event time of the newest scan [µs], None before the first."""
        return self._t_us

    def __len__(self) -> int:
        """Number of live tracks."""
        return len(self._tracks)

    def step(self, scan: Scan) -> TrackReports:
        """Take in one scan.

        Raises:
            TimeReversedError: it is older than the one before it.
            ScanError: it holds too many detections.
        """
        dt_s = self._elapsed(scan)
        tracks = self._tracks
        plots = measured(scan.range_m, scan.line_of_sight, scan.doppler_mps, scan.snr_db, self._parameters)
        claims = self._names.indices(scan.transponder_id)
        predict(tracks, min(dt_s, self._parameters.longest_gap_s), self._parameters)
        pairs, shared = self._associated(plots, claims, scan, dt_s)
        score(tracks, pairs.track, shared.track, pairs.log_likelihood, scan.t_us, self._false_alarms, self._parameters)
        self._false_alarms = learn_false_alarms(self._false_alarms, scan.size, tracks, self._parameters)
        self._smooth_strength(pairs, scan)
        hear(tracks, pairs.track, scan, pairs.plot, claims, self._parameters)
        estimate = merged(tracks)
        gone = reattach(tracks, estimate, scan.t_us, self._parameters) | dead(tracks, self._parameters)
        gone |= dt_s > self._parameters.longest_gap_s
        exchange(tracks, estimate, self._parameters)
        find_spoofers(tracks, estimate, self._parameters)
        born = unassigned(scan, np.concatenate((pairs.plot, shared.plot)), self._parameters.max_tracks - len(tracks))
        if len(born):
            gone = np.concatenate((gone, np.zeros(len(born), dtype=np.bool_)))
            estimate = joined(estimate, self._initiated(scan, plots, born, claims))
        reports = self._reported(estimate, gone, scan)
        self._forget(gone)
        return reports

    def snapshot(self) -> bytes:
        """The whole state."""
        header = Header(
            run_id=str(self._run_id),
            t_us=self._t_us,
            next_counter=self._next_counter,
            false_alarms=self._false_alarms,
            names=self._names.names,
            tracks=len(self._tracks),
        )
        return pack(header, self._tracks)

    @classmethod
    def restore(cls, snapshot: bytes, parameters: TrackerParameters, identities: Mapping[str, FriendFoe]) -> Self:
        """The tracker that `snapshot` was taken of, to go on exactly as that one would.

        Raises:
            SnapshotError: the bytes are no snapshot, or another version's.
        """
        header, tracks = unpack(snapshot)
        tracker = cls(UUID(header.run_id), parameters, identities)
        tracker._names = NameBook(header.names)
        tracker._tracks = tracks
        tracker._next_counter = header.next_counter
        tracker._t_us = header.t_us
        tracker._false_alarms = header.false_alarms
        return tracker

    def _elapsed(self, scan: Scan) -> float:
        """Seconds since the newest scan."""
        if scan.size > self._parameters.max_detections:
            raise ScanError(f"{scan.size} detections in a scan (expected at most {self._parameters.max_detections})")
        before = scan.t_us if self._t_us is None else self._t_us
        if scan.t_us < before:
            raise TimeReversedError(scan.t_us, before)
        self._t_us = scan.t_us
        return (scan.t_us - before) / SECOND_US

    def _associated(self, plots: Measurements, claims: Index, scan: Scan, dt_s: float) -> tuple[Pairs, Shared]:
        """Gate, assign, and correct the tracks that have a plot, or part of one."""
        tracks, own = self._tracks, (scan.own_position, scan.own_velocity)
        carried_on = dt_s <= self._parameters.longest_gap_s
        pairs = gate(tracks, plots, *own, self._parameters) if carried_on else NO_PAIRS
        gain = gains(pairs, tracks, claims, self._false_alarms, self._parameters)
        chosen = pairs.take(associate(pairs, gain, len(tracks), scan.size))
        shared = share(tracks, chosen, plots, *own, self._parameters)
        update(tracks, with_shared(tracks, chosen, shared), blurred(plots, shared, self._parameters), *own)
        return chosen, shared

    def _smooth_strength(self, pairs: Pairs, scan: Scan) -> None:
        """Mean SNR and cross-section of a fluctuating echo: exponential averages of powers, not of decibels."""
        weight = self._parameters.smoothing
        for name, decibels in (("snr", scan.snr_db), ("rcs_m2", scan.rcs_dbsm)):
            smoothed = self._tracks[name]
            smoothed[pairs.track] += weight * (10 ** (decibels[pairs.plot] / 10) - smoothed[pairs.track])

    def _initiated(self, scan: Scan, plots: Measurements, rows: Index, claims: Index) -> Estimate:
        """Add tracks of the plots of `rows`; their estimates."""
        chosen = plots.take(rows)
        position = scan.own_position + chosen.range_m[:, None] * chosen.sight
        variance = diagonal(position_noise(chosen, chosen.sight, chosen.range_m))
        known = maybe_known(self._tracks, position, variance, scan.t_us, self._parameters)
        born = initiate(scan, plots, rows, ~known, self._next_counter, self._false_alarms, self._parameters)
        hear(born, np.arange(len(rows)), scan, rows, claims, self._parameters)
        self._tracks = appended(self._tracks, born)
        self._next_counter += len(rows)
        return merged(born)

    def _reported(self, estimate: Estimate, gone: Mask, scan: Scan) -> TrackReports:
        tracks, names = self._tracks, self._names.names
        ids = self._ids(tracks["counter"])
        return report(tracks, estimate, gone, scan, ids, names, self._sides(), self._parameters)

    def _forget(self, gone: Mask) -> None:
        """Drop the dead, whose last report is out."""
        if gone.any():
            for counter in self._tracks["counter"][gone].tolist():
                del self._track_ids[counter]
            self._tracks = without(self._tracks, gone)
        if len(self._names.names) > SPARE_NAMES + NAMES_A_TRACK * len(self._tracks):
            self._names = self._names.without_unused(self._tracks)

    def _ids(self, counters: NDArray[np.int64]) -> list[str]:
        """The tracks' ids as text; worked out once each."""
        known = self._track_ids
        return [
            known.get(counter) or known.setdefault(counter, str(track_id(self._run_id, counter)))
            for counter in counters.tolist()
        ]

    def _sides(self) -> NDArray[np.int8]:
        """FriendFoe of each name; the last entry is nobody's, for the index NOBODY."""
        sides = [self._identities.get(name, FriendFoe.UNKNOWN) for name in self._names.names]
        return np.array([*sides, FriendFoe.UNKNOWN], dtype=np.int8)
