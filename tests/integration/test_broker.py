"""The harness's own NATS server."""

import socket

from qiki_harness.testing import Broker


def test_a_frozen_broker_answers_nothing_until_it_thaws(tmp_path):
    def answers(within):
        client.settimeout(within)
        try:
            while b"PONG" not in client.recv(4096):
                pass
        except TimeoutError:
            return False
        return True

    with Broker(tmp_path) as broker:
        host, port = broker.url.removeprefix("nats://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"CONNECT {}\r\n")
            for _ in range(20):
                broker.freeze()
                client.sendall(b"PING\r\n")
                assert not answers(within=0.05)
                broker.thaw()
                assert answers(within=60)
