"""`qiki train`: evolve a small policy for a task."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiki.runtime.terminal import echo, overwrite, wipe
from qiki_harness.errors import HarnessError

if TYPE_CHECKING:
    from qiki_harness.training import Generation

Task = Annotated[str, typer.Argument(metavar="TASK", help="avoid, rendezvous or inspect.")]
Out = Annotated[Path, typer.Option(help="File of the policy, an .npz.")]
Picture = Annotated[Path | None, typer.Option(help="Draw the learning curve into this file.")]


def train(
    task: Task,
    out: Out = Path("policy.npz"),
    generations: Annotated[int, typer.Option(min=1, max=10_000, help="Of the search.")] = 12,
    candidates: Annotated[int, typer.Option(min=4, max=1000, help="In a generation.")] = 8,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Worlds that each candidate flies.")] = 4,
    difficulty: Annotated[float, typer.Option(min=0, max=1, help="Of the worlds.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the search.")] = 0,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 2,
    picture: Picture = None,
) -> None:
    """Evolve a policy by CMA-ES on worlds with perfect tracks; it flies with `AGENT_POLICY=FILE qiki up`."""
    from qiki.tasks import find_task  # noqa: PLC0415  # numpy, and with it the cores

    find_task(task)
    try:
        import cmaes  # noqa: F401, PLC0415
        import gymnasium  # noqa: F401, PLC0415
    except ModuleNotFoundError as error:
        raise HarnessError(f"it takes {error.name}, which is not installed: pip install 'qiki-dtmp[train]'") from None
    from qiki_harness.training import evolve, tied_policy  # noqa: PLC0415

    began_s, curve = time.monotonic(), list["Generation"]()
    echo(f"{'generation':>10} {'mean':>8} {'best':>8}")
    search = evolve(
        task,
        generations=generations,
        candidates=candidates,
        seeds=seeds,
        difficulty=difficulty,
        seed=seed,
        workers=workers,
    )
    for one in search:
        wipe(sys.stderr)
        echo(f"{one.number + 1:>10} {one.mean:>8.2f} {one.best:>8.2f}")
        curve.append(one)
        left_s = (time.monotonic() - began_s) / len(curve) * (generations - len(curve))
        if sys.stderr.isatty():
            overwrite(f"about {left_s:.0f} s left", sys.stderr)
    wipe(sys.stderr)
    flown = sum(one.flown for one in curve)
    worlds = f"{seeds} worlds of difficulty {difficulty:g}"
    about = f"CMA-ES, {generations} generations of {candidates}, {worlds}, seed {seed}"
    tied_policy(task, curve[-1].genes, about).save(out)
    echo(f"{out}: {flown} episodes in {time.monotonic() - began_s:.0f} s; AGENT_POLICY={out} qiki up flies it")
    if picture is not None:
        from qiki_harness.training.curve import save_curve  # noqa: PLC0415

        save_curve(picture, f"{task}: {about}", curve)
        echo(f"{picture}: the learning curve")
