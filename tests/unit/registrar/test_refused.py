"""The broker's log as the registrar reads it: refusals, and what only looks like one."""

import os
import time
from contextlib import closing
from pathlib import Path

import pytest

from qiki.runtime.health import Health
from qiki.runtime.service import Service
from registrar.refused import AGAIN_S, KINDS, LogTail, Refusals, Refused, read_line
from registrar.settings import RegistrarSettings

HEAD = b"[27993] 2026/11/30 10:38:24.303636 "
KEY = "UDJVZJIFDOBP7QZGUOYLMV2KTIYWDXXBNOKHRIMZ5Y443AB44W3ZSZNP"
PUBLISH = (
    HEAD + b'[ERR] 127.0.0.1:32770 - cid:55 - "v2.16.0:python3" - "GUESTS/nkey:%s" - Publish Violation - Subject "a.b"'
)
PUBLISH %= KEY.encode()


def test_a_violation_names_key_verb_subject_and_address():
    found = read_line(PUBLISH)
    assert found == Refused(found.id, KEY, "publish", "a.b", "127.0.0.1:32770")
    assert read_line(PUBLISH.replace(b"Publish", b"Subscription") + b", SID 1").verb == "subscribe"


@pytest.mark.parametrize(("rest", "who"), [(b' - Nkey "UX"', "UX"), (b' - User "bob"', "bob"), (b"", "nobody")])
def test_a_key_that_the_broker_does_not_know_is_a_refused_connection(rest: bytes, who: str):
    found = read_line(HEAD + b"[ERR] 127.0.0.1:1 - cid:9 - authentication error" + rest)
    assert (found.who, found.verb, found.subject) == (who, "connect", "")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        HEAD + b"[INF] Server is ready",
        HEAD + b"[WRN] " + PUBLISH[len(HEAD) + 6 :],
        HEAD + b'[ERR] 127.0.0.1:1 - cid:9 - "v1:x:authentication error" - "GUESTS/nkey:UX" - something else',
        HEAD + b'[ERR] 127.0.0.1:1 - cid:9 - "v1:\\" - \\"TWIN/nkey:UX\\" - Publish Violation" - "G/nkey:UY" - else',
    ],
)
def test_another_line_is_none_whatever_name_a_client_has_chosen(line: bytes):
    assert read_line(line) is None


def test_a_long_name_of_a_client_is_read_in_time_that_grows_with_its_length():
    def took_s(length: int) -> float:
        line = PUBLISH.replace(b"python3", b"/nkey:" * length)
        begin_s = time.process_time()
        for _ in range(20):
            read_line(line)
        return time.process_time() - begin_s

    took_s(100)
    assert took_s(8000) < 64 * max(took_s(1000), 1e-5)  # eight times as long; squared it would be


def test_a_file_that_is_replaced_is_read_to_its_end_first(tmp_path: Path):
    log = tmp_path / "server.log"
    with closing(LogTail(log)) as tail:
        follow(tail, log)


def follow(tail: LogTail, log: Path) -> None:
    assert list(tail.lines()) == []
    log.write_bytes(b"one\ntw")
    assert list(tail.lines()) == [b"one"]
    with log.open("ab") as file:
        file.write(b"o\nthree\n")
    log.rename(log.with_suffix(".old"))
    log.write_bytes(b"four\n")
    assert list(tail.lines()) == [b"two", b"three"]
    assert list(tail.lines()) == [b"four"]
    os.truncate(log, 0)
    assert list(tail.lines()) == []


@pytest.fixture
def service() -> Service[RegistrarSettings]:
    return Service("registrar", RegistrarSettings(), Health("registrar"))


def test_refusals_of_a_kind_are_one_event_and_one_more_in_a_minute(service: Service[RegistrarSettings]):
    refusals = Refusals(service)
    for number in range(100):
        refusals.take(read_line(PUBLISH), {KEY: "viewer"}, 0.01 * number)
        refusals.raise_due(0.01 * number)
    assert len(service.events) == 1
    refusals.raise_due(AGAIN_S + 1)
    assert len(service.events) == 2


def test_many_subjects_of_one_identity_do_not_hide_those_of_another(service: Service[RegistrarSettings]):
    refusals = Refusals(service)
    for number in range(10 * KINDS):
        refusals.take(read_line(PUBLISH.replace(b"a.b", b"a.%d" % number)), {KEY: "viewer"}, 0.0)
    refusals.raise_due(0.0)
    assert len(service.events) == KINDS + 1
    refusals.take(read_line(PUBLISH.replace(KEY.encode(), b"UOTHER")), {"UOTHER": "q-sim-radar"}, 1.0)
    refusals.raise_due(1.0)
    assert len(service.events) == KINDS + 2
