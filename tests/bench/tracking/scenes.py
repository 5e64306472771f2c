"""What is compared on: scenarios at one frame a second, and the seeds."""

from dataclasses import dataclass
from importlib.util import find_spec

from hard import HARD, build

from qiki.world.scenario import Scenario, load_scenario
from qiki_harness.scoring.offline import Look, looks

FRAME_RATE_HZ = 1.0
TUNING_SEEDS = (1001, 1002, 1003)
"""On these and on no others parameters are tuned."""
GNN, JPDA, LMB = "gnn", "jpda", "lmb"
STONE_SOUP = (GNN, JPDA)
LMB_PACKAGE = "multisensor_lmb_filters_rs"


@dataclass(frozen=True)
class Scene:
    """One scenario of the comparison.

    Attributes:
        seeds: how many runs are reported, from seed 1 on
        rivals: the trackers beside ours that run on it
        scans: of a run
        tuning_scans: of a tuning run
    """

    name: str
    seeds: int = 20
    rivals: tuple[str, ...] = (GNN, JPDA, LMB)
    scans: int = 60
    tuning_scans: int = 60

    @property
    def peers(self) -> tuple[str, ...]:
        """The rivals that are installed: the LMB filter takes Python 3.12."""
        return tuple(one for one in self.rivals if one != LMB or find_spec(LMB_PACKAGE))


SCENES = (
    Scene("crossing"),
    Scene("manoeuvre"),
    Scene("clutter"),
    Scene("formation"),
    Scene("swarm-200", seeds=5, rivals=(GNN, LMB), tuning_scans=20),
    Scene("mixed-traffic"),
    Scene("turns-9g"),
    Scene("converging"),
    Scene("blinking"),
    Scene("dense-clutter", seeds=10),
    Scene("melee", seeds=5, tuning_scans=20),
    Scene("unresolved", seeds=10, scans=180, tuning_scans=180),
)


def scenario_of(name: str) -> Scenario:
    """Return a scene's scenario: a shipped one, or one of `hard.py`."""
    return build(name) if name in HARD else load_scenario(name)


def flown(name: str, seed: int, scans: int) -> tuple[list[Look], float]:
    """The looks of a run, and the radar's mean number of false alarms a scan."""
    scenario = scenario_of(name).model_copy(update={"frame_rate_hz": FRAME_RATE_HZ})
    return list(looks(scenario, seed, scans / FRAME_RATE_HZ)), scenario.radar.false_alarms_per_look
