"""Certificates of a stack's identities, as the clients' libraries see them."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest

from qiki.runtime.identities.certificates import CA_KEY, Authority
from qiki.runtime.identities.credentials import CA, CERTIFICATE, fingerprint, is_remote, write_pair

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=365)
HOSTS = ("nats", "localhost", "127.0.0.1", "::1", "twin.example", "192.0.2.7")


@pytest.fixture
def authority(tmp_path):
    return Authority.of(tmp_path, NOW)


def handshake(server_folder, authority_folder, host):
    """A handshake in memory, as strict as Python 3.13 is by default."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(server_folder / "cert.pem", server_folder / "cert.key")
    client = ssl.create_default_context(cafile=authority_folder / CA)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = server.wrap_bio(one, other, server_side=True)
    ours = client.wrap_bio(other, one, server_hostname=host)
    for side in (ours, theirs, ours):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return ours.version()


@pytest.mark.parametrize("host", HOSTS)
def test_a_servers_certificate_is_good_for_its_hosts(authority, tmp_path, host):
    write_pair(tmp_path / "nats", authority.issue("nats", LATER, NOW, HOSTS))
    assert handshake(tmp_path / "nats", tmp_path, host) == "TLSv1.3"


def test_and_for_no_other(authority, tmp_path):
    write_pair(tmp_path / "nats", authority.issue("nats", LATER, NOW, HOSTS))
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(tmp_path / "nats", tmp_path, "other.example")


def test_a_clients_certificate_is_no_servers(authority, tmp_path):
    write_pair(tmp_path / "pilot", authority.issue("localhost", LATER, NOW))
    with pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        handshake(tmp_path / "pilot", tmp_path, "localhost")


def test_the_authority_is_made_once(authority, tmp_path):
    assert Authority.of(tmp_path, NOW + timedelta(days=365)).pem == authority.pem
    assert (tmp_path / CA_KEY).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("spoil", ["late", "text", "key", "absent"])
def test_and_again_when_it_is_of_no_use(authority, tmp_path, spoil):
    now = NOW
    match spoil:
        case "late":
            now = NOW + timedelta(days=3600)
        case "text":
            (tmp_path / CA).write_text("none")
        case "key":
            (tmp_path / CA_KEY).write_bytes(authority.issue("a", LATER, NOW).key)
        case "absent":
            (tmp_path / CA_KEY).unlink()
    assert Authority.of(tmp_path, now).pem != authority.pem


def test_a_certificate_is_valid_until_it_is_renewed(authority, tmp_path):
    folder = tmp_path / "nats"
    pair = authority.issue("nats", LATER, NOW, HOSTS)
    write_pair(folder, pair)
    soon = NOW + timedelta(days=30)
    assert authority.valid(folder, HOSTS, soon) == fingerprint(pair.certificate)
    assert authority.valid(folder, (*HOSTS, "another.example"), soon) == ""
    assert authority.valid(folder, HOSTS, LATER + timedelta(days=1)) == ""
    assert authority.valid(tmp_path / "nowhere", HOSTS, soon) == ""
    (tmp_path / "other").mkdir()
    assert Authority.of(tmp_path / "other", NOW).valid(folder, HOSTS, soon) == ""
    (folder / CERTIFICATE).write_text("none")
    assert authority.valid(folder, HOSTS, soon) == ""


@pytest.mark.parametrize(
    ("host", "remote"),
    [
        *((host, False) for host in ("localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]", "")),
        *((host, True) for host in ("nats", "192.0.2.7", "twin.example", "fd00::2", "0.0.0.0")),
    ],
)
def test_another_machine_is_known_by_its_name(host, remote):
    assert is_remote(host) is remote
