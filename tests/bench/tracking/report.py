"""The comparison as a document: tables, what was aimed at, and on what it was measured."""

import os
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distributions, version
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import numpy as np
from hard import HARD
from quality import Quality, quality_section
from runs import CONFIRMED, OURS, Run
from scale import Scale
from scenes import GNN, JPDA, LMB, STONE_SOUP, Scene
from scipy.stats import t as student
from tables import table

from qiki_harness.scoring import Score

NAMES = {OURS: "QIKI", CONFIRMED: "QIKI, without NEW", GNN: "Stone Soup, GNN", JPDA: "Stone Soup, JPDA", LMB: "LMB"}
BETTER_BY, FEWER_BY, FASTER_BY, INSIDE = 0.1, 0.5, 500, 0.9
FILTER, INTRODUCTION = (Path(__file__).parent / name for name in ("filter.md", "introduction.md"))

CONSISTENCY = """\
Of a consistent filter both are 3, and 95 % of the scans are in the bounds.

`qiki score` says more of a run. P-GOSPA counts all tracks, each by its `quality`, with the trace of its covariance:
doubt and width cost as errors do. Of the normalised errors it gives the median, 2.37 if consistent, and the shares
of pairs in the lower and the upper 2.5 %: more in the upper one means covariances that are too small. Its second
table has the share of true positions in the ellipsoids of 50, 90, 95 and 99 %, now and 2, 5 and 10 s ahead. Offline
the tracker predicts them; on a running stack, and for another tracker, each track is continued along its velocity
with the covariances of its message. The calibration error is the mean difference between a track's `quality` and
the share of such tracks that stand for a contact; `--json` has the reliability diagram, its bins that have tracks,
of ten.

The trajectory metric takes scipy (`pip install 'qiki-dtmp[score]'`). A long run of many contacts that meet is divided
into blocks of scans with one assignment each. The value is an upper bound then, and `qiki score` gives the length of
the longest block."""


@dataclass(frozen=True)
class Compared:
    """The runs of one scene, by tracker."""

    scene: Scene
    runs: dict[str, list[Run]]

    def mean(self, tracker: str, value: Callable[[Score], float | None]) -> float:
        """Over the seeds."""
        return fmean(found for run in self.runs[tracker] if (found := value(run.score)) is not None)

    @property
    def best_peer(self) -> str:
        """Stone Soup's with the least GOSPA."""
        return min((peer for peer in self.runs if peer in STONE_SOUP), key=lambda peer: self.mean(peer, _gospa))

    def gospa_ratio(self, counted: str, rival: str) -> float:
        """Ours, so counted, to a rival's."""
        return self.mean(counted, _gospa) / self.mean(rival, _gospa)


def document(compared: list[Compared], quality: Mapping[str, Quality], scale: Scale) -> str:
    """All of it."""
    from runs import given  # noqa: PLC0415

    known = given(1.0)
    seeds = ", ".join(f"{len(one.runs[OURS])} of `{one.scene.name}`" for one in compared)
    hard = "\n".join(f"- `{name}`: {made.__doc__}" for name, made in HARD.items())
    head = INTRODUCTION.read_text(encoding="utf-8").format(
        detection=known.detection_probability, gate=known.gate_threshold, seeds=seeds, hard=hard
    )
    measured = summary(compared), quality_section(quality), _scale(scale), _aims(compared, scale), _machine()
    sections = (FILTER.read_text(encoding="utf-8"), head, *measured)
    return "\n\n".join(section.strip("\n") for section in sections) + "\n"


def summary(compared: list[Compared]) -> str:
    """Accuracy and consistency."""
    return "\n".join(("## Accuracy", "", _accuracy(compared), "", "## Consistency", "", _consistency(compared)))


def _accuracy(compared: list[Compared]) -> str:
    head = (
        "scenario | tracker | GOSPA, m | located, m | missed | false | trajectories, m | switches | fragments "
        "| found, s | ms a scan"
    )
    rows = (
        (
            one.scene.name,
            NAMES[tracker],
            _interval([run.score.gospa_m for run in runs]),
            f"{one.mean(tracker, lambda score: score.localisation_m):.2f}",
            f"{one.mean(tracker, lambda score: score.missed):.3f}",
            f"{one.mean(tracker, lambda score: score.false):.3f}",
            f"{one.mean(tracker, _trajectories):.2f}",
            _interval([float(run.score.identity_switches) for run in runs]),
            f"{one.mean(tracker, lambda score: score.fragments):.2f}",
            f"{one.mean(tracker, lambda score: score.confirm_s):.2f}",
            f"{fmean(run.ms for run in runs):.2f}",
        )
        for one in compared
        for tracker, runs in one.runs.items()
    )
    return table(head, rows)


def _consistency(compared: list[Compared]) -> str:
    head = "scenario | tracker | NEES, position | scans in the 95 % bounds | NEES, velocity | scans in the 95 % bounds"
    rows = (
        (
            one.scene.name,
            NAMES[tracker],
            f"{one.mean(tracker, lambda score: score.nees_position):.2f}",
            f"{one.mean(tracker, _position_inside):.0%}",
            f"{one.mean(tracker, lambda score: score.nees_velocity):.2f}",
            f"{one.mean(tracker, lambda score: score.nees_velocity_inside):.0%}",
        )
        for one in compared
        for tracker in one.runs
        if tracker != CONFIRMED
    )
    return f"{table(head, rows)}\n\n{CONSISTENCY}"


