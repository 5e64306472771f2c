"""Starting a stack for a test."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, Unpack
from uuid import UUID

from qiki_harness.cli.options import compose_file
from qiki_harness.compose import ComposeFile
from qiki_harness.errors import StartFailedError
from qiki_harness.stack import Stack, StackOptions
from qiki_harness.twin.backing import OwnStack
from qiki_harness.twin.twin import Twin

START_S = 60.0
_THE_TESTERS = {"LOG_LEVEL"}


class TwinOptions(TypedDict, total=False):
    """Options of a twin's own stack.

    Attributes:
        seed: of all chance in the world; None: the scenario's own
        speed: simulated seconds a second of wall time
        run_id: to have the same identities again
        start: let time pass (default); otherwise the world waits for `sim.start` or `sim.step`
        env: further variables of the compose file
        without: services that are left out
    """

    seed: int | None
    speed: float | None
    run_id: UUID | None
    start: bool
    env: Mapping[str, str] | None
    without: tuple[str, ...]


def start_twin(folder: Path, scenario: str | Path = "mixed-traffic", **options: Unpack[TwinOptions]) -> Twin:
    """Start a native stack in its run folder, on free ports, with the world of this name or file, and a twin on it.

    The world stands still until the twin is connected, so that its histories begin with the run.

    Raises:
        HarnessError: it does not come up.
    """
    __tracebackhide__ = True
    stack = start_stack(folder, scenario, **options)
    try:
        twin = Twin(OwnStack(stack))
    except BaseException:
        stack.stop()
        raise
    by_itself = (options.get("env") or {}).get("QIKI_AUTOSTART", "false") == "true"
    if options.get("start", True) and not by_itself:
        twin.command("sim.start")
    return twin


def start_stack(folder: Path, scenario: str | Path = "mixed-traffic", **options: Unpack[TwinOptions]) -> Stack:
    """Start a native stack as `start_twin` does, its world standing still, and wait until it is up."""
    __tracebackhide__ = True
    if unknown := options.keys() - TwinOptions.__optional_keys__:
        raise TypeError(f"no option {', '.join(sorted(unknown))}")
    chosen = {f"QIKI_{name.upper()}": options.get(name) for name in ("seed", "speed", "run_id")}
    variables = {
        "QIKI_SCENARIO": str(scenario.resolve()) if isinstance(scenario, Path) else scenario,
        "QIKI_AUTOSTART": "false",
        **{name: str(value) for name, value in chosen.items() if value is not None},
        **(options.get("env") or {}),
    }
    stack = Stack.start(options_for(folder, variables, options.get("without", ())))
    try:
        stack.wait_healthy(START_S)
    except BaseException as error:
        if isinstance(error, StartFailedError):
            error.add_note("\n".join(error.last_words))
        stack.stop()
        raise
    return stack


def options_for(folder: Path, variables: Mapping[str, str], without: tuple[str, ...] = ()) -> StackOptions:
    """A stack on free ports in which nothing counts but these variables: not the tester's own shell, nor `.env`."""
    given = os.environ.get("QIKI_COMPOSE_FILE")
    file = compose_file(Path(given) if given else None)
    unset = dict.fromkeys(ComposeFile(file).settings - _THE_TESTERS, "")  # empty is as good as unset
    return StackOptions(
        file, folder, name=folder.name, variables={**unset, **variables}, auto_ports=True, without=without
    )
