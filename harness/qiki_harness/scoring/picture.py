"""A score as a picture: contacts, detections, tracks, and GOSPA over time."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qiki.arrays import Array
from qiki_harness.errors import HarnessError
from qiki_harness.scoring.records import ScanRecord
from qiki_harness.scoring.score import OverTime

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PARTS = {"localisation": "tab:blue", "missed": "tab:orange", "false": "tab:red"}


def save_picture(path: Path, title: str, scans: Sequence[ScanRecord], course: OverTime) -> None:
    """Draw a run and write it, in the format that the file's name says.

    Raises:
        HarnessError: the file cannot be written.
    """
    figure = draw(title, scans, course)
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise HarnessError(f"{path}: cannot write the picture: {error}") from None


def draw(title: str, scans: Sequence[ScanRecord], course: OverTime) -> "Figure":
    """Return the picture; takes matplotlib, which is optional."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(13, 6), layout="constrained")
    figure.suptitle(title)
    plan, errors = figure.subplots(1, 2, width_ratios=(1.2, 1))
    _draw_plan(plan, scans)
    _draw_errors(errors, course)
    return figure


def _draw_plan(axes: "Axes", scans: Sequence[ScanRecord]) -> None:
    """Draw the view from above, as wide as the contacts go: false alarms come from everywhere."""
    plots = np.concatenate([scan.plots for scan in scans])
    axes.scatter(plots[:, 0], plots[:, 1], color="0.75", s=2, label="detections")
    contacts = _paths((scan.truth.ids, scan.truth.position) for scan in scans)
    for row, path in enumerate(contacts.values()):
        axes.plot(path[:, 0], path[:, 1], color="black", linewidth=2.5, alpha=0.4, label=None if row else "contacts")
    for row, path in enumerate(_paths((scan.tracks.ids, scan.tracks.position) for scan in scans).values()):
        axes.plot(path[:, 0], path[:, 1], linewidth=1, label=None if row else "tracks, a colour each")
    if contacts:
        everywhere = np.concatenate(list(contacts.values()))[:, :2]
        low, high = everywhere.min(0), everywhere.max(0)
        margin = 0.1 * float((high - low).max()) + 50.0
        axes.set(xlim=(low[0] - margin, high[0] + margin), ylim=(low[1] - margin, high[1] + margin))
    axes.set(xlabel="east, m", ylabel="north, m", aspect="equal")
    axes.legend(loc="best")


def _draw_errors(axes: "Axes", course: OverTime) -> None:
    axes.plot(course.t_s, course.gospa, color="black", label="GOSPA")
    for name, colour in PARTS.items():
        axes.plot(course.t_s, np.sqrt(getattr(course, name)), color=colour, linewidth=1, label=f"{name}, its root")
    axes.set(xlabel="s", ylabel="m", ylim=(0, None))
    axes.legend(loc="best")


def _paths(looks: Any) -> dict[str, Array]:
    """Return positions by name: (k, 3)."""
    paths: dict[str, list[Array]] = {}
    for ids, position in looks:
        for name, point in zip(ids, position, strict=True):
            paths.setdefault(name, []).append(point)
    return {name: np.array(points) for name, points in paths.items()}
