"""Tuning of the peer, for each scene and associator by itself: `python tests/bench/tracking/tune.py [SCENE ...]`.

One parameter after the other, the best of its values by mean GOSPA on the tuning seeds; written to `tuned.yaml`.
"""

import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean

import yaml
from peer import PeerParameters
from runs import peer
from scenes import GNN, SCENES, TUNING_SEEDS, Scene

TUNED = Path(__file__).parent / "tuned.yaml"
GRID: dict[str, tuple[float | str, ...]] = {
    "psd": (1.0, 0.003, 0.03, 0.3, 3.0, 10.0, 30.0, 100.0),
    "sigma_speed_mps": (30.0, 60.0),
    "least_plots": (2, 3),
    "most_misses": (4, 2, 6),
    "by": ("distance", "probability"),
}
SEEDS_OF_A_CROWD = 1


def tuned_parameters(scene: str, associator: str) -> PeerParameters:
    """As committed."""
    return PeerParameters(**yaml.safe_load(TUNED.read_text())[scene][associator]["parameters"])


def main() -> None:
    """Tune what is named, or everything."""
    table = yaml.safe_load(TUNED.read_text()) if TUNED.exists() else {}
    for scene in SCENES:
        if len(sys.argv) == 1 or scene.name in sys.argv[1:]:
            table[scene.name] = {associator: tune(scene, associator) for associator in scene.peers}
            TUNED.write_text(yaml.safe_dump(table, sort_keys=False))


def tune(scene: Scene, associator: str) -> dict[str, object]:
    """The best parameters and their mean GOSPA."""
    best = PeerParameters()
    least = _gospa(scene, associator, best)
    for name, value in _values(scene, associator):
        tried = replace(best, **{name: value})
        found = _gospa(scene, associator, tried)
        print(f"{scene.name} {associator} {name}={value}: {found:.2f} m (best {least:.2f} m)", flush=True)
        if found < least:
            best, least = tried, found
    return {"parameters": asdict(best), "gospa_m": round(least, 2)}


def _values(scene: Scene, associator: str) -> Iterator[tuple[str, float | str]]:
    for name, values in GRID.items():
        crowd = scene.tuning_scans < 60 and name in {"sigma_speed_mps", "by"}
        if not crowd and (name != "by" or associator == GNN):
            yield from ((name, value) for value in values[1:])


def _gospa(scene: Scene, associator: str, tried: PeerParameters) -> float:
    seeds = TUNING_SEEDS[:SEEDS_OF_A_CROWD] if scene.tuning_scans < 60 else TUNING_SEEDS
    return fmean(peer(scene.name, seed, scene.tuning_scans, associator, tried).score.gospa_m for seed in seeds)


if __name__ == "__main__":
    main()
