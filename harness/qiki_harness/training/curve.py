"""The picture of a learning curve."""

from collections.abc import Sequence
from pathlib import Path

from qiki_harness.errors import HarnessError
from qiki_harness.training.evolve import Generation


def save_curve(path: Path, title: str, curve: Sequence[Generation]) -> None:
    """Draw mean and best score over the generations; HarnessError if matplotlib or the folder is not there."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  # it is an extra
    except ModuleNotFoundError:
        raise HarnessError(
            "--picture takes matplotlib, which is not installed: pip install 'qiki-dtmp[train]'"
        ) from None
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    numbers = [one.number + 1 for one in curve]
    axes.plot(numbers, [one.best for one in curve], label="best candidate", color="#2a78d6")
    axes.plot(numbers, [one.mean for one in curve], label="mean of the candidates", color="#888888")
    axes.set(title=title, xlabel="generation", ylabel="sum of rewards")
    axes.title.set_fontsize(9)
    axes.grid(alpha=0.3)
    axes.legend()
    try:
        figure.savefig(path)
    except OSError as error:
        raise HarnessError(f"{path}: {error.strerror}") from None
