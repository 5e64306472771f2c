"""Health check of a container: exit status 0 when the URL answers 200.

    python -IS qiki/runtime/probe.py http://127.0.0.1:9100/readyz

A service that is still starting is waited for a moment: the start of a probe costs far more than its question, and
whoever depends on the service starts as soon as it is ready.

Plain sockets and no site packages: it runs every other second in every container, and urllib alone costs 80 ms a call.
"""

import socket
import sys
import time

WAIT_S = 1.0
ANSWER_S = 2.0  # what takes longer is stuck; with the 2 s between probes it shows within 5 s
POLL_S = 0.05


def main(url: str, wait_s: float = WAIT_S) -> int:
    """Ask until it is ready, has been ready before or `wait_s` are over; print what was said last."""
    end_s = time.monotonic() + wait_s
    ready, starting, said = ask(url)
    while starting and time.monotonic() < end_s:
        time.sleep(POLL_S)
        ready, starting, said = ask(url)
    print(said)
    return 0 if ready else 1


def ask(url: str) -> tuple[bool, bool, str]:
    """Whether it answers 200, whether it is still starting, and the answer's body."""
    host, port, question = request(url)
    try:
        with socket.create_connection((host, port), timeout=ANSWER_S) as connection:
            connection.sendall(question)
            answer = b""
            while chunk := connection.recv(65_536):
                answer += chunk
    except OSError as error:
        return False, isinstance(error, ConnectionRefusedError), f"{url}: {error}"
    return judge(answer)


def request(url: str) -> tuple[str, int, bytes]:
    """Whom to ask, and what."""
    address, _, path = url.removeprefix("http://").partition("/")
    host, _, port = address.rpartition(":")
    return host, int(port), f"GET /{path} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode()


def judge(answer: bytes) -> tuple[bool, bool, str]:
    """What `ask` makes of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b" ")[1:2] == [b"200"], b'"status": "starting"' in body, body.decode(errors="replace").strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
