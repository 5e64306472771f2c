"""`qiki record` and `qiki recording`: record a run, and look at what a recording holds."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from qiki.runtime.terminal import echo, echo_json
from qiki_harness.cli.options import (
    COMPOSE_FILE,
    DEFAULT,
    Name,
    NatsUrl,
    RunDir,
    in_checkout,
    keys_for,
    running_stack,
)
from qiki_harness.cli.output import table, until_signal
from qiki_harness.errors import HarnessError, RecordingError

if TYPE_CHECKING:
    from qiki_harness.recording.contents import Summary
    from qiki_harness.recording.crashloop import CrashLoops
    from qiki_harness.recording.reader import Recording
    from qiki_harness.stack import Stack

app = typer.Typer(help="Look at recordings and bundles: info, check, export, prune.", no_args_is_help=True)
SUFFIX = ".mcap"
KEPT = "what the streams kept is recorded"
"""A line for `up --record`, which sets the variable, once that is so."""
TELL_KEPT = "QIKI_RECORD_TELL_KEPT"
_DIFFERENT = 1
_MIB = 2**20
_NS = 1e9
File = Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")]
_Seconds = Annotated[float | None, typer.Option(min=0.05, max=1e7, help="End by itself after so many seconds.")]


def record(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Default: one named by the time, in .qiki/recordings.")
    ] = None,
    seconds: _Seconds = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what the streams have kept until now.")] = False,
    run: Annotated[
        str | None,
        typer.Option(metavar="ID", help="This run alone, as the streams keep it; the id's beginning will do."),
    ] = None,
    fly: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="Fly this scenario in one process, and record that.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="With --fly; default: the scenario's own.")] = None,
    nats: NatsUrl = None,
    name: Name = DEFAULT,
    run_dir: RunDir = None,
) -> None:
    """Record the running stack until Ctrl-C, until the stack ends, or for some seconds.

    With --run, keep a run that is over, or the present one until now. With --fly, record a flight in one process.
    """
    path = file or default_file(run_dir, fly or run or name)
    if run is not None and (fly is not None or seconds is not None or everything):
        raise HarnessError("--run records what the streams have kept of one run: not with --fly, --seconds or --all")
    if run is not None:
        _record_run(path, run, nats, name, run_dir)
    elif fly is not None:
        _record_flight(fly, seed, seconds or 60.0, path)
    elif seed is not None:
        raise HarnessError("--seed is for --fly: a running stack has its own")
    else:
        _record_stack(path, seconds, nats, name, run_dir, everything=everything)
    echo(*summary_lines(path))


@app.command()
def info(file: File, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say what a recording holds: its origin, runs, messages by subject, attachments."""
    found = _read(file)
    if as_json:
        echo_json(f"[{','.join(summary.model_dump_json() for _, summary in found)}]")
        return
    for recording, summary in found:
        about = recording.about
        commit = f", commit {about.commit}" if about.commit else ""
        echo(
            f"{file}: {_size(file)}, from {about.source}, begun {about.begun}",
            f"  qiki-dtmp {about.product}, Python {about.python}{commit}",
            *_runs(summary),
            "",
            *_subjects(summary),
            "",
            f"attached: {', '.join(recording.attachment_names) or 'nothing'}",
        )
        if recording.problem:
            echo(recording.problem)


@app.command()
def check(
    file: File, again: Annotated[bool, typer.Option("--again", help="Read every message, and every checksum.")] = False
) -> None:
    """Say whether anything is missing in a recording; status 1 if so."""
    found = _read(file, again=again)
    faults = [fault for recording, summary in found for fault in _faults(recording, summary)]
    runs = sum(len(summary.runs) for _, summary in found)
    echo(*(faults or [f"{file}: nothing is missing, {runs} {'run' if runs == 1 else 'runs'}"]))
    if faults:
        raise typer.Exit(_DIFFERENT)


