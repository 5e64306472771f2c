"""`qiki fork`, and `qiki up --from`: go on from the middle of a recorded run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from qiki.runtime.terminal import echo
from qiki_harness.cli.options import Rules, Run, RunDir
from qiki_harness.cli.recordings import checkout, default_file, summary_lines
from qiki_harness.errors import HarnessError

if TYPE_CHECKING:
    from qiki_harness.recording.fork import Branch

_LEAST_S = 10.0
Moment = Annotated[str, typer.Argument(metavar="FILE@T", help="A recording, and seconds since the begin of its run.")]


def fork(
    moment: Moment,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Default: one named by the time, in .qiki/recordings."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Of all random numbers from there on.")] = None,
    scenario: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="Its contacts replace the run's from there on.")
    ] = None,
    engines: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Of an agent that begins there; `none`: its rules alone.")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.05, max=1e6, help="To fly from there. Default: to the recorded end, at least 10."),
    ] = None,
    run: Run = None,
    rules: Rules = None,
    run_dir: RunDir = None,
) -> None:
    """Fly a recorded run to a moment with its orders, go on from there in one process, and record all of it."""
    from qiki.contracts.ticks import TICK_S  # noqa: PLC0415
    from qiki.guard import load_rules  # noqa: PLC0415
    from qiki_harness.recording.flown import record_moments  # noqa: PLC0415
    from qiki_harness.recording.fork import fly  # noqa: PLC0415
    from qiki_harness.recording.reflight import last_tick  # noqa: PLC0415

    one = branch_of(moment, seed=seed, scenario=scenario, engines=engines, run=run)
    lasts_s = seconds or max(last_tick(one.run) * TICK_S - one.t_s, _LEAST_S)
    flight, moments = fly(one, one.tick + round(lasts_s / TICK_S), load_rules(rules) if rules else None)
    path = output or default_file(run_dir, "fork")
    record_moments(flight, moments, path, checkout())
    echo(
        f"forked at {one.t_s:g} s of run {one.future.parent}, and flown {lasts_s:g} s from there",
        *summary_lines(path),
        f"how it differs: qiki diff {one.run.recording.path} {path}",
    )


def branch_of(
    moment: str,
    *,
    seed: int | None = None,
    scenario: str | None = None,
    engines: str | None = None,
    run: str | None = None,
    run_id: str | None = None,
) -> "Branch":
    """Return the branch that FILE@T and options name.

    Raises:
        HarnessError, UserError: they name none.
    """
    from qiki.world.scenario import load_scenario  # noqa: PLC0415
    from qiki_harness.recording.bundle import recordings  # noqa: PLC0415
    from qiki_harness.recording.fork import branch  # noqa: PLC0415
    from qiki_harness.recording.runs import recorded_run  # noqa: PLC0415

    file, _, text = moment.rpartition("@")
    try:
        t_s = float(text)
    except ValueError:
        file = ""
    if not file:
        raise HarnessError(f"{moment}: expected FILE@T, with T in seconds since the begin of the run")
    future = load_scenario(scenario) if scenario else None
    recorded = recorded_run(recordings(Path(file))[0], run)
    return branch(recorded, t_s, seed=seed, scenario=future, engines=engines, run_id=UUID(run_id) if run_id else None)
