"""What is compared on: scenarios at one frame a second, and the seeds."""

from dataclasses import dataclass

from qiki.world.scenario import load_scenario
from qiki_harness.scoring.offline import Look, looks

FRAME_RATE_HZ = 1.0
TUNING_SEEDS = (1001, 1002, 1003)
"""On these and on no others parameters are tuned."""
GNN, JPDA = "gnn", "jpda"


@dataclass(frozen=True)
class Scene:
    """One scenario of the comparison.

    Attributes:
        seeds: how many runs are reported, from seed 1 on
        peers: Stone Soup's associators that run on it
        tuning_scans: scans of a tuning run
    """

    name: str
    seeds: int = 20
    peers: tuple[str, ...] = (GNN, JPDA)
    tuning_scans: int = 60


SCENES = (
    Scene("crossing"),
    Scene("manoeuvre"),
    Scene("clutter"),
    Scene("formation"),
    Scene("swarm-200", seeds=5, peers=(GNN,), tuning_scans=20),
    Scene("mixed-traffic"),
)


def flown(name: str, seed: int, scans: int) -> tuple[list[Look], float]:
    """The looks of a run, and the radar's mean number of false alarms a scan."""
    scenario = load_scenario(name).model_copy(update={"frame_rate_hz": FRAME_RATE_HZ})
    return list(looks(scenario, seed, scans / FRAME_RATE_HZ)), scenario.radar.false_alarms_per_look
