"""`qiki hunt`: search for a run in which a criterion fails, and shrink it."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiki.runtime.terminal import echo
from qiki_harness.cli.sweeps import spec_of

if TYPE_CHECKING:
    from qiki_harness.hunt.flights import Flown

_NOT_FOUND, _INTERRUPTED = 1, 130


def hunt(
    task: Annotated[str, typer.Argument(metavar="TASK", help="avoid, rendezvous or inspect; fly with a scenario.")],
    engine: Annotated[str, typer.Option(help="none, an installed one, FILE.py:CLASS, or POLICY.npz.")],
    criterion: Annotated[str, typer.Option(metavar="ID", help="The criterion that is to fail.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="For the scenario and its test.")],
    *,
    scenario: Annotated[str | None, typer.Option(metavar="NAME|FILE", help="Instead of drawn worlds.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="Flights of the search at most.")] = 100,
    shrink_runs: Annotated[int, typer.Option(min=0, help="Flights of the shrinking at most.")] = 60,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Simulated seconds of a run at most.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the search.")] = 0,
    criteria: Annotated[Path | None, typer.Option(metavar="FILE", help="Criteria, if not the platform's own.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help="Processes; default: the processors.")] = None,
) -> None:
    """Search worlds for a run in which a criterion fails, shrink it, and write it as a scenario and a test.

    Status 1 if no run fails.
    """
    from qiki.tasks import find_task  # noqa: PLC0415
    from qiki.world.scenario import Scenario  # noqa: PLC0415
    from qiki_harness.hunt.flights import Flights, find_criterion  # noqa: PLC0415
    from qiki_harness.hunt.kept import keep  # noqa: PLC0415
    from qiki_harness.hunt.search import BATCH, search  # noqa: PLC0415
    from qiki_harness.hunt.shrink import shrink  # noqa: PLC0415
    from qiki_harness.sweeps.local import LocalCrew  # noqa: PLC0415
    from qiki_harness.sweeps.plan import plan  # noqa: PLC0415

    given = {"scenarios": [scenario] if scenario else None, "engines": [engine], "seconds": seconds}
    sweep = plan(spec_of(task, given | {"criteria": None if criteria is None else str(criteria)}, []))
    like = sweep.runs[0]
    one = find_criterion(sweep.criteria, criterion)
    base = Scenario.model_validate_json(like.scenario) if like.scenario else None
    with LocalCrew(workers or len(os.sched_getaffinity(0))) as crew:
        flights = Flights(crew, replace(like, settings=()), one, BATCH)
        try:
            found = search(flights, find_task(task), base, runs, seed, _tell)
        except KeyboardInterrupt:
            raise typer.Exit(_INTERRUPTED) from None
        searched = flights.count
        if found is None:
            echo(f"no run of {searched} fails: {one.description}")
            raise typer.Exit(_NOT_FOUND)
        smallest = shrink(flights, found, shrink_runs)
    scenario_file, test = keep(smallest, one, out, criteria)
    echo(
        f"found in {searched} runs, shrunk in {flights.count - searched}: {_size(found)} to {_size(smallest)}",
        f"  {smallest.verdict.sentence if smallest.verdict else ''}",
        f"{scenario_file}, {test}",
        f"next: pytest {test}",
    )


def _tell(count: int, flown: "Flown") -> None:
    sentence = flown.verdict.sentence if flown.verdict else flown.result.error
    echo(f"{count} runs: {sentence}", stream=sys.stderr)


def _size(flown: "Flown") -> str:
    count = len(flown.world.contacts) + sum(swarm.count for swarm in flown.world.swarms)
    return f"{count} contact{'' if count == 1 else 's'}"
