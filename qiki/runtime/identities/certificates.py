"""Certificates of the identities, and the authority (CA) of a stack that signs them.

A server's certificate names the hosts that it may be reached by, a client's only his identity: with a client's nobody
passes for a server.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from qiki.files import write_atomically
from qiki.runtime.identities.credentials import CA, CERTIFICATE, CERTIFICATE_KEY, PRIVATE, Pair, fingerprint

CA_KEY = "ca.key"
CA_VALID = timedelta(days=3650)
CA_LEAST = timedelta(days=400)
"""Longer than an identity is valid: the authority outlives what it signs."""
EARLIER = timedelta(days=1)
"""A certificate is valid from before it was made: clocks differ."""
_KEY_USES = dict.fromkeys(
    ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"),
    False,
)


@dataclass(frozen=True)
class Authority:
    """The authority of a stack; `pem` is its certificate, which everybody may have."""

    pem: bytes
    _certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def of(cls, folder: Path, now: datetime) -> "Authority":
        """Return the one of a keyring's folder; make it if there is none, or if it soon expires."""
        try:
            pem = (folder / CA).read_bytes()
            certificate = x509.load_pem_x509_certificate(pem)
            key = load_pem_private_key((folder / CA_KEY).read_bytes(), None)
        except (OSError, ValueError):
            return cls._made(folder, now)
        whole = isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == certificate.public_key()
        if whole and certificate.not_valid_after_utc - now > CA_LEAST:
            return cls(pem, certificate, cast("ec.EllipticCurvePrivateKey", key))
        return cls._made(folder, now)

    @classmethod
    def _made(cls, folder: Path, now: datetime) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        # The serial number in the name: a client that has several authorities takes the right one.
        serial = x509.random_serial_number()
        name = _name(f"qiki {serial:x}"[:40])
        certificate = (
            _builder(name, name, key, (now - EARLIER, now + CA_VALID), serial)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_atomically(folder / CA_KEY, _private(key), PRIVATE)
        write_atomically(folder / CA, pem := certificate.public_bytes(Encoding.PEM), PRIVATE)
        return cls(pem, certificate, key)

    def issue(self, name: str, expires: datetime, now: datetime, hosts: Sequence[str] = ()) -> Pair:
        """Return a new key with its certificate: a client's, or the server's that these hosts reach."""
        key = ec.generate_private_key(ec.SECP256R1())
        use = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        names = _host_names(hosts) if hosts else [x509.UniformResourceIdentifier(f"urn:qiki:{name}")]
        times = now - EARLIER, expires
        certificate = (
            _builder(_name(name), self._certificate.subject, key, times, x509.random_serial_number())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Pair(self.pem, certificate.public_bytes(Encoding.PEM), _private(key))

    def valid(self, folder: Path, hosts: Sequence[str], until: datetime) -> str:
        """Return the fingerprint of a folder's certificate; empty without one of this authority for these hosts.

        Args:
            until: it must be valid until then
        """
        try:
            pem = (folder / CERTIFICATE).read_bytes()
            found = x509.load_pem_x509_certificate(pem)
            found.verify_directly_issued_by(self._certificate)
            key = load_pem_private_key((folder / CERTIFICATE_KEY).read_bytes(), None)
            own = key.public_key() == found.public_key() and (folder / CA).read_bytes() == self.pem
            names = list(found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        except Exception:  # whatever is wrong with it, it is made again
            return ""
        good = own and found.not_valid_after_utc > until and (not hosts or names == _host_names(hosts))
        return fingerprint(pem) if good else ""


def _host_names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    return [x509.IPAddress(found) if (found := _address(host)) else x509.DNSName(host) for host in hosts]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    times: tuple[datetime, datetime],
    serial: int,
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), serial)
    return builder.not_valid_before(times[0]).not_valid_after(times[1])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    signs = signs_certificates
    return x509.KeyUsage(digital_signature=not signs, key_cert_sign=signs, crl_sign=signs, **_KEY_USES)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
