"""gRPC channels with an identity, and options: a silently cut link is noticed within seconds; bounded requests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import grpc.aio

from qiki.contracts.methods import find_method
from qiki.runtime.identities.credentials import Credentials, credentials, is_remote
from qiki.runtime.identities.tokens import Signer

MAX_REQUEST_BYTES = 64 * 1024
MAX_CALLS = 100  # of one connection at a time
PING_INTERVAL_MS = 2000
PING_TIMEOUT_MS = 4000
CONNECT_MS = 4000  # gRPC gives an attempt to connect as long, and no longer: over a slow link it takes several turns

_PINGS = [
    ("grpc.keepalive_time_ms", PING_INTERVAL_MS),
    ("grpc.keepalive_timeout_ms", PING_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
]
CLIENT_OPTIONS: list[tuple[str, int]] = [
    *_PINGS,
    ("grpc.enable_http_proxy", 0),  # the simulator is near; the shell's proxy is for hosts outside
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", CONNECT_MS),
    ("grpc.max_reconnect_backoff_ms", 100),
]
TLS_OPTIONS: list[tuple[str, int]] = [
    *(one for one in CLIENT_OPTIONS if one[0] != "grpc.min_reconnect_backoff_ms"),
    ("grpc.min_reconnect_backoff_ms", 3000),  # it bounds an attempt as well, and a handshake takes longer than 100 ms
]
SERVER_OPTIONS: list[tuple[str, int]] = [
    *_PINGS,
    ("grpc.http2.min_ping_interval_without_data_ms", PING_INTERVAL_MS // 2),
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    ("grpc.max_concurrent_streams", MAX_CALLS),
]


def open_channel(target: str, keys: Path | str | None = None, *, tls: bool = False) -> grpc.Channel:
    """Return a channel for blocking calls, with the identity whose credentials are in the folder `keys`.

    It is plain to this machine, with tokens for what needs an identity; to others, or with `tls`, TLS with the
    identity's certificate.
    """
    own = credentials(keys)
    if own and (tls or to_remote(target)):
        return grpc.secure_channel(target, channel_credentials(own), options=TLS_OPTIONS)
    channel = grpc.insecure_channel(target, options=CLIENT_OPTIONS)
    return grpc.intercept_channel(channel, _Token(Signer(own))) if own else channel


def open_aio_channel(target: str, own: Credentials | None, *, tls: bool = False) -> grpc.aio.Channel:
    """Return a channel for `await`, plain or with TLS as `open_channel` does; tokens are the caller's to add."""
    if own and (tls or to_remote(target)):
        return grpc.aio.secure_channel(target, channel_credentials(own), options=TLS_OPTIONS)
    return grpc.aio.insecure_channel(target, options=CLIENT_OPTIONS)


def to_remote(target: str) -> bool:
    """Return whether HOST:PORT is on another machine."""
    return is_remote(target.rpartition(":")[0])


def channel_credentials(own: Credentials) -> grpc.ChannelCredentials:
    """Return an identity's certificate for a channel: what its files hold now."""
    pair = own.pair()
    return grpc.ssl_channel_credentials(pair.ca, pair.key, pair.certificate)


class _Token(grpc.UnaryUnaryClientInterceptor):
    """Adds a token to calls that need an identity."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def intercept_unary_unary(self, call: Callable[..., Any], details: Any, request: Any) -> Any:
        """Go on with the call."""
        method = find_method(details.method)
        if method and method.commands:
            metadata = [*(details.metadata or ()), *self._signer.metadata(details.method)]
            details = _Details(
                details.method, details.timeout, metadata, details.credentials, details.wait_for_ready,
                details.compression,
            )  # fmt: skip
        return call(details, request)


class _Details(NamedTuple):
    method: str
    timeout: float | None
    metadata: list[tuple[str, str]]
    credentials: Any
    wait_for_ready: bool | None
    compression: Any
