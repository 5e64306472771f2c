"""The matrix of rights on the real server: each identity against each subject and each request to JetStream.

It is made from the tables of topics, events and streams: a new topic is covered without a line here.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from qiki.contracts import identities, topics
from qiki.contracts.events import EVENTS as KINDS
from qiki.contracts.identities import IDENTITIES, VIEWER, Account
from qiki.contracts.rights import Grant, Rights, granted, of_pages, rights_of
from qiki.contracts.topics import OUTSIDE, STREAMS, TOPICS
from qiki.runtime.clock import now
from qiki.runtime.identities.broker import MAIN
from qiki.runtime.identities.credentials import nats_options
from qiki.runtime.identities.keyring import Keyring
from qiki.runtime.identities.pages import Pages, PageUser, new_link
from qiki.runtime.nats import new_client
from qiki_harness.testing import Broker
from qiki_harness.testing.processes import CONFIGURATION

FOREIGN_RADAR = Grant(publish=(topics.FRAMES.subject,))
GRANTS = {"watcher": Grant(), "commander": Grant(operate=True), "lidar": FOREIGN_RADAR}
PAGE = "an operator's page"
NAMES = [*(one.name for one in IDENTITIES), VIEWER, PAGE, *GRANTS]
SUBJECTS = sorted({topic.subject.replace(">", "x") for topic in TOPICS} | {kind.subject for kind in KINDS})
OF_NOBODY = ("qiki.sub.of.no.table", "qiki.radar.v1.tracks.forged", "elsewhere", "$SYS.REQ.SERVER.x.RELOAD")
HARMFUL = (
    "STREAM.CREATE.{}", "STREAM.UPDATE.{}", "STREAM.DELETE.{}", "STREAM.PURGE.{}", "STREAM.MSG.DELETE.{}",
    "STREAM.SNAPSHOT.{}", "STREAM.RESTORE.{}", "CONSUMER.DURABLE.CREATE.{}.made", "CONSUMER.CREATE.{}",
    "CONSUMER.PAUSE.{}.made",
)  # fmt: skip
READING = ("STREAM.INFO.{}", "DIRECT.GET.{}.qiki.x")
COMPARING = ("DIRECT.GET.{}",)
FOLLOWING = ("CONSUMER.CREATE.{}.mine", "CONSUMER.CREATE.{}.mine.qiki.x", "CONSUMER.DELETE.{}.mine")
VIOLATION = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"', re.IGNORECASE)


@dataclass
class Caller:
    """A client of one identity, and what the server has refused it."""

    client: Client
    refused: set[tuple[str, str]] = field(default_factory=set)

    async def may(self, *requests: tuple[str, str]) -> dict[tuple[str, str], bool]:
        """Try each: ("publish" or "subscription", subject). The server answers a ping behind its refusals."""
        for verb, subject in requests:
            if verb == "publish":
                await self.client.publish(subject)
            else:
                await self.client.subscribe(subject)
        await self.client.flush()
        return {request: (request[0], request[1].lower()) not in self.refused for request in requests}


async def call_as(url: str, **options: Any) -> Caller:
    caller = Caller(new_client())

    async def failed(error: Exception) -> None:
        if found := VIOLATION.search(str(error)):
            caller.refused.add((found[1].lower(), found[2].lower()))

    await caller.client.connect(url, allow_reconnect=False, error_cb=failed, **options)
    return caller


@dataclass
class Guarded:
    """A broker with rights, and the folders of the credentials."""

    url: str
    ring: Keyring
    page: PageUser

    def options(self, name: str) -> dict[str, Any]:
        if name == PAGE:
            return {"user": self.page.user, "password": self.page.password}
        return nats_options(None if name == VIEWER else Path(self.ring.entry(name).folder))

    def ask(self, name: str, *requests: tuple[str, str]) -> dict[tuple[str, str], bool]:
        async def run() -> dict[tuple[str, str], bool]:
            caller = await call_as(self.url, **self.options(name))
            try:
                return await caller.may(*requests)
            finally:
                await caller.client.close()

        return asyncio.run(run())


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("a stack's keys")
    with Keyring.open(folder / "ring", folder / "broker", CONFIGURATION, lockstep=False) as ring:
        ring.prepare({}, now())
        for name, grant in GRANTS.items():
            ring.add(name, grant, now())
    pages = ring.pages.users.parent
    page = Pages(pages).exchange(new_link(pages, now()), now(), timedelta(hours=1))
    assert page
    with Broker(folder / "store", folder / "broker" / MAIN) as broker:
        yield Guarded(broker.url, ring, page)


def may_publish(name: str, subject: str) -> bool:
    """The tables' rights, read by their columns alone."""
    if name == identities.TESTS:
        return True
    written = (topic.subject_of(name) for topic in TOPICS if name in topic.writers)
    writes = {subject for subject in written if not subject.endswith(">")}
    writes |= {kind.subject for kind in KINDS if name in kind.publishers}
    if name in {"commander", PAGE}:
        writes = {topic.subject for topic in TOPICS if identities.OPERATOR in topic.writers}
    letters = subject.startswith("qiki.dlq.v1.") and name in topics.DEAD_LETTERS.writers
    return subject in {*writes, *(GRANTS[name].publish if name in GRANTS else ())} or letters


