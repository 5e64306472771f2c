"""Entry point: `python -m nats_js_init`."""

import qiki.runtime.lean  # noqa: F401 - for its effect

import asyncio
import contextlib
import sys
from collections import Counter
from uuid import uuid4

import nats.errors
from nats.js import JetStreamContext

from nats_js_init.settings import InitSettings
from nats_js_init.streams import ImpossibleChangeError, apply, plan
from qiki.contracts.events import INIT_FAILED, INIT_OK, EventKind, LifeCycle
from qiki.errors import UserError
from qiki.runtime.clock import now
from qiki.runtime.nats import new_client, reachable
from qiki.runtime.settings import load_settings

NAME = "nats-js-init"


async def initialise(settings: InitSettings) -> None:
    """Wait for the broker, apply the plan, print one line for each stream and consumer."""
    try:
        async with asyncio.timeout(settings.init_timeout_sec):
            await reachable(settings.nats_url, asyncio.Event())
            client = new_client()
            await client.connect(settings.nats_url, name=NAME, allow_reconnect=False)
            await _report(client.jetstream(), settings)
            await client.close()
    except TimeoutError:
        limit = f"{settings.init_timeout_sec:g} s"
        raise UserError(f"NATS_URL: no JetStream at {settings.nats_url} within {limit}") from None
    except nats.errors.Error as error:
        raise UserError(f"NATS_URL: {settings.nats_url}: {error}") from None


async def _report(jetstream: JetStreamContext, settings: InitSettings) -> None:
    """Apply the plan and report the result, on the terminal and as an event."""
    try:
        reports = await apply(jetstream, plan(settings))
    except ImpossibleChangeError as error:
        with contextlib.suppress(nats.errors.Error):  # the events' stream itself may be missing
            await _emit(jetstream, INIT_FAILED, str(error))
        raise
    for report in reports:
        print(report, flush=True)
    actions = Counter(report.action for report in reports)
    await _emit(jetstream, INIT_OK, ", ".join(f"{count} {action}" for action, count in actions.items()))


async def _emit(jetstream: JetStreamContext, kind: EventKind, detail: str) -> None:
    body = LifeCycle(source=NAME, ts_epoch=now().timestamp(), detail=detail)
    await jetstream.publish(kind.subject, body.to_json(), headers=dict(kind.headers(str(uuid4()), now(), NAME)))


def main() -> int:
    """Return exit status 0 when all is as planned, 2 after one line of error."""
    try:
        asyncio.run(initialise(load_settings(InitSettings)))
    except UserError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
