"""`qiki up`: start a stack, show its logs, stop it."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qiki.errors import UserError
from qiki.runtime.terminal import OutputClosedError, drop_output, echo
from qiki_harness.cli.console import links
from qiki_harness.cli.forks import branch_of
from qiki_harness.cli.options import QIKI, File, Name, RunDir, compose_file, run_folder
from qiki_harness.cli.output import LogView, Progress, by_hand, summary
from qiki_harness.cli.played import CONSOLE, page_of
from qiki_harness.cli.recordings import KEPT, TELL_KEPT
from qiki_harness.errors import HarnessError, StackError
from qiki_harness.stack import Stack, StackInfo, StackOptions
from qiki_harness.stack.model import PORTS, is_port

if TYPE_CHECKING:
    from qiki_harness.recording.fork import Branch

_START_S = 120.0
_STOP_S = 60.0
_RECORDER, _RECORDER_S = "record", 20.0
_INTERRUPTED = 130


class PortChoice(StrEnum):
    """The choice of a stack's ports."""

    USUAL = "usual"
    AUTO = "auto"


Detached = Annotated[bool, typer.Option("--detached", "-d", help="Return when the stack is up; `qiki down` ends it.")]
Ports = Annotated[PortChoice, typer.Option(help="The compose file's ports, or free ones for stacks side by side.")]
Port = Annotated[list[str] | None, typer.Option(metavar="VARIABLE=N", help="Set one port: NATS_PORT=4333. Repeatable.")]
Record = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Record all that the stack publishes into this file, until it ends."),
]
Without = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SERVICE",
        help="Do not start this service, and say how to run it by hand, in a debugger for example. Repeatable.",
    ),
]


def up(  # noqa: PLR0917  # each an option of the command line
    scenario: Annotated[str | None, typer.Option(help="Its name or file; see `qiki scenario list`.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the random numbers.")] = None,
    speed: Annotated[float | None, typer.Option(help="Simulated seconds per second.")] = None,
    run_id: Annotated[str | None, typer.Option(help="UUID of the run, to get the same ids again.")] = None,
    detached: Detached = False,
    without: Without = None,
    ports: Ports = PortChoice.USUAL,
    port: Port = None,
    record: Record = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="FILE@T", help="Go on from a moment of a recorded run; --scenario, --seed: of its future."
        ),
    ] = None,
    name: Name = "default",
    file: File = None,
    run_dir: RunDir = None,
) -> None:
    """Start the stack and show its logs; Ctrl-C stops it, a second Ctrl-C kills it.

    The services of the compose file run as plain processes, without a container engine. They end with this
    command, unless it is detached. Their data stays in the run folder.
    """
    given = {"scenario": scenario, "seed": seed, "speed": speed, "run_id": run_id}
    future = {"scenario", "seed"} if from_ else set[str]()
    if scenario and Path(scenario).is_file():
        given["scenario"] = str(Path(scenario).resolve())  # the services run in another folder
    chosen = {option: value for option, value in given.items() if value is not None}
    if chosen:
        _check_choices(chosen)
    options = StackOptions(
        compose_file(file),
        run_folder(name, run_dir, file),
        name,
        variables={f"QIKI_{key.upper()}": str(value) for key, value in chosen.items() if key not in future},
        ports=dict(_port(text) for text in port or ()),
        auto_ports=ports is PortChoice.AUTO,
        without=tuple(without or ()),
    )
    there = Stack(options.folder)
    if there.alive:
        raise StackError(
            f"stack {name!r} runs already (pid {there.info.pid}): "
            "`qiki ps` shows it, `qiki down` stops it, --name starts another beside it"
        )
    if record is not None and record.exists():
        raise HarnessError(f"--record {record}: it is there already: name another file, or remove it")
    if from_ is None:
        _unplant(options)
    else:
        _plant(branch_of(from_, seed=seed, scenario=scenario, run_id=run_id), options, speed)
    sys.exit(_run(Stack.start(options, tied=not detached), record, detached=detached))


def _unplant(options: StackOptions) -> None:
    """Remove the run of a fork whose stack did not start."""
    if any((options.folder / "data").glob("*/run-*.json")):
        from qiki_harness.recording.plant import unplant  # noqa: PLC0415

        unplant(_simulator_folder(options))


def _simulator_folder(options: StackOptions) -> Path:
    from qiki_harness.compose import ComposeFile  # noqa: PLC0415

    return Path(ComposeFile(options.compose_file).native_variables(options.folder / "data", {})["SIM_STATE_DIR"])


def _plant(one: "Branch", options: StackOptions, speed: float | None) -> None:
    """Let the stack's simulator go on from a moment of a recorded run."""
    from qiki.world.simulator import RunState  # noqa: PLC0415
    from qiki_harness.compose import ComposeFile  # noqa: PLC0415
    from qiki_harness.recording.fork import plant_branch  # noqa: PLC0415

    compose = ComposeFile(options.compose_file)
    variables = compose.native_variables(options.folder / "data", {})
    simulator = compose.project({**variables, **options.variables}).services["q-sim-service"]
    held = simulator.environment["QIKI_AUTOSTART"] == "false"
    state = RunState.STOPPED if held else RunState.RUNNING
    plant_branch(one, _simulator_folder(options), speed or one.run.described.speed, state)
    echo(f"goes on from {one.t_s:g} s of run {one.future.parent}, as run {one.run_id}")