def may_see(name: str, subject: str) -> bool:
    """As `may_publish`."""
    if name in {identities.TESTS, identities.OPERATOR, "commander"}:
        return subject.startswith("qiki.") or name == identities.TESTS
    topic = next((one for one in TOPICS if one.covers(subject)), None)
    if name in {VIEWER, "watcher", PAGE}:
        return topic is not None and topic.watched
    return topic is not None and name in topic.readers and (topic.stream is None or topic is topics.TELEMETRY)


@pytest.mark.parametrize("name", NAMES)
def test_each_identity_publishes_what_the_tables_say(guarded: Guarded, name: str) -> None:
    found = guarded.ask(name, *(("publish", subject) for subject in (*SUBJECTS, *OF_NOBODY[:-1])))
    assert found == {request: may_publish(name, request[1]) for request in found}


@pytest.mark.parametrize("name", NAMES)
def test_each_identity_subscribes_to_what_the_tables_say(guarded: Guarded, name: str) -> None:
    found = guarded.ask(name, *(("subscription", subject) for subject in (*SUBJECTS, *OF_NOBODY[:-1])))
    assert found == {request: may_see(name, request[1]) for request in found}


@pytest.mark.parametrize("name", NAMES)
def test_streams_and_durables_are_made_and_changed_by_their_initialiser_alone(guarded: Guarded, name: str) -> None:
    requests = [("publish", f"$JS.API.{form.format(stream.name)}") for form in HARMFUL for stream in STREAMS]
    found = guarded.ask(name, *requests)
    assert set(found.values()) == {name in {identities.JS_INIT, identities.TESTS}}


@pytest.mark.parametrize("name", NAMES)
def test_streams_are_read_by_who_reads_a_topic_of_them(guarded: Guarded, name: str) -> None:
    everything = {identities.TESTS, identities.OPERATOR, "commander"}
    reads = {stream.name for stream in STREAMS if name in everything | {VIEWER, "watcher", PAGE}}
    kept = [topic for topic in TOPICS if topic is not topics.TELEMETRY]  # it is kept beside
    reads |= {topic.stream for topic in kept if name in topic.readers + topic.followers}
    follows = {topic.stream for topic in TOPICS if name in topic.followers or name in everything}
    compares = reads | {topic.stream for topic in TOPICS if name in topic.writers and not topic.own}
    for forms, those in ((READING, reads), (COMPARING, compares), (FOLLOWING, follows)):
        for stream in STREAMS:
            requests = [("publish", f"$JS.API.{form.format(stream.name)}") for form in forms]
            if name == identities.JS_INIT:  # it manages them all
                requests = [one for one in requests if "DIRECT" not in one[1]]
            wanted = stream.name in those or name == identities.JS_INIT
            assert guarded.ask(name, *requests) == dict.fromkeys(requests, wanted), stream.name


@pytest.mark.parametrize("name", NAMES)
def test_a_durable_is_its_readers(guarded: Guarded, name: str) -> None:
    guests = {VIEWER, "watcher", PAGE, identities.OPERATOR, "commander", identities.TESTS}
    for topic in TOPICS:
        for durable in topic.durables:
            wanted = (
                name == durable.reader or (durable.reader == OUTSIDE and name in guests) or name == identities.TESTS
            )
            place = f"{topic.stream}.{durable.name}"
            requests = [("publish", f"$JS.API.CONSUMER.MSG.NEXT.{place}"), ("publish", f"$JS.ACK.{place}.1.1.1.1.0")]
            if name == identities.JS_INIT:
                requests = requests[1:]
            assert guarded.ask(name, *requests) == dict.fromkeys(requests, wanted), durable.name
            verbs = ("DELETE.{}", "CREATE.{}", "CREATE.{}.qiki.x")  # a consumer is changed as it is made
            changes = [("publish", f"$JS.API.CONSUMER.{verb.format(place)}") for verb in verbs]
            assert set(guarded.ask(name, *changes).values()) == {name in {identities.JS_INIT, identities.TESTS}}


@pytest.mark.parametrize("name", [one for one in NAMES if one != identities.TESTS])
def test_nobody_reads_the_answers_to_another(guarded: Guarded, name: str) -> None:
    others = [f"_INBOX.{one}.x" for one in NAMES if one not in {name, VIEWER, PAGE}]
    found = guarded.ask(name, *(("subscription", subject) for subject in others))
    mine = {VIEWER, PAGE}  # in an account of its own, where the others' answers do not come
    assert set(found.values()) == {name in mine}


@pytest.mark.parametrize("name", [one for one in NAMES if one != "system"])
def test_the_server_itself_is_managed_by_nobody_else(guarded: Guarded, name: str) -> None:
    requests = (("publish", OF_NOBODY[-1]), ("subscription", "$SYS.ACCOUNT.>"))
    found = guarded.ask(name, *requests)
    assert rights_of_any(name).account is not Account.SYSTEM
    assert name == identities.TESTS or set(found.values()) == {False}  # in the twin's account it would reach nobody


def rights_of_any(name: str) -> Rights:
    if name == PAGE:
        return of_pages()
    return granted(name, GRANTS[name]) if name in GRANTS else rights_of(name)
