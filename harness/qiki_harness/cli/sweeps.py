"""`qiki sweep`: fly scenarios x seeds x engines x parameters, and look at the results."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from qiki.runtime.terminal import echo, overwrite, wipe
from qiki_harness.cli.options import in_checkout
from qiki_harness.cli.output import table, until_signal
from qiki_harness.cli.recordings import checkout
from qiki_harness.errors import HarnessError

if TYPE_CHECKING:
    from qiki_harness.sweeps.flying import Crew, Progress
    from qiki_harness.sweeps.plan import Sweep, SweepSpec
    from qiki_harness.sweeps.store import Results, Row

_INTERRUPTED = 130
_DIFFERENT = 1
_YAML = (".yaml", ".yml")
_SHORT = 12


class _RunByDefault(TyperGroup):
    """`qiki sweep WHAT` is `qiki sweep run WHAT`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in {"-h", "--help"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RunByDefault,
    help="Fly sweeps: scenarios, seeds, engines, parameters. `qiki sweep WHAT` is `qiki sweep run WHAT`.",
    no_args_is_help=True,
)
ResultsFile = Annotated[Path, typer.Argument(metavar="RESULTS", help="The file of a sweep's results.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="A run; the beginning of its key is enough.")]
Engines = Annotated[
    list[str] | None,
    typer.Option("--engine", metavar="ENGINE", help="none, an installed one, FILE.py:CLASS, POLICY.npz; repeatable."),
]


class On(StrEnum):
    """The place where runs are flown."""

    HERE = "here"
    RAY = "ray"


@app.command()
def run(  # noqa: PLR0917  # each an option of the command line
    what: Annotated[
        str | None, typer.Argument(metavar="[WHAT]", help="A task (avoid, rendezvous, inspect, fly), or a YAML file.")
    ] = None,
    scenarios: Annotated[
        list[str] | None, typer.Option("--scenario", metavar="NAME|FILE", help="Instead of drawn worlds; repeatable.")
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="How many, a range as 5-20, or a list as 1,2,7. Default: 1.")
    ] = None,
    engines: Engines = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="difficulty, or as `qiki why --set`; again: also this."),
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Simulated seconds of a run at most.")] = None,
    criteria: Annotated[Path | None, typer.Option(metavar="FILE", help="Criteria, if not the platform's own.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help="Processes; default: the processors.")] = None,
    on: Annotated[On, typer.Option(help="Fly in processes here, or on a Ray cluster.")] = On.HERE,
    address: Annotated[str | None, typer.Option(help="With --on ray: HOST:PORT; default: one of its own.")] = None,
    limit: Annotated[float | None, typer.Option(min=1, help="Wall seconds of a run at most, here.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="RESULTS", help="Of the results.")] = None,
) -> None:
    """Fly a sweep, or go on with it: Ctrl-C ends it, and the same command flies what is left."""
    from qiki_harness.sweeps.plan import plan  # noqa: PLC0415

    given = {"scenarios": scenarios, "seeds": seeds, "engines": engines, "seconds": seconds}
    spec = spec_of(what, given | {"criteria": None if criteria is None else str(criteria)}, settings or [])
    sweep = plan(spec)
    path = output or _default_file(what or sweep.runs[0].world, sweep.hash)
    _fly(sweep, path, _crew(on, address, workers, limit))


@app.command()
def show(
    file: ResultsFile,
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="A run; the beginning of its key.")] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Fly the run again, compare, and record it (MCAP).")
    ] = None,
) -> None:
    """Show the results of a sweep, or of one run; status 1 if it is another one when it is flown again."""
    from qiki_harness.sweeps.store import Results  # noqa: PLC0415

    with Results.read(file) as results:
        if key is None:
            echo(*_summary(results))
            return
        row = results.row(key)
        echo(*_row_lines(file, row))
        if record is not None and not _again(results, row, record):
            raise typer.Exit(_DIFFERENT)


@app.command()
def export(
    file: ResultsFile,
    minari: Annotated[str, typer.Option(metavar="ID", help="Name of the data set, as qiki/avoid-v0.")],
) -> None:
    """Write the runs that policies flew as a data set in Minari's format, for the usual tools of learning."""
    from qiki_harness.sweeps.datasets import export as export_runs  # noqa: PLC0415
    from qiki_harness.sweeps.store import Results  # noqa: PLC0415

    with Results.read(file) as results:
        done = left_out = 0
        for done, total in export_runs(results, minari):
            overwrite(f"{done} of {total} runs", sys.stderr)
            left_out = len(results.keys) - total
        wipe(sys.stderr)
    others = f"; {left_out} left out, whose engines do not propose by five numbers" if left_out else ""
    echo(f"{minari}: {done} episodes{others}")


def spec_of(what: str | None, given: dict[str, Any], settings: list[str]) -> "SweepSpec":
    """Return the specification of a file, or of options.

    Raises:
        HarnessError: they name none, or both.
    """
    from pydantic import ValidationError  # noqa: PLC0415

    from qiki.contracts.fields import first_fault  # noqa: PLC0415
    from qiki.yamlfile import load_yaml_model  # noqa: PLC0415
    from qiki_harness.sweeps.plan import SweepSpec  # noqa: PLC0415

    chosen = {name: value for name, value in given.items() if value is not None}
    if what and what.endswith(_YAML):
        if chosen or settings:
            raise HarnessError(f"{what} describes the whole sweep: leave --{next(iter(chosen), 'set')} out")
        return load_yaml_model(Path(what), SweepSpec)
    try:
        return SweepSpec(task=what or "", parameters=_parameters(settings), **{"seeds": "1", **chosen})
    except ValidationError as error:
        raise HarnessError(f"--{first_fault(error)}") from None


def _parameters(settings: list[str]) -> dict[str, tuple[Any, ...]]:
    from qiki_harness.recording.why.inputs import parsed  # noqa: PLC0415

    values: dict[str, tuple[Any, ...]] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise HarnessError(f"--set {setting}: expected FIELD=VALUE")
        values[name] = (*values.get(name, ()), parsed(text))
    return values


def _default_file(what: str, identity: str) -> Path:
    home = (checkout() or Path.cwd()) / ".qiki" if in_checkout(".git") else Path.cwd()
    return home / "sweeps" / f"{Path(what).stem}-{identity[:8]}.sqlite"


def _crew(on: On, address: str | None, workers: int | None, limit_s: float | None) -> "Crew":
    import os  # noqa: PLC0415

    from qiki_harness.sweeps.local import LocalCrew  # noqa: PLC0415

    count = workers or len(os.sched_getaffinity(0))
    if on is On.HERE:
        if address is not None:
            raise HarnessError("--address is of a Ray cluster: add --on ray")
        return LocalCrew(count, limit_s)
    if limit_s is not None:
        raise HarnessError("--limit is for processes here: leave it out with --on ray")
    from qiki_harness.sweeps.on_ray import RayCrew  # noqa: PLC0415

    return RayCrew(address, count)


def _fly(sweep: "Sweep", path: Path, crew: "Crew") -> None:
    from qiki_harness.sweeps.flying import bundle_crashes, fly_sweep  # noqa: PLC0415
    from qiki_harness.sweeps.store import Results  # noqa: PLC0415

    with Results.of_sweep(path, sweep) as results, _stopping() as stop:
        line = _ProgressLine(path)
        try:
            for progress in fly_sweep(sweep, results, crew, stop):
                line.show(progress, ending=stop())
            line.end()
            echo(*(f"an engine failed: qiki verify {bundle}" for bundle in bundle_crashes(sweep, results, stop)))
        except KeyboardInterrupt:
            line.end()
        done = len(results.keys)
        echo(*(_summary(results) if done else ()))
    if done < len(sweep.runs):
        echo(f"{done} of {len(sweep.runs)} runs are flown: the same command goes on", stream=sys.stderr)
        raise typer.Exit(_INTERRUPTED)


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Within the context the first signal asks to stop; the next Ctrl-C is a KeyboardInterrupt."""
    with until_signal() as called:

        def stop() -> bool:
            if called():
                signal.signal(signal.SIGINT, signal.default_int_handler)
            return called()

        yield stop


class _ProgressLine:
    """A line with rate and time left; without a terminal one for each tenth of the runs."""

    def __init__(self, path: Path) -> None:
        self._path, self._tenth = path, -1

    def show(self, progress: "Progress", *, ending: bool) -> None:
        left = "" if progress.left_s is None else f", {_duration(progress.left_s)} left"
        crashed = f", {progress.crashed} crashed" if progress.crashed else ""
        end = "; ends with the runs that fly" if ending else ""
        text = f"{progress.done} of {progress.total} runs, {progress.rate:.2f} runs/s{left}{crashed}{end}"
        overwrite(text, sys.stderr)
        if not sys.stderr.isatty() and (tenth := 10 * progress.done // progress.total) > self._tenth:
            self._tenth = tenth
            echo(f"{self._path}: {text}", stream=sys.stderr)

    def end(self) -> None:
        wipe(sys.stderr)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _summary(results: "Results") -> Iterator[str]:
    """Yield a row for each world, parameters and engine, the digest of all, and the next commands."""
    rows = results.rows()
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    head = ("WORLD", "PARAMETERS", "ENGINE", "RUNS", "SUCCESS", "SCORE", "CLOSEST", "PROPELLANT", "CRASHED")
    yield from table(head, [(*group, *_cells(members)) for group, members in groups.items()])
    yield ""
    yield f"{results.path}: {len(rows)} of {results.total} runs, digest of all {results.digest()}"
    yield f"next: qiki card make {results.path}   qiki sweep show {results.path} KEY"


def _cells(rows: "list[Row]") -> tuple[str, ...]:
    flown = [row.result for row in rows if not row.result.error]
    crashed = sum(row.result.crashed for row in rows)
    count = len(flown) or 1
    closest = min((one.closest_m for one in flown if one.closest_m is not None), default=None)
    return (
        str(len(rows)),
        f"{sum(one.success for one in flown) / count:.0%}",
        f"{sum(one.score for one in flown) / count:.2f}",
        "-" if closest is None else f"{closest:.1f} m",
        f"{sum(one.propellant_kg for one in flown) / count:.2f} kg",
        str(crashed or "-"),
    )


def _row_lines(file: Path, row: "Row") -> Iterator[str]:
    one = row.result
    yield f"run {one.key[:_SHORT]}: {', '.join(filter(None, row.group))}, seed {row.seed}"
    yield f"  {one.outcome} after {one.steps * one.frame_s:.1f} s, score {one.score:.2f}, digest {one.digest or '-'}"
    yield from (f"  {verdict.sentence}" for verdict in one.verdicts)
    yield from (f"  engine {name} {fault}" for name, fault in one.faults.items())
    yield from ([f"  {one.error}"] if one.error else [])
    if row.bundle:
        yield f"  qiki verify {file.parent / row.bundle}"


def _again(results: "Results", row: "Row", path: Path) -> bool:
    """Record a run, and say whether it is the same; return that."""
    from qiki_harness.sweeps.again import differences, record, run_of  # noqa: PLC0415
    from qiki_harness.sweeps.work import fly  # noqa: PLC0415

    one = run_of(results.spec, row.result.key, row.place)
    found = differences(row.result, fly(one, results.criteria))
    record(one, path, checkout())
    echo(*([f"  not the same: {line}" for line in found] or ["  flown again: the same"]))
    echo(f"  qiki console {path}   qiki play {path}   qiki why {path}")
    return not found
