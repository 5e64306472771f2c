"""The chaos run's own connections to the broker; all are made here."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from nats.aio.client import Client

from qiki.contracts.headers import MESSAGE_ID
from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.nats import new_client

RETRY_S = 0.1


@asynccontextmanager
async def connected(url: str, name: str, keys: str, lost: Callable[[], object] = lambda: None) -> AsyncIterator[Client]:
    """Connect as long as the context lasts; after a loss again, without end. `keys`: folder of the credentials."""

    async def broke() -> None:
        lost()

    async def failed(_: Exception) -> None:
        """Ignore it: what does not come is in the history."""

    client = new_client()
    await client.connect(
        url,
        name=name,
        max_reconnect_attempts=-1,
        reconnect_time_wait=RETRY_S,  # type: ignore[arg-type]  # it takes fractions
        ping_interval=2,
        max_outstanding_pings=2,
        disconnected_cb=broke,
        error_cb=failed,
        **nats_options(keys, url),
    )
    try:
        yield client
    finally:
        with suppress(OSError):
            await client.close()


def identity(headers: Mapping[str, str] | None, stream: str, sequence: int) -> str:
    """Return a message's id; its place, where it has none."""
    return (headers or {}).get(MESSAGE_ID, f"{stream}:{sequence}")
