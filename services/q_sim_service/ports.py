"""The addresses that the simulator listens on: loopback plain, all others with TLS and client certificates."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import structlog

from qiki.errors import UserError
from qiki.runtime.grpc import SERVER_OPTIONS
from qiki.runtime.identities.credentials import Credentials, CredentialsError, file_version, is_remote

ANY = ("0.0.0.0", "[::]", "::")  # noqa: S104 - the setting, as it is written
LOOPBACK = ("127.0.0.1", "[::1]")
log = structlog.get_logger()


@dataclass(frozen=True)
class Ports:
    """The addresses of one setting, HOST:PORT; without `own` credentials all is plain.

    All addresses of the machine, also those that come later, are one socket, and loopback another on the same port: a
    connection comes to the one whose address is nearer.
    """

    address: str
    own: Credentials | None = None

    @property
    def options(self) -> Sequence[tuple[str, int]]:
        """The options of the server."""
        return [*SERVER_OPTIONS, ("grpc.so_reuseport", int(self._both))]

    def listen(self, server: grpc.aio.Server) -> int:
        """Listen, and return the actual port.

        Raises:
            UserError: the address cannot be used.
        """
        try:
            if self.own is None or not (self._both or is_remote(self._host)):
                return server.add_insecure_port(self.address)
            if not self._both:
                return server.add_secure_port(self.address, server_credentials(self.own))
            return self._listen_everywhere(server, self.own)
        except (RuntimeError, OSError):
            raise UserError(
                f"QSIM_LISTEN: cannot listen on {self.address} (in use, or not an address of this machine)"
            ) from None

    def _listen_everywhere(self, server: grpc.aio.Server, own: Credentials) -> int:
        _nobody_listens(self._port)
        port = server.add_insecure_port(f"{LOOPBACK[0]}:{self._port}")
        if _has_ipv6():
            server.add_insecure_port(f"{LOOPBACK[1]}:{port}")
        return server.add_secure_port(f"{self._host}:{port}", server_credentials(own))

    @property
    def _host(self) -> str:
        return self.address.rpartition(":")[0]

    @property
    def _port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def _both(self) -> bool:
        return self.own is not None and self._host in ANY


def server_credentials(own: Credentials) -> grpc.ServerCredentials:
    """Return the credentials of a server that asks for client certificates; it takes a renewed one while it runs."""
    version = file_version(own.certificate)

    def newer() -> grpc.ServerCertificateConfiguration | None:
        nonlocal version
        if (newest := file_version(own.certificate)) == version:
            return None
        try:
            configuration = _configuration(own)
        except CredentialsError as error:
            log.error("the certificate cannot be read: the former one stays", reason=str(error))
            return None
        version = newest
        return configuration

    fetch: Any = newer  # its type does not say that None means no change
    return grpc.dynamic_ssl_server_credentials(_configuration(own), fetch, require_client_authentication=True)


def _configuration(own: Credentials) -> grpc.ServerCertificateConfiguration:
    pair = own.pair()
    return grpc.ssl_server_certificate_configuration([(pair.key, pair.certificate)], root_certificates=pair.ca)


def _nobody_listens(port: int) -> None:
    """Raise OSError if somebody listens on a port: sockets that share it would share its connections."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have ended do not count
        probe.bind(("", port))


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
