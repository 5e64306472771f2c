"""The rights of each identity on the bus, derived from the tables of topics and events.

Subjects are patterns of NATS: `*` stands for one token, `>` for the rest.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from qiki.contracts import identities, topics
from qiki.contracts.events import EVENTS as KINDS
from qiki.contracts.identities import Account
from qiki.contracts.topics import OUTSIDE, STREAMS, TOPICS, Durable

EVERYTHING = ">"
READ_API = ("STREAM.INFO.{}", "STREAM.MSG.GET.{}", "DIRECT.GET.{}", "DIRECT.GET.{}.>")
"""Requests for what a stream holds; `{}` is its name. The viewer has those but for STREAM.MSG.GET."""
FOLLOW_API = ("CONSUMER.CREATE.{}.*", "CONSUMER.CREATE.{}.*.>", "CONSUMER.INFO.{}.*", "CONSUMER.DELETE.{}.*")
"""Requests of a reader that has the server send what is stored: a consumer of his own, for as long as he reads.

The server takes a name in the body only where the subject has it; so none of these reaches a durable (`_of_durables`).
"""
LAG_API = ("STREAM.LIST", "CONSUMER.LIST.*", "STREAM.MSG.GET.*")
INIT_API = ("INFO", "STREAM.>", "CONSUMER.>")
ADVISORIES = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>"
RELOAD = ("$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.*.RELOAD")


@dataclass(frozen=True)
class Rights:
    """Subjects that an identity may publish to and subscribe to.

    Attributes:
        refused: subjects that he may not publish to though a pattern of `publish` covers them
        answers: he may publish to the reply subject of each message that he received
    """

    account: Account
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    refused: tuple[str, ...] = ()
    answers: bool = False


@dataclass(frozen=True)
class Grant:
    """The rights that the owner of a stack gives to a further identity.

    Attributes:
        operate: he commands, and sees the truth
        publish: subjects that he may publish to besides
    """

    operate: bool = False
    publish: tuple[str, ...] = ()


def rights_of(name: str, *, lockstep: bool = False) -> Rights:
    """Return the rights of an identity of the table, or of the viewer.

    Args:
        lockstep: the agent conducts the simulator
    """
    inbox = inbox_of(name)
    if name == identities.VIEWER:
        return _viewer("_INBOX.>")
    if name == identities.TESTS:
        return Rights(Account.TWIN, (EVERYTHING,), (EVERYTHING,))
    if name == identities.OPERATOR:
        return granted(name, Grant(operate=True))
    if name not in identities.SERVICES:
        return Rights(Account.SYSTEM, RELOAD, (inbox,))
    publish = [*_written(name, lockstep=lockstep), *_event_subjects(name), *_api(name)]
    subscribe = [topic.subject for topic in TOPICS if name in topic.readers and topic.live]
    if name == identities.BRIDGE:
        subscribe.append(ADVISORIES)
    answers = name == identities.SIMULATOR
    refused = _of_durables() if any(name in topic.followers for topic in TOPICS) else ()
    return Rights(Account.TWIN, _sorted(publish), _sorted([inbox, *subscribe]), refused, answers)


def granted(name: str, grant: Grant) -> Rights:
    """Return the rights of a further identity."""
    inbox = inbox_of(name)
    if grant.operate:
        publish = [*commanded(), *grant.publish, *_followed(stream.name for stream in STREAMS), *_outside()]
        return Rights(Account.TWIN, _sorted(publish), _sorted([inbox, "qiki.>"]), _of_durables())
    if grant.publish:
        return Rights(Account.TWIN, _sorted(grant.publish), (inbox,))
    return _viewer(inbox)


def of_pages() -> Rights:
    """Return the rights of an operator's page: it watches as the viewer, and commands."""
    viewer = rights_of(identities.VIEWER)
    return replace(viewer, account=Account.PAGES, publish=_sorted([*viewer.publish, *commanded()]))