@app.command()
def export(
    file: File,
    tracks: Annotated[
        bool, typer.Option("--tracks", help="A table of the tracks (CSV), not JSON Lines of all.")
    ] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: standard output.")] = None,
) -> None:
    """Write a recording as JSON Lines, or its tracks as a table."""
    from qiki_harness.recording.bundle import recordings  # noqa: PLC0415
    from qiki_harness.recording.export import json_lines, tracks_csv  # noqa: PLC0415

    found = recordings(file)
    with _output(output) as out:
        for recording in found:
            if tracks:
                tracks_csv(recording, out)
            else:
                out.writelines(line.decode() for line in json_lines(recording))


@app.command()
def prune(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Default: .qiki/recordings and .qiki/bundles.")
    ] = None,
    keep: Annotated[int, typer.Option(min=1, help="Files that stay, the newest.")] = 20,
    size_mb: Annotated[float, typer.Option(min=0, help="Their size at most; the newest stays.")] = 1024.0,
    run_dir: RunDir = None,
) -> None:
    """Remove the oldest recordings and bundles of a folder."""
    from qiki_harness.recording.bundle import prune as prune_folder  # noqa: PLC0415

    if folder is not None and not folder.is_dir():
        raise RecordingError(f"{folder}: no such folder")
    for one in [folder] if folder else [_home(run_dir) / "recordings", _home(run_dir) / "bundles"]:
        if one.is_dir():
            echo(*(f"removed {path}" for path in prune_folder(one, keep, round(size_mb * _MIB))))


def _record_stack(
    path: Path, seconds: float | None, nats: str | None, name: str, run_dir: Path | None, *, everything: bool
) -> None:
    from qiki_harness.recording.about import about, attachments  # noqa: PLC0415
    from qiki_harness.recording.crashloop import CrashLoops  # noqa: PLC0415
    from qiki_harness.recording.recorder import Recorder  # noqa: PLC0415
    from qiki_harness.recording.writer import RecordingWriter  # noqa: PLC0415

    stack = None if nats else running_stack(name, run_dir)
    url = nats or (stack.info.addresses["NATS_URL"] if stack else "")
    folder = checkout()
    end_s = None if seconds is None else time.monotonic() + seconds
    loops = CrashLoops()
    writer = RecordingWriter(path, about(url, folder), attachments(folder))
    with until_signal() as called, Recorder(writer, url, keys_for(stack), everything=everything) as recorder:
        echo(f"records {url} into {path}; Ctrl-C ends it", stream=sys.stderr)

        kept = False

        def going_on() -> bool:
            nonlocal kept
            if recorder.caught_up and not kept:
                kept = True
                if os.environ.get(TELL_KEPT):
                    echo(KEPT, stream=sys.stderr)
            _look_for_crashes(stack, loops, path)
            lasts = end_s is None or time.monotonic() < end_s or not recorder.caught_up
            return lasts and not called() and (stack is None or stack.alive)

        recorder.wait(going_on)


def _record_run(path: Path, run: str, nats: str | None, name: str, run_dir: Path | None) -> None:
    from qiki_harness.recording.about import about, attachments  # noqa: PLC0415
    from qiki_harness.recording.recorder import Recorder  # noqa: PLC0415
    from qiki_harness.recording.stored import find_run, stored_runs  # noqa: PLC0415
    from qiki_harness.recording.writer import RecordingWriter  # noqa: PLC0415

    stack = None if nats else running_stack(name, run_dir)
    url = nats or (stack.info.addresses["NATS_URL"] if stack else "")
    keys, folder = keys_for(stack), checkout()
    chosen = find_run(stored_runs(url, keys), run)
    writer = RecordingWriter(path, about(url, folder), attachments(folder))
    with until_signal() as called, Recorder(writer, url, keys, run=chosen) as recorder:
        echo(f"writes run {chosen.run_id} ({chosen.scenario}) into {path}", stream=sys.stderr)
        recorder.wait(lambda: not recorder.caught_up and not called())


