"""Keys and signatures: made, read back, and refused where anything was changed."""

import base64
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from qiki.audit.record import Head
from qiki.audit.signing import PublicKey, SigningKeyError, load_key, make_key, read_public, signer_of, write_public
from qiki.contracts.audit import AuditAnchor

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEAD = Head(7, "ab" * 32)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_the_private_half_is_for_its_owner_and_the_public_one_for_all(tmp_path: Path, mask: int):
    path = tmp_path / "signing.pem"
    with umask(mask):
        key = make_key(path)
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    assert modes == {"signing.pem": 0o600, "signing.pub": 0o644}
    assert load_key(path).public == key
    assert read_public(str(path.with_suffix(".pub"))) == (key,)
    assert read_public(key.text) == (key,)
    assert PublicKey.read(key.text) == key


def test_a_key_is_never_replaced(tmp_path: Path):
    path = tmp_path / "signing.pem"
    key = make_key(path)
    with pytest.raises(SigningKeyError, match="there is a key already; move it away to make a new one"):
        make_key(path)
    assert load_key(path).public == key
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path):
    with pytest.raises(SigningKeyError, match=r"signing.pem: cannot be made: No such file or directory"):
        make_key(tmp_path / "none" / "signing.pem")


def test_the_signature_is_over_the_five_lines_of_the_contract(tmp_path: Path):
    """As another program would check it."""
    make_key(tmp_path / "signing.pem")
    key = load_key(tmp_path / "signing.pem")
    anchor = AuditAnchor.from_json(key.sign(HEAD, NOON).to_json())
    lines = ["qiki audit head 1", "7", "ab" * 32, "2026-11-23T12:00:00.000000Z", key.public.text]
    signature = base64.b64decode(anchor.signature)
    Ed25519PublicKey.from_public_bytes(key.public.raw).verify(signature, "".join(f"{one}\n" for one in lines).encode())
    assert key.public.signed(anchor)
    assert signer_of(anchor) == key.public


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 8},
        {"hash": "cd" * 32},
        {"signed_at": datetime(2026, 11, 24, tzinfo=UTC)},
        {"signature": "A" * 86 + "=="},
        {"key": "ed25519:" + "A" * 43 + "="},
    ],
)
def test_whatever_is_changed_the_signature_is_false(tmp_path: Path, change: dict[str, object]):
    make_key(tmp_path / "signing.pem")
    key = load_key(tmp_path / "signing.pem")
    forged = key.sign(HEAD, NOON).model_copy(update=change)
    assert not key.public.signed(forged)
    assert signer_of(forged) is None


def test_another_key_did_not_sign_it(tmp_path: Path):
    first, second = make_key(tmp_path / "a.pem"), make_key(tmp_path / "b.pem")
    anchor = load_key(tmp_path / "a.pem").sign(HEAD, NOON)
    assert first.signed(anchor)
    assert not second.signed(anchor)
    assert not second.signed(anchor.model_copy(update={"key": second.text}))


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"]
)
def test_what_is_no_key_is_one_line(tmp_path: Path, content: bytes):
    path = tmp_path / "signing.pem"
    path.write_bytes(content)
    with pytest.raises(SigningKeyError) as error:
        load_key(path)
    assert str(error.value) == f"{path}: expected an Ed25519 private key in PEM, without a password"


def test_a_key_of_another_kind_is_none(tmp_path: Path):
    path = tmp_path / "signing.pem"
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem)
    with pytest.raises(SigningKeyError, match="expected an Ed25519 private key"):
        load_key(path)
    with pytest.raises(FileNotFoundError):
        load_key(tmp_path / "none.pem")


@pytest.mark.parametrize("text", ["ed25519:", "ed25519:AA==", "ed25519:" + "!" * 44, "ed25519:" + "A" * 44])
def test_a_text_that_is_no_public_key_is_one_line(text: str):
    with pytest.raises(SigningKeyError, match="no public key: expected ed25519:BASE64, one a line"):
        read_public(text)


def test_a_file_may_hold_several_public_keys_and_no_private_one(tmp_path: Path):
    keys = make_key(tmp_path / "a.pem"), make_key(tmp_path / "b.pem")
    write_public(tmp_path / "all.pub", keys)
    assert read_public(str(tmp_path / "all.pub")) == keys
    with pytest.raises(SigningKeyError, match="no public key"):
        read_public(str(tmp_path / "a.pem"))
    with pytest.raises(SigningKeyError, match="Is a directory"):
        read_public(str(tmp_path))
