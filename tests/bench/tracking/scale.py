"""How the time a scan grows with the number of contacts, and Stone Soup's beside it."""

import time
from dataclasses import dataclass
from statistics import median

from peer import Peer, PeerParameters
from runs import RUN, given

from qiki.tracking import Scan, Tracker
from qiki.world.scenario import Scenario
from qiki_harness.scoring.offline import looks

COUNTS = (10, 100, 1000, 4000)
MOST_A_SWARM = 2000
WARM, TIMED = 10, 20
PEER_COUNTS = (10, 100)
PEER_SCANS = 6
PEER_WARM = 3
PEERS = {
    "as it is": {"helped": False},
    "one noise for all plots of a scan": {"helped": False, "one_noise": True},
    "shown only near plots": {},
}


@dataclass(frozen=True)
class Scale:
    """Milliseconds of CPU time a scan.

    Attributes:
        ours: number of contacts -> of our core
        peers: kind of Stone Soup -> number of contacts -> of its GNN
    """

    ours: dict[int, float]
    peers: dict[str, dict[int, float]]


def crowd(count: int, rate_hz: float) -> Scenario:
    """So many drones within the radar's reach, as dense with range as a sphere is."""
    swarm = {
        "object_type": "DRONE",
        "rcs_m2": 20.0,
        "radius_m": [1000, 9000],
        "speed_mps": [10, 40],
        "turn_rate_dps": [0, 3],
    }
    sizes = [min(MOST_A_SWARM, count - first) for first in range(0, count, MOST_A_SWARM)]
    swarms = [{**swarm, "id": f"crowd-{number}", "count": size} for number, size in enumerate(sizes)]
    return Scenario.model_validate(
        {"name": "crowd", "description": "A crowd to measure by", "frame_rate_hz": rate_hz, "swarms": swarms}
    )


def scans(count: int, rate_hz: float, number: int) -> list[Scan]:
    """Of a crowd."""
    return [look.scan for look in looks(crowd(count, rate_hz), 1, number / rate_hz)]


def measure_scale() -> Scale:
    """Time both."""
    peers = {kind: {count: _peer(count, options) for count in PEER_COUNTS} for kind, options in PEERS.items()}
    return Scale({count: _ours(count) for count in COUNTS}, peers)


def _ours(count: int) -> float:
    tracker, times = Tracker(RUN, given(1.0), {}), []
    for scan in scans(count, 10.0, WARM + TIMED):
        begin = time.process_time()
        tracker.step(scan)
        times.append(time.process_time() - begin)
    return 1e3 * median(times[WARM:])


def _peer(count: int, options: dict[str, bool]) -> float:
    peer = Peer("gnn", given(1.0), 1.0, PeerParameters(), **options)
    times = [took for _, took in peer.run(scans(count, 1.0, PEER_SCANS))]
    return 1e3 * median(times[PEER_WARM:])