def commanded() -> tuple[str, ...]:
    """Return the subjects on which an operator asks something of a service."""
    return tuple(topic.subject for topic in TOPICS if identities.OPERATOR in topic.writers)


def inbox_of(name: str) -> str:
    """Return the pattern of the subjects on which answers come to an identity."""
    return f"_INBOX.{name}.>"


def watched() -> tuple[str, ...]:
    """Return the subjects that a viewer sees, none covered by another."""
    seen = [topic for topic in TOPICS if topic.watched]
    return tuple(
        topic.subject for topic in seen if not any(one.covers(topic.subject) for one in seen if one is not topic)
    )


def outside_acks() -> tuple[str, ...]:
    """Return the subjects of the acknowledgements to the durables for outside clients."""
    return tuple(f"$JS.ACK.{stream}.{durable.name}.>" for stream, durable in _durables() if durable.reader == OUTSIDE)


def _viewer(inbox: str) -> Rights:
    direct = (one for one in READ_API if one != "STREAM.MSG.GET.{}")
    publish = [*(f"$JS.API.{form.format(stream.name)}" for form in direct for stream in STREAMS), *_outside()]
    return Rights(Account.GUESTS, _sorted(publish), _sorted([inbox, *watched()]))


def _written(name: str, *, lockstep: bool) -> Iterator[str]:
    for topic in TOPICS:
        conducts = lockstep and topic is topics.COMMANDS and name == identities.AGENT
        if topic is not topics.EVENTS and (name in topic.writers or conducts):
            yield topic.subject_of(name)


def _event_subjects(name: str) -> Iterator[str]:
    return (kind.subject for kind in KINDS if name in kind.publishers)


def _api(name: str) -> Iterator[str]:
    """Yield the requests to JetStream that a service makes, with its acknowledgements."""
    if name == identities.JS_INIT:
        yield from (f"$JS.API.{form}" for form in INIT_API)
        yield "$JS.SNAPSHOT.>"
        return
    if name == identities.BRIDGE:
        yield from (f"$JS.API.{form}" for form in LAG_API)
    written = (topic for topic in TOPICS if name in topic.writers and not topic.own)
    for stream in dict.fromkeys(topic.stream for topic in written if topic.stream):
        yield f"$JS.API.DIRECT.GET.{stream}"  # to compare, where the server says that it has a message already
    for stream in dict.fromkeys(str(topic.stream) for topic in TOPICS if name in topic.readers and not topic.live):
        yield from (f"$JS.API.{form.format(stream)}" for form in READ_API)
    yield from _followed(str(topic.stream) for topic in TOPICS if name in topic.followers)
    for stream, durable in _durables():
        if durable.reader == name:
            yield from _use_of(stream, durable)


def _followed(streams: Iterable[str]) -> Iterator[str]:
    for stream in dict.fromkeys(streams):
        yield from (f"$JS.API.{form.format(stream)}" for form in (*READ_API, *FOLLOW_API))
        yield f"$JS.FC.{stream}.>"


def _outside() -> Iterator[str]:
    for stream, durable in _durables():
        if durable.reader == OUTSIDE:
            yield from _use_of(stream, durable)


def _use_of(stream: str, durable: Durable) -> Iterator[str]:
    yield from (f"$JS.API.CONSUMER.{verb}.{stream}.{durable.name}" for verb in ("INFO", "MSG.NEXT"))
    yield f"$JS.ACK.{stream}.{durable.name}.>"


def _of_durables() -> tuple[str, ...]:
    """Return the requests that would change or remove a durable: a reader may make and remove his own consumer only."""
    forms = ("CREATE.{}.{}", "CREATE.{}.{}.>", "DELETE.{}.{}")
    places = [(stream, durable.name) for stream, durable in _durables()]
    return tuple(f"$JS.API.CONSUMER.{form.format(*place)}" for place in places for form in forms)


def _durables() -> Iterator[tuple[str, Durable]]:
    return ((str(topic.stream), durable) for topic in TOPICS for durable in topic.durables)


def _sorted(subjects: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(subjects)))
