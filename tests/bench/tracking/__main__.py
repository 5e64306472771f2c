"""The tracker beside its rivals on the same detections: `tox -e bench-tracking`, or `python tests/bench/tracking`.

The runs are kept: an interrupted bench goes on. A whole one writes `docs/tracking.md` and its picture.
"""

import os

# Before numpy is imported: both cores are timed on one thread.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
from importlib.util import find_spec
from pathlib import Path

from quality import PICTURE, draw_quality, measure_quality
from report import Compared, document, summary
from runs import CONFIRMED, OURS, ours, peer
from scale import measure_scale
from scenes import LMB_PACKAGE, SCENES, Scene
from tune import tuned_parameters

MOST = max(scene.seeds for scene in SCENES)
DOCUMENT = Path(__file__).parents[3] / "docs" / "tracking.md"


def main() -> None:
    """Run what was asked for, or everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [scene.name for scene in SCENES]
    parser.add_argument("scenes", nargs="*", choices=[*names, []], help="default: all, and the document is written")
    parser.add_argument(
        "--seeds", type=int, default=MOST, choices=range(1, MOST + 1), metavar="N", help="20 if not given"
    )
    arguments = parser.parse_args()
    if not arguments.scenes and find_spec(LMB_PACKAGE) is None:
        parser.error("the document takes all rivals: tox -e bench-tracking has them, on Python 3.13")
    chosen = [scene for scene in SCENES if not arguments.scenes or scene.name in arguments.scenes]
    compared = [compare(scene, max(scene.seeds * arguments.seeds // MOST, 1)) for scene in chosen]
    if arguments.scenes:
        print(summary(compared))
        return
    quality = measure_quality()
    draw_quality(quality, PICTURE)
    text = document(compared, quality, measure_scale())
    DOCUMENT.write_text(text, encoding="utf-8")
    print(text)


def compare(scene: Scene, seeds: int) -> Compared:
    """All runs of a scene."""
    compared = Compared(scene, {name: [] for name in (OURS, CONFIRMED, *scene.peers)})
    for seed in range(1, seeds + 1):
        for counted, run in ours(scene.name, seed, scene.scans).items():
            compared.runs[counted].append(run)
        for associator in scene.peers:
            tuned = tuned_parameters(scene.name, associator)
            compared.runs[associator].append(peer(scene.name, seed, scene.scans, associator, tuned))
        line = ", ".join(f"{name} {runs[-1].score.gospa_m:.2f} m" for name, runs in compared.runs.items())
        print(f"{scene.name}, seed {seed}: {line}", flush=True)
    return compared


if __name__ == "__main__":
    main()
