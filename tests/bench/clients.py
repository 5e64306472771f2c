"""Clients of a stack with the tests' credentials."""

from collections.abc import Mapping

from nats.aio.client import Client

from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.nats import new_client
from qiki_harness.twin.backing import tests_keys


async def connect(addresses: Mapping[str, str]) -> Client:
    """Connect to the broker of a stack."""
    client = new_client()
    await client.connect(addresses["NATS_URL"], **nats_options(tests_keys(addresses), addresses["NATS_URL"]))
    return client
