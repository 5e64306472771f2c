"""TLS to the broker: offered to those who want it, demanded by our own clients, no need of a viewer's."""

import asyncio
import shutil
import socket
import ssl

import nats
import nats.errors
import psutil
import pytest

from generated.q_sim_api_pb2 import HealthCheckRequest
from qiki.contracts import topics
from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.nats import new_client
from qiki_harness.testing import Broker, StackKeys
from qiki_harness.testing.processes import CONFIGURATION
from qiki_harness.twin import ForeignStack, Twin

ELSEWHERE = "nats://nats:4222"
"""A server that is not on this machine."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return StackKeys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def broker(tmp_path_factory, keys):
    with Broker(tmp_path_factory.mktemp("broker"), keys.broker / "server.conf") as running:
        yield running


@pytest.fixture
def plain_broker(tmp_path):
    with Broker(tmp_path, CONFIGURATION) as running:
        yield running


def connected(url, options, client=None):
    """Connect, ask the server for an answer, and return whether the connection is encrypted."""

    async def do():
        one = client or new_client()
        try:
            await one.connect(url, allow_reconnect=False, connect_timeout=5, **options)
        except Exception:
            one._transport.close()  # nats-py leaves it open
            await asyncio.sleep(0)
            raise
        await one.flush()
        encrypted = one._transport._io_writer.get_extra_info("ssl_object") is not None
        await one.close()
        return encrypted

    return asyncio.run(do())


def test_our_clients_encrypt_to_another_machine_and_not_on_this_one(broker, keys):
    assert connected(broker.url, nats_options(keys.of("tests"), ELSEWHERE))
    assert not connected(broker.url, nats_options(keys.of("tests"), broker.url))


def test_a_viewer_needs_no_authority(broker):
    assert not connected(broker.url, {})
    assert not connected(broker.url, {}, nats.NATS())


def test_a_viewer_may_have_tls_with_any_client(broker, keys):
    """That of nats-py as it is, without our patches, is in the documents."""
    context = ssl.create_default_context(cafile=keys.of("tests") / "ca.pem")
    assert connected(broker.url, {"tls": context})


def test_another_stacks_server_is_refused(broker, tmp_path):
    options = nats_options(StackKeys(tmp_path).of("tests"), ELSEWHERE)
    with pytest.raises((ssl.SSLCertVerificationError, nats.errors.Error)):
        connected(broker.url, options)


def test_our_clients_do_not_go_on_without(plain_broker, keys):
    """Somebody between them and the server may say that it has no TLS."""
    with pytest.raises(nats.errors.SecureConnWantedError):
        connected(plain_broker.url, {"tls": ssl.create_default_context(cafile=keys.of("tests") / "ca.pem")})


def test_a_twin_over_an_outer_address(own_twin, tmp_path):
    """As from another machine: the twin's client has nothing but the credentials that it was given."""
    found = [one.address for card in psutil.net_if_addrs().values() for one in card if one.family is socket.AF_INET]
    outer = next((address for address in found if not address.startswith("127.")), None)
    if outer is None:
        pytest.skip("this machine has no address but loopback")
    near = own_twin("empty", start=False, env={"LISTEN_HOST": "0.0.0.0", "QIKI_TLS_NAMES": outer})
    info = near.stack.info
    exported = tmp_path / "exported"
    shutil.copytree(info.addresses["TESTS_KEYS_DIR"], exported)
    addresses = {
        "NATS_URL": f"nats://{outer}:{info.port('NATS_PORT')}",
        "QSIM_GRPC": f"{outer}:{info.port('QSIM_PORT')}",
        "TESTS_KEYS_DIR": str(exported),
    }
    far = Twin(ForeignStack(addresses))
    try:
        assert far.jetstream(lambda jetstream: encryption(jetstream._nc))
        assert far.step(20) is not None
        assert far.newest(topics.FRAMES, 5)
        assert far.sim.HealthCheck(HealthCheckRequest(), timeout=10).status == "OK"
        assert connected(addresses["NATS_URL"], {}) is False  # the viewer
    finally:
        far.close()


async def encryption(client):
    """True if a client's connection is encrypted."""
    return client._transport._io_writer.get_extra_info("ssl_object") is not None