def _look_for_crashes(stack: "Stack | None", loops: "CrashLoops", path: Path) -> None:
    """Leave a bundle of the recording so far where a service of a native stack crashes again and again."""
    from qiki_harness.recording.bundle import Exhibit, logs_of, write_bundle  # noqa: PLC0415

    if stack is None or not stack.alive:
        return
    for found in loops.look(stack.info.services, time.monotonic()):
        folder = stack.folder.path.parent / "bundles"
        try:
            exhibit = Exhibit(lambda copy: shutil.copyfile(path, copy), logs_of(stack))
            bundle = write_bundle(folder, f"crash::{stack.info.name}", found, [exhibit])
        except (OSError, RecordingError) as error:
            echo(f"{found}; no bundle was written: {error}")
        else:
            echo(f"{found}: qiki verify {bundle}")


def _record_flight(scenario: str, seed: int | None, seconds: float, path: Path) -> None:
    from qiki.flight import Flight  # noqa: PLC0415
    from qiki.world.scenario import load_scenario  # noqa: PLC0415
    from qiki_harness.recording.flown import record_flight  # noqa: PLC0415

    record_flight(Flight(load_scenario(scenario), seed=seed), seconds, path, checkout())


def summary_lines(path: Path) -> list[str]:
    """Return what a recording that was just made holds."""
    ((_, summary),) = _read(path)
    return [f"{path}: {_size(path)}, {sum(summary.counts.values())} messages", *_runs(summary)]


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("x", encoding="utf-8") as out:
            yield out
    except FileExistsError:
        raise RecordingError(f"{path} is there already: name another file, or remove it") from None
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from None


def _read(file: Path, *, again: bool = False) -> "list[tuple[Recording, Summary]]":
    from qiki_harness.recording.bundle import recordings  # noqa: PLC0415
    from qiki_harness.recording.check import summarise  # noqa: PLC0415

    return [(recording, summarise(recording, again=again)) for recording in recordings(file)]


def _faults(recording: "Recording", summary: "Summary") -> Iterator[str]:
    yield from (f"run {run.run_id}: {fault}" for run in summary.runs for fault in run.faults)
    if not summary.runs:
        yield "no frames"
    if summary.breaks:
        yield f"the connection broke {summary.breaks} times: what is not kept was missed meanwhile"
    if recording.problem or recording.summary is None:
        yield recording.problem or "it has no whole index: its writer was killed, or the file was changed"


def checkout() -> Path | None:
    """Return the project's folder, for a recording's origin; None where there is none."""
    file = in_checkout(COMPOSE_FILE)
    return file.parent if file else None


def _home(run_dir: Path | None) -> Path:
    return run_dir or (checkout() or Path.cwd()) / ".qiki"


def default_file(run_dir: Path | None, what: str) -> Path:
    """Return a new file whose name sorts by time."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return _home(run_dir) / "recordings" / f"{stamp}-{Path(what).stem}{SUFFIX}"


def _size(path: Path) -> str:
    return f"{path.stat().st_size / _MIB:.1f} MiB"


def _runs(summary: "Summary") -> list[str]:
    rows = [
        (
            run.run_id,
            run.scenario or "?",
            "?" if run.seed is None else str(run.seed),
            f"{run.first} to {run.last}",
            f"{(run.end_ns - run.begin_ns) / _NS:.1f} s",
            str(run.orders),
            "; ".join(run.faults) or "-",
        )
        for run in summary.runs
    ]
    return table(("RUN", "SCENARIO", "SEED", "FRAMES", "LASTS", "ORDERS", "MISSING"), rows) if rows else ["no frames"]


def _subjects(summary: "Summary") -> list[str]:
    rows = [
        (subject, str(count), f"{summary.sizes[subject] / _MIB:.2f} MiB") for subject, count in summary.counts.items()
    ]
    return table(("SUBJECT", "MESSAGES", "BYTES"), sorted(rows))
