"""Having the running broker read its configuration again, by its system account."""

import asyncio
import json
from pathlib import Path

import nats.errors

from qiki.errors import UserError
from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.nats import new_client

ANSWER_S = 5.0


class ReloadError(UserError):
    """The broker is not there, or refuses."""


def reload(url: str, keys: Path) -> None:
    """Have the broker at `url` read its configuration; `keys` is the folder of the credentials for its system account.

    Raises:
        ReloadError: it does not answer, does not know the key, or refuses the configuration.
    """
    try:
        asyncio.run(asyncio.wait_for(_reload(url, keys), ANSWER_S))
    except (OSError, TimeoutError, nats.errors.Error) as error:
        raise ReloadError(f"the broker at {url} does not answer: {str(error) or type(error).__name__}") from None


async def _reload(url: str, keys: Path) -> None:
    client = new_client()
    await client.connect(url, name="qiki keys", allow_reconnect=False, **nats_options(keys, url))
    try:
        server = json.loads((await client.request("$SYS.REQ.SERVER.PING", timeout=ANSWER_S)).data)["server"]["id"]
        answer = json.loads((await client.request(f"$SYS.REQ.SERVER.{server}.RELOAD", timeout=ANSWER_S)).data)
        if error := answer.get("error"):
            raise ReloadError(f"the broker refuses its configuration: {error.get('description', error)}")
    finally:
        await client.close()
