"""Entry point: `python -m nats_js_init`."""

import asyncio
import sys

import nats.errors

from nats_js_init.apply import apply
from nats_js_init.plan import plan
from nats_js_init.settings import InitSettings
from qiki.errors import UserError
from qiki.runtime.nats import reachable
from qiki.runtime.settings import load_settings


async def initialise(settings: InitSettings) -> None:
    """Wait for the broker, apply the plan, print one line for each stream and consumer."""
    try:
        async with asyncio.timeout(settings.init_timeout_sec):
            await reachable(settings.nats_url, asyncio.Event())
            client = await nats.connect(settings.nats_url, name="nats-js-init", allow_reconnect=False)
            for report in await apply(client.jetstream(), plan(settings)):
                print(report, flush=True)
            await client.close()
    except TimeoutError:
        raise UserError(
            f"NATS_URL: no JetStream at {settings.nats_url} within {settings.init_timeout_sec:g} s"
        ) from None
    except nats.errors.Error as error:
        raise UserError(f"NATS_URL: {settings.nats_url}: {error}") from None


def main() -> int:
    """Exit status 0 when everything is as it should be, 2 with one line when not."""
    try:
        asyncio.run(initialise(load_settings(InitSettings)))
    except UserError as error:
        print(f"nats-js-init: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
