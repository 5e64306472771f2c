"""Tokens of gRPC calls, and the roster that they are checked against."""

from datetime import UTC, datetime, timedelta

import pytest

from qiki.contracts.rights import Grant
from qiki.runtime.identities.credentials import CredentialsError, credentials, write_credentials
from qiki.runtime.identities.nkey import new_seed, read_seed
from qiki.runtime.identities.roster import ROSTER, Member, Roster, write_roster
from qiki.runtime.identities.tokens import AHEAD_S, KEY, LONGEST, VALID_S, Signer, TokenCheck, TokenError

SEND, READ = "/qiki.api.QSimAPIService/SendActuatorCommand", "/qiki.api.QSimAPIService/GetSensorData"
NOW_S = 1_800_000_000.0
LATER = datetime.now(UTC) + timedelta(days=365)


class Someone:
    """An identity `pilot` with its credentials, and the folder of who checks it."""

    def __init__(self, folder):
        self.own, self.checker = folder / "own", folder / "checker"
        self.checker.mkdir()
        self.renew()
        self.signer = Signer(credentials(self.own))

    def renew(self):
        seed = new_seed()
        write_credentials(self.own, "pilot", seed, LATER)
        write_roster(self.checker, [Member("pilot", read_seed(seed).public, LATER, Grant(operate=True))])

    def token(self, path=SEND, now_s=NOW_S):
        return self.signer.token(path, now_s)


@pytest.fixture
def pilot(tmp_path):
    return Someone(tmp_path)


@pytest.fixture
def check(pilot):
    return TokenCheck(Roster(pilot.checker))


def test_a_token_proves_its_identity(pilot, check):
    member = check.member(pilot.token(), SEND, NOW_S)
    assert (member.name, member.grant) == ("pilot", Grant(operate=True))


@pytest.mark.parametrize(("late_s", "good"), [(VALID_S - 1, True), (VALID_S + 1, False), (-AHEAD_S - 1, False)])
def test_it_is_of_use_for_a_short_time(pilot, check, late_s, good):
    token = pilot.token()
    if good:
        assert check.member(token, SEND, NOW_S + late_s)
        return
    with pytest.raises(TokenError, match="s ago"):
        check.member(token, SEND, NOW_S + late_s)


def test_it_is_of_use_once(pilot, check):
    token = pilot.token()
    check.member(token, SEND, NOW_S)
    with pytest.raises(TokenError, match="used before"):
        check.member(token, SEND, NOW_S + 1)


def test_it_is_of_use_for_its_method(pilot, check):
    with pytest.raises(TokenError, match="signature"):
        check.member(pilot.token(READ), SEND, NOW_S)


def test_no_part_of_it_can_be_changed(pilot, check):
    name, time_us, nonce, signature = pilot.token().split(":")
    for parts in (
        (name, str(int(time_us) + 1), nonce, signature),
        (name, time_us, "0" * 16, signature),
        (name, time_us, nonce, signature[::-1]),
        ("tests", time_us, nonce, signature),
    ):
        with pytest.raises(TokenError):
            check.member(":".join(parts), SEND, NOW_S)


@pytest.mark.parametrize("text", ["", ":", "pilot", "a:b:c:d", "pilot:1:2:3:4", "pilot:1:2:é", "x" * 10_000])
def test_another_text_is_none(check, text):
    with pytest.raises(TokenError, match=KEY):
        check.member(text, SEND, NOW_S)


def test_a_token_is_short(pilot):
    assert len(pilot.token()) + 32 < LONGEST  # the longest name has 32 letters


def test_used_ones_are_forgotten_when_they_are_too_old(pilot, check):
    for second in range(200):
        now_s = NOW_S + second
        check.member(pilot.token(now_s=now_s), SEND, now_s)
    assert len(check._seen) <= VALID_S + AHEAD_S + 1


def test_a_renewed_key_replaces_the_old_one_at_once(pilot, check):
    old = pilot.token()
    check.member(pilot.token(), SEND, NOW_S)
    pilot.renew()
    with pytest.raises(TokenError, match="signature"):
        check.member(old, SEND, NOW_S)
    assert check.member(pilot.token(), SEND, NOW_S)


def test_a_revoked_or_expired_identity_proves_nothing(pilot, check):
    write_roster(pilot.checker, [])
    with pytest.raises(TokenError, match="revoked"):
        check.member(pilot.token(), SEND, NOW_S)
    past = datetime.now(UTC) - timedelta(seconds=1)
    write_roster(pilot.checker, [Member("pilot", credentials(pilot.own).key().public, past)])
    with pytest.raises(TokenError, match="revoked"):
        check.member(pilot.token(), SEND, NOW_S)


def test_a_roster_that_cannot_be_read_has_nobody(pilot, check):
    (pilot.checker / ROSTER).write_text("[{}]")
    with pytest.raises(TokenError, match="revoked"):
        check.member(pilot.token(), SEND, NOW_S)


@pytest.mark.parametrize("text", [None, "{", "[1]", '[{"name": "a"}]'])
def test_without_a_roster_nobody_starts_to_check(tmp_path, text):
    if text:
        (tmp_path / ROSTER).write_text(text)
    with pytest.raises(CredentialsError, match=ROSTER):
        Roster(tmp_path)
