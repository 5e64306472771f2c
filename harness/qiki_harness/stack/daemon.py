"""The supervisor's process: `python -m qiki_harness.stack.daemon`, started by `Stack.start`.

Its input is a line of options; after that, where the stack is tied to its starter, the input's end is the order to
stop. Its output stays open until the stack is known (`stack.json` is there) or refused, and holds the refusal.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable

from qiki.errors import UserError
from qiki_harness.stack.guardian import Guardian
from qiki_harness.stack.options import StackOptions
from qiki_harness.stack.plan import Plan, make_plan, own_environment
from qiki_harness.stack.ports import PortLocks
from qiki_harness.stack.run import StackRun
from qiki_harness.stack.runfolder import RunFolder, user_folder

_INPUT, _OUTPUT, _ERRORS = 0, 1, 2
_REFUSED = 2


def main() -> None:
    """Run one stack; the exit status is its start's."""
    tied, options = _read_options()
    folder = RunFolder(options.folder)
    try:
        folder.lock()
        plan = make_plan(options, folder, PortLocks(user_folder() / "ports", f"the stack in {folder.path}"))
        _prepare(folder, plan)
    except UserError as error:
        sys.stdout.write(json.dumps({"error": str(error)}))
        sys.exit(_REFUSED)
    sys.exit(asyncio.run(_supervise(options, plan, folder, tied=tied)))


async def _supervise(options: StackOptions, plan: Plan, folder: RunFolder, *, tied: bool) -> int:
    guardian = Guardian()
    run = StackRun(plan, folder, guardian, options.name)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, run.supervisor.request_stop)
    if tied:
        _at_end_of_input(run.supervisor.request_stop)
    try:
        return await run.run(announce=lambda: _redirect(folder))
    finally:
        guardian.close()


def _read_options() -> tuple[bool, StackOptions]:
    line = b""
    while not line.endswith(b"\n"):
        if not (more := os.read(_INPUT, 65_536)):
            sys.exit("the starter is gone")
        line += more
    words = json.loads(line)
    return words["tied"], StackOptions.from_json(words["options"])


def _prepare(folder: RunFolder, plan: Plan) -> None:
    """Empty logs, the folder of the volumes, and the variables of what runs under a debugger."""
    shutil.rmtree(folder.logs, ignore_errors=True)
    folder.logs.mkdir(parents=True)
    folder.data.mkdir(exist_ok=True)
    folder.log("qiki").touch()
    for name in plan.project.services:
        folder.log(name).touch()
    for name in plan.by_hand:
        lines = [f"{key}={value}\n" for key, value in own_environment(plan.project.services[name]).items()]
        (folder.path / f"{name}.env").write_text("".join(lines), encoding="utf-8")


def _redirect(folder: RunFolder) -> None:
    """Close the pipe to the starter: redirect our output to our log."""
    with folder.log("qiki").open("ab") as log:
        os.dup2(log.fileno(), _OUTPUT)
        os.dup2(log.fileno(), _ERRORS)


def _at_end_of_input(stop: Callable[[], None]) -> None:
    """Call `stop` when the starter is gone, or closes the pipe."""
    loop = asyncio.get_running_loop()

    def readable() -> None:
        if not os.read(_INPUT, 1):
            loop.remove_reader(_INPUT)
            stop()

    loop.add_reader(_INPUT, readable)


if __name__ == "__main__":
    main()
