"""Tuning of the peer, for each scene and associator by itself: `python tests/bench/tracking/tune.py [SCENE ...]`.

One parameter after the other, the best of its values by mean GOSPA on the tuning seeds; written to `tuned.yaml`.
"""

import sys
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean

import yaml
from peer import PeerParameters
from runs import peer
from scenes import GNN, SCENES, TUNING_SEEDS, Scene

TUNED = Path(__file__).parent / "tuned.yaml"
GRID: dict[str, tuple[float | str, ...]] = {
    "psd": (0.03, 0.3, 3.0, 30.0),
    "sigma_speed_mps": (60.0,),
    "least_plots": (3,),
    "most_misses": (2, 6),
    "by": ("probability",),
}
"""Beside the defaults."""
FINER = (1 / 3, 3.0)
"""Then the noise once more; JPDA begins with what GNN ended with."""
SEEDS, SEEDS_OF_A_CROWD = TUNING_SEEDS[:2], TUNING_SEEDS[:1]


def tuned_parameters(scene: str, associator: str) -> PeerParameters:
    """As committed."""
    return PeerParameters(**yaml.safe_load(TUNED.read_text())[scene][associator]["parameters"])


def main() -> None:
    """Tune what is named, or everything."""
    table = yaml.safe_load(TUNED.read_text()) if TUNED.exists() else {}
    for scene in SCENES:
        if len(sys.argv) == 1 or scene.name in sys.argv[1:]:
            best = PeerParameters()
            table[scene.name] = {}
            for associator in scene.peers:
                best, least = tune(scene, associator, best)
                table[scene.name][associator] = {"parameters": asdict(best), "gospa_m": round(least, 2)}
            TUNED.write_text(yaml.safe_dump(table, sort_keys=False))


def tune(scene: Scene, associator: str, best: PeerParameters) -> tuple[PeerParameters, float]:
    """The best parameters, starting from others, and their mean GOSPA."""
    least = _gospa(scene, associator, best)
    steps = [(name, value) for name, values in GRID.items() for value in values] if associator == GNN else []
    for name, value in [*steps, *(("psd", factor) for factor in FINER)]:
        tried = replace(best, **{name: value if (name, value) in steps else best.psd * float(value)})
        found = _gospa(scene, associator, tried)
        print(f"{scene.name} {associator} {tried}: {found:.2f} m (best {least:.2f} m)", flush=True)
        if found < least:
            best, least = tried, found
    return best, least


def _gospa(scene: Scene, associator: str, tried: PeerParameters) -> float:
    seeds = SEEDS_OF_A_CROWD if scene.tuning_scans < 60 else SEEDS
    return fmean(peer(scene.name, seed, scene.tuning_scans, associator, tried).score.gospa_m for seed in seeds)


if __name__ == "__main__":
    main()
