"""Recordings on brokers of their own, one or two, and a page that shows them."""

import json
import math
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qiki.runtime.terminal import echo
from qiki_harness.cli.options import compose_file, run_folder
from qiki_harness.cli.output import until_signal
from qiki_harness.errors import HarnessError

if TYPE_CHECKING:
    from qiki_harness.recording.player import Player
    from qiki_harness.recording.runs import RecordedRun
    from qiki_harness.stack import Stack

PAGES = "pages"
"""The folder of the links in a stack's data, as the compose file names the volume."""
CONSOLE = "operator-console"
ADDRESS = "CONSOLE_HTTP"
_OF_BROKER = ("keys", "nats", "nats-js-init")
_START_S = 60.0
_POLL_S = 0.1
Told = Callable[[str, Path], None]


def play_all(files: Sequence[Path], name: str, run_dir: Path | None, told: Told) -> None:
    """Play one recording, or two side by side, all of it at once; return after a signal."""
    from qiki_harness.recording.bundle import recordings  # noqa: PLC0415
    from qiki_harness.recording.player import Player  # noqa: PLC0415
    from qiki_harness.recording.runs import recorded_run  # noqa: PLC0415

    runs = [recorded_run(recordings(file)[0]) for file in files]
    with ExitStack() as stacks, until_signal() as called:
        parts = _on_page(stacks, [file.name for file in files], runs, name, run_dir)
        told(*page_of(parts[0]))
        players = [Player.of(run, from_s=math.inf) for run in runs]
        play_until(called, list(zip(players, (part.info.addresses for part in parts), strict=True)))


def play_until(
    called: Callable[[], bool], played: Sequence[tuple["Player", Mapping[str, str]]], *, loop: bool = False
) -> None:
    """Play each on the broker of its addresses until `called` says that a signal came.

    Raises:
        RecordingError: a recording cannot be read to its end.
    """
    import asyncio  # noqa: PLC0415

    from qiki_harness.recording.player import connected  # noqa: PLC0415

    async def one(player: "Player", addresses: Mapping[str, str]) -> None:
        async with connected(addresses["NATS_URL"], addresses["TESTS_KEYS_DIR"]) as client:
            await player.play(client, loop=loop, told=echo)

    async def all_of_them() -> None:
        playing = [asyncio.ensure_future(one(*part)) for part in played]
        while not called():
            for task in playing:
                if task.done():
                    task.result()
            await asyncio.sleep(_POLL_S)
        for task in playing:
            task.cancel()

    asyncio.run(all_of_them())


@contextmanager
def page_broker(name: str, run_dir: Path | None, shown: Mapping[str, Any] | None, **options: Any) -> Iterator["Stack"]:
    """Start a broker with its streams and credentials, and the page where something is `shown`; no other service."""
    from qiki_harness.compose import ComposeFile  # noqa: PLC0415
    from qiki_harness.stack import Stack, StackOptions  # noqa: PLC0415

    file, folder = compose_file(), run_folder(name, run_dir)
    if Stack(folder).alive:
        raise HarnessError(f"stack {name!r} runs already: --name plays beside it")
    wanted = {*_OF_BROKER, *([CONSOLE] if shown else [])}
    services = ComposeFile(file).project(ComposeFile(file).native_variables(folder, {})).services
    others = tuple(service for service in services if service not in wanted)
    variables = {**options.pop("variables", {}), **({"CONSOLE_SHOWN": json.dumps(shown)} if shown else {})}
    chosen = StackOptions(file, folder, name, auto_ports=True, without=others, variables=variables, **options)
    with Stack.start(chosen) as stack:
        stack.wait_healthy(_START_S)
        yield stack


def page_of(stack: "Stack") -> tuple[str, Path]:
    """Return the address of a stack's page, and the folder of its links."""
    return stack.info.addresses[ADDRESS], stack.folder.data / PAGES


def source(name: str, url: str | None = None) -> dict[str, Any]:
    """Return a source of the page's configuration; without `url` the stack's own broker."""
    return {"name": name, "url": url, "played": True}


def _on_page(
    stacks: ExitStack, names: Sequence[str], runs: Sequence["RecordedRun"], name: str, run_dir: Path | None
) -> list["Stack"]:
    """Start the brokers; the first one's stack has the page."""
    if len(names) == 1:
        return [stacks.enter_context(page_broker(name, run_dir, {"sources": [source(names[0])]}))]
    port = _free_port()
    scheme = "wss" if os.environ.get("QIKI_TLS_NAMES") else "ws"  # as that of all listeners
    sources = [source(names[0]), source(names[1], f"{scheme}://*:{port}")]
    shown = {"sources": sources, "divergence": _divergence(*runs)}
    first = stacks.enter_context(page_broker(name, run_dir, shown))
    page = first.info.addresses[ADDRESS]
    origins = f"{page} {page.replace('127.0.0.1', 'localhost')}"
    second = page_broker(
        f"{name}-b", run_dir, None, variables={"QIKI_CONSOLE_ORIGINS": origins}, ports={"NATS_WS_PORT": port}
    )
    return [first, stacks.enter_context(second)]


def _divergence(one: "RecordedRun", other: "RecordedRun") -> dict[str, Any] | None:
    from qiki_harness.recording.compare import compare  # noqa: PLC0415

    found = compare(one, other).difference
    if found is None:
        return None
    text = f"{found.key[0]} {found.field or 'the message'}: {found.one} in A, {found.other} in B"
    return {"frame": found.frame, "text": text}


def _free_port() -> int:
    from qiki_harness.stack.ports import free_range, is_free  # noqa: PLC0415

    candidates = free_range()
    return next(port for port in iter(lambda: random.choice(candidates), 0) if is_free(port))  # noqa: S311
