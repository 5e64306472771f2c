"""Tuning of the rivals, for each scene by itself: `python tests/bench/tracking/tune.py [SCENE ...]`.

Without a scene it tunes what `tuned.yaml` has nothing of.
One parameter after the other, the best of its values by mean GOSPA on the tuning seeds; written to `tuned.yaml`.
"""

import sys
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean

import yaml
from peer import PeerParameters
from runs import peer
from scenes import GNN, JPDA, LMB, SCENES, TUNING_SEEDS, Scene

TUNED = Path(__file__).parent / "tuned.yaml"
GRID: dict[str, tuple[float | str, ...]] = {
    "psd": (0.03, 0.3, 3.0, 30.0),
    "sigma_speed_mps": (60.0,),
    "least_plots": (3,),
    "most_misses": (2, 6),
    "by": ("probability",),
    "survival": (0.99, 0.9999),
}
"""Beside the defaults."""
FINER = (1 / 3, 3.0)
"""Then the noise once more; JPDA begins with what GNN ended with."""
TRIED = {
    GNN: ("psd", "sigma_speed_mps", "least_plots", "most_misses", "by"),
    JPDA: (),
    LMB: ("psd", "sigma_speed_mps", "survival"),
}
Tuned = tuple[PeerParameters, float]
"""Parameters and their mean GOSPA."""
SEEDS, SEEDS_OF_A_CROWD = TUNING_SEEDS[:2], TUNING_SEEDS[:1]


def tuned_parameters(scene: str, associator: str) -> PeerParameters:
    """As committed."""
    return PeerParameters(**yaml.safe_load(TUNED.read_text())[scene][associator]["parameters"])


def main() -> None:
    """Tune what is named, or what is missing."""
    table = yaml.safe_load(TUNED.read_text()) if TUNED.exists() else {}
    for scene in SCENES:
        known = table.setdefault(scene.name, {})
        if scene.name in sys.argv[1:]:
            known.clear()
        for rival in scene.peers if len(sys.argv) == 1 or scene.name in sys.argv[1:] else ():
            if rival not in known:
                start = PeerParameters(**known[GNN]["parameters"]) if rival == JPDA else PeerParameters()
                best, least = tune(scene, rival, start)
                known[rival] = {"parameters": asdict(best), "gospa_m": round(least, 2)}
                TUNED.write_text(yaml.safe_dump(table, sort_keys=False))


def tune(scene: Scene, associator: str, best: PeerParameters) -> Tuned:
    """The best parameters, starting from others, and their mean GOSPA."""
    found = best, _gospa(scene, associator, best)
    for name in TRIED[associator]:
        for value in GRID[name]:
            found = _better(scene, associator, replace(found[0], **{name: value}), found)
    for factor in FINER:
        found = _better(scene, associator, replace(found[0], psd=float(f"{factor * found[0].psd:.3g}")), found)
    return found


def _better(scene: Scene, associator: str, tried: PeerParameters, best: Tuned) -> Tuned:
    """The better of two."""
    found = tried, _gospa(scene, associator, tried)
    print(f"{scene.name} {associator} {tried}: {found[1]:.2f} m (best {best[1]:.2f} m)", flush=True)
    return min(best, found, key=lambda one: one[1])


def _gospa(scene: Scene, associator: str, tried: PeerParameters) -> float:
    seeds = SEEDS_OF_A_CROWD if scene.tuning_scans < 60 else SEEDS
    return fmean(peer(scene.name, seed, scene.tuning_scans, associator, tried).score.gospa_m for seed in seeds)


if __name__ == "__main__":
    main()
