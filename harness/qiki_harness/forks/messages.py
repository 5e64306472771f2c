"""Messages between processes of one machine: JSON with descriptors, over a pair of sockets that keeps them apart."""

import json
import socket
from collections.abc import Sequence
from typing import Any

_LONGEST = 2**18  # [byte]; the kernel takes no longer ones
_MOST = 8


def pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a connection."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return ours, theirs


def send(connection: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send a message, and copies of descriptors."""
    body = json.dumps(message).encode("utf-8", "surrogateescape")
    if descriptors:
        socket.send_fds(connection, [body], list(descriptors))
    else:
        connection.send(body)


def receive(connection: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """Receive a message with its descriptors; None at the end of the connection."""
    try:
        body, descriptors, _, _ = socket.recv_fds(connection, _LONGEST, _MOST)
    except ConnectionError:
        return None, []
    return (json.loads(body) if body else None), descriptors