def _run(stack: Stack, record: Path | None, *, detached: bool) -> int:
    """Bring the stack up and, unless detached, stay with it; return the exit status."""
    up, recorder = False, None
    try:
        info = _bring_up(stack)
        up = True
        page = info.services.get(CONSOLE)
        echo(*summary(info, links(*page_of(stack)) if page and page.ready else [], detached=detached))
        if record is not None:
            recorder = _record(stack, record)
            _await_recording(recorder, stack.folder.log(_RECORDER))
        return 0 if detached else _stay(stack)
    except KeyboardInterrupt:
        if recorder:
            _await_kept(recorder, stack.folder.log(_RECORDER))
        _stop(stack)
        return 0 if up else _INTERRUPTED
    except OutputClosedError:
        drop_output()
        if not detached:
            stack.stop()
            raise
        stack.wait_healthy(_START_S)
        return 0
    except HarnessError:
        stack.stop()
        raise
    finally:
        if recorder and not detached:
            echo(*_last_words(recorder, stack.folder.log(_RECORDER)))


def _record(stack: Stack, file: Path) -> "subprocess.Popen[bytes]":
    """Start a recorder in a session of its own; it ends with the stack."""
    folder, log = stack.folder.path, stack.folder.log(_RECORDER)
    words = ("record", str(file.resolve()), "--all", "--name", folder.name, "--run-dir", str(folder.parent))
    environment = {name: value for name, value in os.environ.items() if name != "NATS_URL"} | {TELL_KEPT: "1"}
    echo(f"  recording     {file}")
    with log.open("wb") as output:
        return subprocess.Popen(
            [*QIKI, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _await_recording(recorder: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a recorder records.

    Raises:
        HarnessError: it cannot.
    """
    from qiki_harness.testing import until  # noqa: PLC0415

    until("the recorder to record", lambda: log.stat().st_size or recorder.poll() is not None, _RECORDER_S)
    if recorder.poll():
        raise HarnessError(f"--record: {log.read_text(encoding='utf-8', errors='replace').strip()}")


def _await_kept(recorder: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a recorder has read what the streams kept before it began: the broker ends with the stack."""
    from qiki_harness.testing import until  # noqa: PLC0415

    def read() -> bool:
        return KEPT in log.read_text(encoding="utf-8", errors="replace") or recorder.poll() is not None

    with contextlib.suppress(HarnessError):
        until("the recorder to read what the streams kept", read, _RECORDER_S)


def _last_words(recorder: "subprocess.Popen[bytes]", log: Path) -> list[str]:
    """Wait for the recorder, and return what it said of the recording."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        recorder.wait(_RECORDER_S)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if not line.startswith(("records ", KEPT))]


def _bring_up(stack: Stack) -> StackInfo:
    echo(*by_hand(stack.info))
    progress = Progress()
    try:
        return stack.wait_healthy(_START_S, watch=progress.show)
    finally:
        progress.clear()


def _stay(stack: Stack) -> int:
    """Show the logs until the stack ends; return the exit status."""
    LogView(stack, [*stack.info.services, "qiki"]).follow()
    exit_status = stack.wait_ended(_STOP_S)
    if exit_status != 0:
        log = stack.folder.log("qiki")
        raise StackError(f"the stack's supervisor was ended (exit status {exit_status}); its log: {log}")
    echo(f"Stack {stack.info.name!r} was stopped.")
    return 0


def _stop(stack: Stack) -> None:
    echo("", "Stopping; Ctrl-C again kills.")
    try:
        stack.stop()
    except KeyboardInterrupt:
        # It may just have ended.
        with contextlib.suppress(StackError):
            stack.request_kill()
        stack.wait_ended(_STOP_S)


def _port(text: str) -> tuple[str, int]:
    variable, _, number = text.partition("=")
    if not is_port(number):
        raise HarnessError(f"--port {text}: expected VARIABLE=N with N from {PORTS[0]} to {PORTS[-1]}")
    return variable, int(number)


def _check_choices(chosen: Mapping[str, object]) -> None:
    """Refuse a scenario, seed, speed or run_id that the simulator would refuse; the error names the option."""
    from pydantic import ValidationError  # noqa: PLC0415

    from q_sim_service.settings import SimulatorSettings  # noqa: PLC0415
    from qiki.world.scenario import load_scenario  # noqa: PLC0415  # numpy

    try:
        SimulatorSettings.model_validate({f"qiki_{name}": value for name, value in chosen.items()})
    except ValidationError as error:
        for fault in error.errors(include_url=False):  # other settings are not ours to judge
            name = str(fault["loc"][0]).removeprefix("qiki_")
            if name in chosen:
                raise HarnessError(f"--{name.replace('_', '-')} {chosen[name]}: {fault['msg']}") from None
    if "scenario" in chosen:
        try:
            load_scenario(str(chosen["scenario"]))
        except UserError as error:
            raise HarnessError(f"--scenario: {error}") from None
