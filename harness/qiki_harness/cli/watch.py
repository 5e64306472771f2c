"""`qiki watch`: the live tracks and the health of the services."""

import sys

from qiki_harness.cli.options import Name, NatsUrl, RunDir, running_stack


def watch(nats: NatsUrl = None, name: Name = "default", run_dir: RunDir = None) -> None:
    """Show the live tracks and the health of the services, until Ctrl-C.

    Without a terminal: lines, once a second. NATS may come and go.
    """
    import asyncio  # noqa: PLC0415

    from qiki_harness.cli.feed import Feed  # noqa: PLC0415  # nats and pydantic
    from qiki_harness.cli.screen import show_lines, show_live  # noqa: PLC0415

    stack = None if nats else running_stack(name, run_dir)
    feed = Feed(nats or (stack.info.addresses["NATS_URL"] if stack else ""))
    try:
        asyncio.run((show_live if sys.stdout.isatty() else show_lines)(feed, stack))
    except KeyboardInterrupt:
        return
