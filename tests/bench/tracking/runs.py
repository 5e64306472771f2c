"""Runs of one tracker on one scene and seed, scored and timed; and kept: an interrupted bench goes on."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
from peer import Peer, PeerParameters
from pydantic import TypeAdapter
from scenes import LMB, flown, scenario_of

from qiki.tracking import Tracker, TrackerParameters
from qiki_harness.scoring import ScanRecord, Score, Tracks, score
from qiki_harness.scoring.offline import Look, tracks_of
from qiki_harness.scoring.records import NO_TRACKS, split
from qiki_harness.scoring.rivals import LIKELY

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
KEPT = ROOT / ".qiki" / "bench-tracking"
RUN = UUID(int=1)
OURS, CONFIRMED = "ours", "confirmed"
Split = tuple[Tracks, Tracks]
"""Tracks that are believed in, and doubted ones."""


@dataclass(frozen=True)
class Run:
    """What a run came to.

    Attributes:
        score: see there
        ms: mean CPU time of the core a scan
    """

    score: Score
    ms: float


def given(false_alarms: float) -> TrackerParameters:
    """The radar, as all trackers know it."""
    return TrackerParameters(expected_false_alarms=false_alarms)


def ours(name: str, seed: int, scans: int) -> dict[str, Run]:
    """The platform's tracker; all tracks that are believed in, and the confirmed ones alone."""
    sources = [path.read_text() for path in sorted((ROOT / "qiki/tracking").glob("*.py"))]
    return _kept(f"{name}-{seed}-{scans}-ours-{_key(name, *sources)}", lambda: _ours(name, seed, scans))


def _ours(name: str, seed: int, scans: int) -> dict[str, Run]:
    flight, false_alarms = flown(name, seed, scans)
    tracker = Tracker(RUN, given(false_alarms), scenario_of(name).identities)
    tracks: dict[str, list[Split]] = {OURS: [], CONFIRMED: []}
    seconds = 0.0
    for look in flight:
        begin = time.process_time()
        reports = tracker.step(look.scan)
        seconds += time.process_time() - begin
        found = tracks_of(reports, look.scan.own_position, look.scan.own_velocity)
        for counted, quality in ((OURS, reports.quality), (CONFIRMED, np.zeros(len(reports)))):
            tracks[counted].append(split(found, reports.status, quality))
    return {counted: _run(flight, found, seconds) for counted, found in tracks.items()}


def peer(name: str, seed: int, scans: int, associator: str, tuned: PeerParameters) -> Run:
    """A rival: Stone Soup with one of its associators, or the LMB filter, which takes three of the parameters."""
    lock = (ROOT / "locks/tracking.txt").read_text()
    key = _key(name, associator, repr(tuned), (HERE / ("lmb.py" if associator == LMB else "peer.py")).read_text(), lock)
    named = f"{name}-{seed}-{scans}-{associator}-{key}"
    return _kept(named, lambda: {associator: _peer(name, seed, scans, associator, tuned)})[associator]


def _peer(name: str, seed: int, scans: int, associator: str, tuned: PeerParameters) -> Run:
    flight, false_alarms = flown(name, seed, scans)
    if associator == LMB:
        return _lmb(flight, false_alarms, tuned)
    steps = list(Peer(associator, given(false_alarms), false_alarms, tuned).run([look.scan for look in flight]))
    return _run(flight, [(tracks, NO_TRACKS) for tracks, _ in steps], sum(took for _, took in steps))


def _lmb(flight: Sequence[Look], false_alarms: float, tuned: PeerParameters) -> Run:
    from lmb import Lmb  # noqa: PLC0415  # where it is installed

    rival = Lmb(given(false_alarms), tuned.psd, tuned.sigma_speed_mps, tuned.survival)
    tracks: list[Split] = []
    seconds = 0.0
    for look in flight:
        begin = time.process_time()
        found = rival.step(look.scan)
        seconds += time.process_time() - begin
        likely = found.existence >= LIKELY
        tracks.append((found.take(likely), found.take(~likely)))
    return _run(flight, tracks, seconds)


def _kept(named: str, run: Callable[[], dict[str, Run]]) -> dict[str, Run]:
    """From the file of this name, or made and written there."""
    path = KEPT / f"{named}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({counted: asdict(one) for counted, one in run().items()}))
    return TypeAdapter(dict[str, Run]).validate_json(path.read_bytes())


def _run(flight: Sequence[Look], tracks: Sequence[Split], seconds: float) -> Run:
    start_us = flight[0].scan.t_us
    records = [
        ScanRecord(
            (look.scan.t_us - start_us) / 1e6,
            look.truth,
            found,
            look.scan.own_position + look.scan.range_m[:, None] * look.scan.line_of_sight,
            look.scan.own_position,
            doubted,
        )
        for look, (found, doubted) in zip(flight, tracks, strict=True)
    ]
    return Run(score(records)[0], 1e3 * seconds / len(records))


def _key(name: str, *parts: str) -> str:
    """Of all that a result follows from."""
    metrics = [path.read_text() for path in sorted((ROOT / "harness/qiki_harness/scoring").glob("*.py"))]
    causes = (scenario_of(name).model_dump_json(), repr(given(1.0)), *metrics, *parts)
    return hashlib.sha256("\n".join(causes).encode()).hexdigest()[:12]
