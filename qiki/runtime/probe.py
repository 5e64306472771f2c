"""Health check of a container: exit status 0 when the URL answers 200.

    python -IS qiki/runtime/probe.py http://127.0.0.1:9100/readyz

Plain sockets and no site packages: it runs every second in every container, and urllib alone costs 80 ms a call.
"""

import socket
import sys


def main(url: str) -> int:
    """Ask once, wait at most 2 s, print the answer's body."""
    address, _, path = url.removeprefix("http://").partition("/")
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            connection.sendall(f"GET /{path} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
            answer = b""
            while chunk := connection.recv(65_536):
                answer += chunk
    except OSError as error:
        print(f"{url}: {error}")
        return 1
    head, _, body = answer.partition(b"\r\n\r\n")
    print(body.decode(errors="replace").strip())
    return 0 if head.split(b" ")[1:2] == [b"200"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
