"""`qiki verify`, `diff`, `play`: fly a recorded run again, compare two recordings, publish one again."""

import subprocess
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from qiki.runtime.terminal import echo
from qiki_harness.cli.console import links
from qiki_harness.cli.options import DEFAULT, QIKI, Name, Rules, Run, RunDir
from qiki_harness.cli.output import complain, table, until_signal
from qiki_harness.cli.played import page_broker, page_of, play_until, source
from qiki_harness.cli.recordings import SUFFIX, File
from qiki_harness.errors import HarnessError, RecordingError

if TYPE_CHECKING:
    from qiki_harness.recording.runs import RecordedRun
    from qiki_harness.recording.verify import Verdict

_DIFFERENT = 1


class Where(StrEnum):
    """The place where a run is flown again."""

    PROCESS = "process"
    STACK = "stack"


def verify(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A recording.")] = None,
    twice: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="Fly this scenario in two processes, and compare.")
    ] = None,
    on: Annotated[Where, typer.Option(help="Fly it in one process, or on a native stack of its own.")] = Where.PROCESS,
    run: Run = None,
    rules: Rules = None,
    seconds: Annotated[float, typer.Option(min=0.05, max=1e6, help="With --twice: simulated seconds.")] = 60.0,
) -> None:
    """Fly a recorded run again, and say whether it is the same; status 1 if it is not."""
    if (file is None) == (twice is None):
        raise HarnessError("verify takes a recording, or --twice SCENARIO")
    if file is not None:
        _verify(file, run, rules, on)
        return
    with TemporaryDirectory() as folder:
        first = Path(folder) / f"first{SUFFIX}"
        fly = ("record", str(first), "--fly", str(twice), "--seconds", str(seconds))
        done = subprocess.run([*QIKI, *fly], capture_output=True, text=True, check=False)
        if done.returncode:
            raise HarnessError(done.stderr.strip().removeprefix("qiki: ") or f"the flight ended with {done.returncode}")
        _verify(first, run, rules, on)


def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="A recording.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
) -> None:
    """Say in words how two recorded runs differ: environment, inputs, orders, first frame; status 1 if they do."""
    from qiki_harness.recording.bundle import recordings  # noqa: PLC0415
    from qiki_harness.recording.compare import compare  # noqa: PLC0415
    from qiki_harness.recording.runs import recorded_run  # noqa: PLC0415

    found = compare(*(recorded_run(recordings(path)[0]) for path in (a, b)))
    for title, lines in (("environment", found.environment), ("inputs", found.inputs), ("orders", found.orders)):
        echo(*([f"{title}:", *(f"  {line}" for line in lines)] if lines else [f"{title}: the same"]))
    named = ", ids do not count" if found.nameless else ""
    if not found.frames and found.difference is None:
        echo("frames: the runs have none in common")
    elif found.difference is None:
        echo(f"frames: the same, {found.frames} of them{named}")
    else:
        one = found.difference
        echo(
            f"frames: different from frame {one.frame} on, {found.frames} before it are the same{named}",
            f"  {one.key[0]}  {one.key[1]}",
            f"  {one.field or 'the message'}: {one.one} in A, {one.other} in B",
        )
    echo("", *table(("", "A", "B"), found.metrics))
    if not found.same:
        raise typer.Exit(_DIFFERENT)


def play(
    file: File,
    speed: Annotated[float, typer.Option(min=0.01, max=1e6, help="Seconds of event time per second.")] = 1.0,
    from_s: Annotated[
        float, typer.Option("--from", min=0, help="Seconds since the first frame; what is earlier is there at once.")
    ] = 0.0,
    loop: Annotated[bool, typer.Option("--loop", help="Again and again.")] = False,
    run: Run = None,
    name: Name = "play",
    run_dir: RunDir = None,
) -> None:
    """Play a recording on a broker of its own, until its end and then until Ctrl-C: `qiki watch --name play`."""
    from qiki_harness.recording.bundle import recordings  # noqa: PLC0415
    from qiki_harness.recording.player import Player  # noqa: PLC0415
    from qiki_harness.recording.runs import recorded_run  # noqa: PLC0415

    played = recorded_run(recordings(file)[0], run)
    with page_broker(name, run_dir, {"sources": [source(file.name)]}) as stack, until_signal() as called:
        where = f" --name {name}" if name != DEFAULT else ""
        echo(f"{file}: NATS_URL={stack.info.addresses['NATS_URL']}   qiki watch{where}   Ctrl-C ends it")
        echo(*links(*page_of(stack)))
        play_until(called, [(Player.of(played, speed, from_s), stack.info.addresses)], loop=loop)


def _verify(file: Path, run: str | None, rules: Path | None, on: Where) -> None:
    from qiki_harness.recording.bundle import recordings  # noqa: PLC0415
    from qiki_harness.recording.runs import recorded_run  # noqa: PLC0415

    same = True
    found = recordings(file)
    for number, recording in enumerate(found):
        try:
            verdict = _flown_again(recorded_run(recording, run), rules, on)
        except RecordingError as error:
            if len(found) == 1:
                raise
            complain(f"recording {number}: {error}")
            same = False
        else:
            echo(*_verdict_lines(verdict))
            same = same and verdict.same
    if not same:
        raise typer.Exit(_DIFFERENT)


def _flown_again(run: "RecordedRun", rules: Path | None, on: Where) -> "Verdict":
    from qiki.guard import load_rules  # noqa: PLC0415
    from qiki_harness.recording.verify import verify as fly_again  # noqa: PLC0415

    if on is Where.PROCESS:
        return fly_again(run, load_rules(rules) if rules else None)
    from qiki_harness.recording.restage import verify_on_stack  # noqa: PLC0415

    with TemporaryDirectory(prefix="qiki-verify-") as folder:
        return verify_on_stack(run, Path(folder), rules)


def _verdict_lines(verdict: "Verdict") -> Iterator[str]:
    of = f"run {verdict.run.run_id} ({verdict.run.scenario}, seed {verdict.run.seed})"
    compared = f"frames {verdict.first} to {verdict.last}" if verdict.frames else "no frame"
    if verdict.same:
        yield f"the same: {of}, {compared}: {', '.join(verdict.groups)}"
        if verdict.digest is not None:
            yield f"  digest {verdict.digest.whole}"
    elif verdict.difference is None:
        yield f"nothing to compare: {of} has no whole frame"
    else:
        found = verdict.difference
        yield f"different from frame {found.frame} on: {of}; before it {compared} are the same"
        yield f"  {found.key[0]}  {found.key[1]}"
        yield f"  {found.field or 'the message'}: recorded {found.one}, flown {found.other}"
        yield from (f"  led to by {line}" for line in verdict.led_to)
    if verdict.gaps:
        yield f"  the recording lacks messages of {len(verdict.gaps)} frames: what it has of them was compared"
    yield from (f"  {remark}" for remark in verdict.remarks)
