"""`qiki watch`: the live tracks and the health of the services."""

import sys
from typing import TYPE_CHECKING

from qiki_harness.cli.options import Name, NatsUrl, RunDir, running_stack

if TYPE_CHECKING:
    from qiki_harness.cli.feed import Feed
    from qiki_harness.stack import Stack

_FRAME_S = 0.2
_PLAIN_S = 1.0


def watch(
    nats: NatsUrl = None,
    name: Name = "default",
    run_dir: RunDir = None,
) -> None:
    """Show the live tracks and the health of the services, until Ctrl-C.

    Without a terminal: lines, once a second. NATS may come and go.
    """
    import asyncio  # noqa: PLC0415

    from qiki_harness.cli.feed import Feed  # noqa: PLC0415  # nats and pydantic

    stack = None if nats else running_stack(name, run_dir)
    feed = Feed(nats or (stack.info.addresses["NATS_URL"] if stack else ""))
    show = _show_live if sys.stdout.isatty() else _show_lines
    try:
        asyncio.run(show(feed, stack))
    except KeyboardInterrupt:
        return


async def _show_live(feed: "Feed", stack: "Stack | None") -> None:
    import asyncio  # noqa: PLC0415

    from rich.live import Live  # noqa: PLC0415

    from qiki_harness.cli.screen import screen  # noqa: PLC0415

    async with feed.running():
        with Live(screen(feed, stack), screen=True, auto_refresh=False) as live:
            while True:
                await asyncio.sleep(_FRAME_S)
                live.update(screen(feed, stack), refresh=True)


async def _show_lines(feed: "Feed", stack: "Stack | None") -> None:
    import asyncio  # noqa: PLC0415

    from qiki_harness.cli.screen import lines  # noqa: PLC0415

    async with feed.running():
        while True:
            await asyncio.sleep(_PLAIN_S)
            print("\n".join(lines(feed, stack)), flush=True)
