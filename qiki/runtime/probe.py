"""The program that a container's health check runs (`healthcheck` in the compose file), and the health of the store.

    python -IS qiki/runtime/probe.py http://127.0.0.1:9100/readyz [TOLERATED]

A 503 whose text holds TOLERATED counts as 200. The probe waits a moment for a service that is starting: its own start
costs far more than its question, and the service's dependents start as soon as it is ready. Plain sockets and no site
packages: it runs every other second in every container, and urllib alone costs 80 ms a call.

After a failed write a stream of nats-server 2.15 answers no publish any more, until the server is restarted. Its health
page shows that, and no connection does.
"""

import socket
import sys
import time

WAIT_S = 1.0
ANSWER_S = 2.0  # a later answer counts as stuck: with 2 s between probes that shows within 5 s
POLL_S = 0.05
_WRITE_ERROR = "write error: "


def main(url: str, tolerated: str = "", wait_s: float = WAIT_S) -> int:
    """Ask until it is ready, was ready before or `wait_s` is over; print the last answer."""
    end_s = time.monotonic() + wait_s
    ready, starting, body = ask(url, tolerated)
    while starting and time.monotonic() < end_s:
        time.sleep(POLL_S)
        ready, starting, body = ask(url, tolerated)
    print(body)
    return 0 if ready else 1


def ask(url: str, tolerated: str = "") -> tuple[bool, bool, str]:
    """Return whether it answers 200, whether it is still starting, and the answer's body."""
    host, port, question = request(url)
    try:
        with socket.create_connection((host, port), timeout=ANSWER_S) as connection:
            connection.sendall(question)
            answer = b""
            while chunk := connection.recv(65_536):
                answer += chunk
    except OSError as error:
        return False, isinstance(error, ConnectionRefusedError), f"{url}: {error}"
    return judge(answer, tolerated)


async def ask_in_loop(url: str, tolerated: str = "") -> tuple[bool, str]:
    """Return whether a URL answers 200, and the answer's body or the fault."""
    import asyncio  # noqa: PLC0415 - the probe of a container starts without it

    host, port, question = request(url)
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(question)
                passed, _, body = judge(await reader.read(), tolerated)
            finally:
                writer.close()
    except TimeoutError:
        return False, f"{url}: no answer within {ANSWER_S:g} s"
    except OSError as error:
        return False, f"{url}: {error.strerror}"
    return passed, body


def patient(url: str) -> str:
    """Return the question whose answer comes when the service is no longer starting, or after `WAIT_S`."""
    return f"{url}?wait" if url.endswith("/readyz") else url


def request(url: str) -> tuple[str, int, bytes]:
    """Return host, port and request of a URL."""
    address, _, path = url.removeprefix("http://").partition("/")
    host, _, port = address.rpartition(":")
    return host, int(port), f"GET /{path} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode()


def judge(answer: bytes, tolerated: str = "") -> tuple[bool, bool, str]:
    """Return the result of `ask` for the bytes of an answer."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    body = rest.decode(errors="replace").strip()
    ready = head.split(b" ")[1:2] == [b"200"] or (bool(tolerated) and tolerated in body)
    return ready, '"status": "starting"' in body, body


def health_page(nats_http: str) -> str:
    """Return the address of the broker's health page that lists every error."""
    return f"{nats_http.rstrip('/')}/healthz?details=true"


def write_error(page: str) -> str | None:
    """Return why a stream cannot be written, "" without an error; None if the page is not the broker's."""
    import json  # noqa: PLC0415 - a probe's start is short

    try:
        texts = [str(error["error"]) for error in json.loads(page).get("errors", [])]
    except (ValueError, LookupError, AttributeError, TypeError):
        return None
    return next((text.rpartition(": ")[2] for text in texts if _WRITE_ERROR in text), "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "".join(sys.argv[2:3])))