def _scale(scale: Scale) -> str:
    head = "contacts | QIKI, ms a scan | times the contacts | times the time"
    counts = list(scale.ours)
    rows = [(f"{counts[0]:,}", f"{scale.ours[counts[0]]:.2f}", "", "")]
    for before, count in pairwise(counts):
        grown = scale.ours[count] / scale.ours[before]
        rows.append((f"{count:,}", f"{scale.ours[count]:.2f}", f"{count / before:g}", f"{grown:.1f}"))
    peers = (
        (f"GNN, {kind}", *(f"{took:.0f}" for took in times.values()), f"{times[100] / scale.ours[100]:.0f}")
        for kind, times in scale.peers.items()
    )
    second = table("Stone Soup | ms a scan, 10 contacts | 100 contacts | times ours, at 100", peers)
    return f"## Scale\n\nDrones in a shell, ours at 10 frames a second.\n\n{table(head, rows)}\n\n{second}"


def _aims(compared: list[Compared], scale: Scale) -> str:
    fastest = min(times[100] for kind, times in scale.peers.items() if kind != "shown only near plots")
    shipped = [one for one in compared if one.scene.name not in HARD]
    hard = [one for one in compared if one.scene.name in HARD]
    inside = {one.scene.name: one.mean(OURS, _position_inside) for one in compared}
    rows = (
        *_gospa_aims(shipped, OURS, "shipped"),
        *_gospa_aims(shipped, CONFIRMED, "shipped", ", without NEW"),
        *_gospa_aims(hard, OURS, "difficult"),
        *_lmb_aim(compared),
        ("identity switches at most half", _switches(compared), _verdict(all(map(_half, compared)))),
        (
            "at 100 contacts at least 500 times as fast as Stone Soup's GNN",
            f"{fastest / scale.ours[100]:.0f} times its faster way",
            _verdict(fastest / scale.ours[100] >= FASTER_BY),
        ),
        (
            "position NEES within its 95 % bounds on 90 % of the scans",
            _list(inside, "{:.0%}", lambda share: share < INSIDE),
            _verdict(all(share >= INSIDE for share in inside.values())),
        ),
        (
            "1,000 contacts at 10 Hz on one core",
            f"{scale.ours[1000]:.0f} ms of 100 ms",
            _verdict(scale.ours[1000] < 100),
        ),
    )
    return "## What was aimed at\n\n" + table("aim | measured | met", rows)


def _gospa_aims(
    compared: list[Compared], counted: str, kind: str, condition: str = ""
) -> Iterator[tuple[str, str, str]]:
    ratios = {one.scene.name: one.gospa_ratio(counted, one.best_peer) for one in compared}
    better = 1 - fmean(ratios.values())
    yield (
        f"GOSPA no worse than the better of Stone Soup's two, in every {kind} scenario{condition}",
        _list(ratios, "{:.2f} times", lambda ratio: ratio > 1),
        _verdict(all(ratio <= 1 for ratio in ratios.values())),
    )
    yield (
        f"GOSPA at least 10 % better on average of the {kind} scenarios{condition}",
        f"{better:.0%} better" if better >= 0 else f"{-better:.0%} worse",
        _verdict(better >= BETTER_BY),
    )


def _lmb_aim(compared: list[Compared]) -> Iterator[tuple[str, str, str]]:
    ratios = {one.scene.name: one.gospa_ratio(OURS, LMB) for one in compared if LMB in one.runs}
    if ratios:
        yield (
            "GOSPA no worse than the LMB filter's, in every scenario",
            _list(ratios, "{:.2f} times", lambda ratio: ratio > 1),
            _verdict(all(ratio <= 1 for ratio in ratios.values())),
        )


def _switches(compared: list[Compared]) -> str:
    def shown(one: Compared) -> str:
        return f"{one.mean('ours', _switch):g} : {one.mean(one.best_peer, _switch):g}"

    return ", ".join(f"{one.scene.name} {shown(one)}" for one in compared)


def _half(one: Compared) -> bool:
    """Against the peer with the better GOSPA."""
    return one.mean(OURS, _switch) <= FEWER_BY * one.mean(one.best_peer, _switch)


def _machine() -> str:
    names = ("stonesoup", "multisensor-lmb-filters-rs", "numpy", "scipy", "lapx")
    installed = {distribution.name for distribution in distributions()}
    versions = ", ".join(f"{name} {version(name)}" for name in names if name in installed)
    return f"Measured on {_cpu()}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}."


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _interval(values: list[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.2f}"
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{fmean(values):.2f} ± {half:.2f}"


def _list(values: dict[str, float], shape: str, worse: Callable[[float], bool]) -> str:
    """Each; those that miss the aim in bold."""
    return ", ".join(
        f"{name} **{shape.format(value)}**" if worse(value) else f"{name} {shape.format(value)}"
        for name, value in values.items()
    )


def _verdict(met: bool) -> str:
    return "yes" if met else "no"


def _gospa(score: Score) -> float:
    return score.gospa_m


def _trajectories(score: Score) -> float | None:
    return score.trajectory and score.trajectory.distance_m


def _switch(score: Score) -> float:
    return float(score.identity_switches)


def _position_inside(score: Score) -> float | None:
    return score.nees_position_inside
