"""The quality as a probability: a reliability diagram of the shipped scenarios, and its picture.

`python tests/bench/tracking/quality.py` draws the picture and prints its section of `docs/tracking.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tables import table

from qiki.world.scenario import load_scenario, scenario_names
from qiki_harness.scoring.consistency import BINS, Reliability, diagram, said_and_real
from qiki_harness.scoring.metrics import NORMAL_975
from qiki_harness.scoring.offline import fly

SEEDS, SECONDS = (1, 2, 3, 4, 5), 60.0
PICTURE = Path(__file__).parents[3] / "docs" / "tracking-quality.svg"
POOLED = "all"
TEXT = """\
A track's `quality` is the probability that it is a real contact. Here are all tracks of the shipped scenarios, also
tentative ones, in {seeds} runs of {seconds:g} s each at the scenarios' own frame rates: their mean quality, and the
share of them that stood for a contact. The tracks of a scan count as often as there are scans, so a bin tells how
many different tracks are behind it: few of them say little, however long they lived. The error is the mean distance
of the two, weighted by the tracks of all scans.

![The share of real tracks by their quality, with the number of tracks in each bin](tracking-quality.svg)

Bars: 95 % intervals (Wilson 1927) of as many independent tracks as there are different ones."""


@dataclass(frozen=True)
class Quality:
    """The diagram of some runs.

    Attributes:
        diagram: of all their tracks
        different: how many different tracks are in each of its bins
    """

    diagram: Reliability
    different: tuple[int, ...]


def measure_quality() -> dict[str, Quality]:
    """Return the quality of each shipped scenario that has tracks, and of all of them."""
    numbers: dict[tuple[str, int, str], int] = {}
    columns = {name: _columns(name, numbers) for name in scenario_names()}
    columns[POOLED] = np.concatenate(list(columns.values()))
    return {name: _quality(found) for name, found in columns.items() if len(found)}


def _columns(name: str, numbers: dict[tuple[str, int, str], int]) -> np.ndarray:
    """Return quality, reality (1 or 0) and number of the tracks of all scans and seeds: (m, 3); number new ones."""
    found = [np.zeros((0, 3))]
    for seed in SEEDS:
        for scan in fly(load_scenario(name), seed, SECONDS):
            own = [numbers.setdefault((name, seed, track), len(numbers)) for track in scan.every.ids]
            found.append(np.column_stack((said_and_real(scan), own)))
    return np.concatenate(found)


def _quality(columns: np.ndarray) -> Quality:
    said, real, number = columns.T
    place = np.minimum((said * BINS).astype(int), BINS - 1)
    return Quality(diagram(said, real), tuple(len(set(number[place == one])) for one in sorted(set(place))))


def quality_section(measured: Mapping[str, Quality]) -> str:
    """Return the section of the document."""
    pooled = measured[POOLED]
    bins = table(
        "quality | said | real | tracks, all scans | different tracks",
        (
            (_range(one.said), f"{one.said:.4f}", f"{one.real:.4f}", f"{one.tracks:,}", f"{different:,}")
            for one, different in zip(pooled.diagram.bins, pooled.different, strict=True)
        ),
    )
    errors = table(
        "scenario | calibration error | tracks, all scans",
        (
            (name, f"{found.diagram.error:.4f}", f"{sum(one.tracks for one in found.diagram.bins):,}")
            for name, found in measured.items()
        ),
    )
    head = TEXT.format(seeds=len(SEEDS), seconds=SECONDS)
    return f"## The quality as a probability\n\n{head}\n\n{bins}\n\n{errors}"


def draw_quality(measured: Mapping[str, Quality], path: Path) -> None:
    """Draw the diagram of all runs; the same measurement gives the same file."""
    pooled = measured[POOLED]
    with mpl.rc_context({"svg.hashsalt": "quality", "svg.fonttype": "none", "path.simplify": True}):
        figure = Figure(figsize=(6, 6.5), layout="constrained")
        shares, counts = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
        _draw_shares(shares, pooled)
        _draw_counts(counts, pooled)
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def _draw_shares(axes: Axes, pooled: Quality) -> None:
    said = np.array([one.said for one in pooled.diagram.bins])
    real = np.array([one.real for one in pooled.diagram.bins])
    low, high = _interval(real, np.array(pooled.different))
    axes.plot((0, 1), (0, 1), color="0.7", linewidth=1)
    axes.errorbar(said, real, np.stack((real - low, high - real)), fmt="o", markersize=4, color="black", clip_on=False)
    axes.set(ylabel="share that is real", xlim=(0, 1), ylim=(0, 1))


def _draw_counts(axes: Axes, pooled: Quality) -> None:
    edges = np.linspace(0, 1, BINS + 1)
    place = [_bin(one.said) for one in pooled.diagram.bins]
    axes.bar(edges[place], pooled.different, width=1 / BINS, align="edge", color="0.8", edgecolor="white", log=True)
    for row, (one, different) in enumerate(zip(pooled.diagram.bins, pooled.different, strict=True)):
        label = f"{different:,}\n({one.tracks:,})"
        axes.annotate(label, (edges[place[row]] + 0.5 / BINS, different), ha="center", va="bottom", fontsize=6)
    axes.set(xlabel="quality", ylabel="different tracks\n(tracks, all scans)", ylim=(0.5, 30 * max(pooled.different)))


def _interval(share: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's 95 % interval of shares of so many."""
    square = NORMAL_975**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = NORMAL_975 * np.sqrt(share * (1 - share) / count + square / (4 * count**2)) / (1 + square / count)
    return np.minimum(middle - half, share), np.maximum(middle + half, share)


def _bin(said: float) -> int:
    return min(int(said * BINS), BINS - 1)


def _range(said: float) -> str:
    low, high = list(pairwise(np.linspace(0, 1, BINS + 1)))[_bin(said)]
    return f"{low:.1f} to {high:.1f}"


if __name__ == "__main__":
    everything = measure_quality()
    draw_quality(everything, PICTURE)
    print(quality_section(everything))
