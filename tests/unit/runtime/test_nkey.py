"""Nkeys: the text form of NATS, signatures, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiki.runtime.identities.nkey import NkeyError, is_public, new_seed, read_seed, verify

SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"  # the example of the server's documents
PUBLIC = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"


def test_a_seed_has_the_public_key_that_the_server_knows_it_by():
    assert read_seed(SEED).public == PUBLIC


@given(st.binary(max_size=100))
def test_a_signature_holds_for_its_key_and_message_alone(message: bytes):
    key, other = read_seed(SEED), read_seed(new_seed())
    signature = key.sign(message)
    assert verify(key.public, signature, message)
    assert not verify(key.public, signature, message + b"x")
    assert not verify(other.public, signature, message)


@given(
    st.text(max_size=70) | st.integers(0, 57).map(lambda i: SEED[:i] + ("A" if SEED[i] != "A" else "B") + SEED[i + 1 :])
)
def test_no_other_text_is_a_seed_or_a_public_key(text: str):
    assert not is_public(text)
    assert not verify(text, b"x" * 64, b"")
    with pytest.raises(NkeyError) as refused:
        read_seed(text)
    assert SEED[4:] not in str(refused.value)


def test_a_key_does_not_show_its_secret():
    assert SEED[4:] not in repr(read_seed(SEED))
