"""Entry point: `python -m nats_js_init [--migrate [FOLDER]]`."""

import qiki.runtime.lean  # noqa: F401 - for its effect

import argparse
import asyncio
import contextlib
import sys
from collections import Counter
from pathlib import Path
from tempfile import gettempdir
from uuid import uuid4

import nats.errors
from nats.js import JetStreamContext

from nats_js_init.migrate import migrate
from nats_js_init.room import storage
from nats_js_init.settings import InitSettings
from nats_js_init.streams import ImpossibleChangeError, NoRoomError, apply, plan
from qiki.contracts.events import INIT_FAILED, INIT_OK, EventKind, LifeCycle
from qiki.errors import UserError
from qiki.runtime.clock import now
from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.nats import new_client, reachable
from qiki.runtime.settings import load_settings
from qiki.runtime.terminal import echo

NAME = "nats-js-init"


async def initialise(settings: InitSettings, spool: Path | None = None) -> None:
    """Wait for the broker, migrate if asked to, apply the plan, print one line for each stream and consumer."""
    try:
        async with asyncio.timeout(settings.init_timeout_sec) as limit:
            await reachable(settings.nats_url, asyncio.Event())
            client = new_client()
            own = nats_options(settings.qiki_keys_dir, settings.nats_url)
            await client.connect(settings.nats_url, name=NAME, allow_reconnect=False, **own)
            if spool is not None:
                limit.reschedule(None)  # a stream takes the time that its bytes take
                async for report in migrate(client.jetstream(), plan(settings), spool):
                    echo(str(report))
            await _report(client.jetstream(), settings)
            await client.close()
    except TimeoutError:
        within = f"within {settings.init_timeout_sec:g} s"
        raise UserError(f"NATS_URL: no JetStream at {settings.nats_url} {within}") from None
    except nats.errors.Error as error:
        raise UserError(f"NATS_URL: {settings.nats_url}: {error}") from None


async def _report(jetstream: JetStreamContext, settings: InitSettings) -> None:
    """Apply the plan and report the result, on the terminal and as an event."""
    try:
        reports = await apply(jetstream, plan(settings))
    except NoRoomError as error:
        raise UserError(f"{error}; {await storage(settings)}") from None
    except ImpossibleChangeError as error:
        with contextlib.suppress(nats.errors.Error):  # the events' stream itself may be missing
            await _emit(jetstream, INIT_FAILED, str(error))
        raise
    for report in reports:
        echo(str(report))
    actions = Counter(report.action for report in reports)
    await _emit(jetstream, INIT_OK, ", ".join(f"{count} {action}" for action, count in actions.items()))


async def _emit(jetstream: JetStreamContext, kind: EventKind, detail: str) -> None:
    body = LifeCycle(source=NAME, ts_epoch=now().timestamp(), detail=detail)
    await jetstream.publish(kind.subject, body.to_json(), headers=dict(kind.headers(str(uuid4()), now(), NAME)))


def main() -> int:
    """Return exit status 0 when all is as planned, 2 after one line of error."""
    parser = argparse.ArgumentParser(prog=NAME, description="Make streams and durables, or update them.")
    parser.add_argument(
        "--migrate",
        nargs="?",
        type=Path,
        const=Path(gettempdir()),
        metavar="FOLDER",
        help="also make streams again, with their messages, where an update cannot change them; a copy of the largest "
        "must have room in FOLDER (default: %(const)s)",
    )
    arguments = parser.parse_args()
    try:
        asyncio.run(initialise(load_settings(InitSettings), arguments.migrate))
    except UserError as error:
        echo(f"{NAME}: {error}", stream=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
