"""The digest of a run: equal for equal runs, different for any byte that differs, in any order of arrival."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from qiki.contracts import topics
from qiki.contracts.headers import ESTIMATES, FRAME, MESSAGE_ID, OWN_VELOCITY, RUN, SEQUENCE, Message
from qiki.flight import Flight
from qiki.flight.digest import DECISIONS, GROUPS, GUARD, LATE_FRAMES, RADAR, TRACKER, TRUTH, Link, RunDigest, frame_of
from qiki.world.scenario import load_scenario

RUN_ID = UUID("6f1c3d1e-0000-4000-8000-000000000009")
INGEST = datetime(2026, 1, 1, tzinfo=UTC)


def fly(scenario: str = "collision", seconds: float = 3.0, ingest: datetime = INGEST, seed: int = 1) -> list[Message]:
    flight = Flight(load_scenario(scenario), run_id=RUN_ID, seed=seed)
    return [message for moment in flight.fly(seconds) for message in moment.messages(ingest)]


def links(messages: list[Message], groups: tuple[str, ...] = GROUPS) -> list[Link]:
    digest = RunDigest(str(RUN_ID), groups)
    for message in messages:
        digest.add(message)
    digest.finish()
    assert digest.late == 0
    return digest.links


@pytest.fixture(scope="module")
def flown() -> list[Message]:
    return fly()


@pytest.fixture(scope="module")
def chain(flown: list[Message]) -> list[Link]:
    return links(flown)


def test_each_frame_has_a_link(chain: list[Link]):
    assert [link.frame for link in chain] == list(range(30))
    assert len({link.whole for link in chain}) == 30
    assert {len(link.whole) for link in chain} == {64}
    assert chain[0].groups.keys() == set(GROUPS)


def test_wall_time_places_and_order_of_arrival_do_not_count(flown: list[Message], chain: list[Link]):
    later = fly(ingest=INGEST + timedelta(days=9))
    assert any(one.body != other.body for one, other in zip(flown, later, strict=True))
    placed = [replace(one, headers={SEQUENCE: "77", **one.headers}) for one in later]
    random.Random(5).shuffle(placed)
    assert links(placed + placed[:500]) == chain


def test_a_prefix_has_the_links_of_the_whole(chain: list[Link]):
    assert links(fly(seconds=2.0)) == chain[:20]


def test_another_seed_or_run_gives_other_links(flown: list[Message], chain: list[Link]):
    other = links(fly(seed=2))
    assert all(one.whole != another.whole for one, another in zip(chain, other, strict=True))
    digest = RunDigest("another")
    for message in flown:
        digest.add(message)
    assert digest.finish() is None


@pytest.mark.parametrize(
    ("topic", "old", "new", "group"),
    [
        (topics.FRAMES, b'"range_m":', b'"range_m":1', RADAR),
        (topics.TRUTH, b'"velocity"', b'"Velocity"', TRUTH),
        (topics.TRACKS, b'"quality":0', b'"quality":1', TRACKER),
        (topics.ESTIMATES, b'"parts":1', b'"parts":2', TRACKER),
        (topics.TRACKED, b'"tracks":', b'"tracks":1', TRACKER),
    ],
)
def test_a_changed_body_shows_in_its_group_from_its_frame_on(flown, chain, topic, old, new, group):
    place = next(i for i, one in enumerate(flown) if one.subject == topic.subject and frame_of(one) == 12)
    changed = replace(flown[place], body=flown[place].body.replace(old, new, 1))
    assert changed.body != flown[place].body
    found = links([*flown[:place], changed, *flown[place + 1 :]])
    assert found[:12] == chain[:12]
    for link, other in zip(found[12:], chain[12:], strict=True):
        assert link.whole != other.whole
        assert {name for name in GROUPS if link.groups[name] != other.groups[name]} == {group}


@pytest.mark.parametrize("name", [OWN_VELOCITY, "ce-type"])
def test_a_changed_header_shows(flown: list[Message], chain: list[Link], name: str):
    place = next(i for i, one in enumerate(flown) if one.subject == topics.FRAMES.subject and frame_of(one) == 5)
    changed = replace(flown[place], headers={**flown[place].headers, name: "9"})
    found = links([*flown[:place], changed, *flown[place + 1 :]])
    assert (found[4], found[5] == chain[5]) == (chain[4], False)


def test_a_missing_message_shows(flown: list[Message], chain: list[Link]):
    place = next(i for i, one in enumerate(flown) if one.subject == topics.TRACKS.subject and frame_of(one) == 5)
    assert links([*flown[:place], *flown[place + 1 :]])[5:] != chain[5:]


def test_the_agents_events_count_for_the_frame_at_or_before_them(flown: list[Message], chain: list[Link]):
    events = [one for one in flown if one.subject.startswith("qiki.events.v1.system_mode")]
    assert events
    frames = [one for one in flown if one.subject == topics.FRAMES.subject]
    without = links([one for one in flown if one is not events[-1]])
    number = max(i for i, one in enumerate(frames) if one.headers["ce-time"] <= events[-1].headers["ce-time"])
    assert without[:number] == chain[:number]
    changed = {name for name in GROUPS if without[number].groups[name] != chain[number].groups[name]}
    assert changed == {DECISIONS}


def test_groups_can_be_left_out(flown: list[Message], chain: list[Link]):
    few = links(flown, (RADAR, TRACKER, GUARD))
    assert [link.groups[TRACKER] for link in few] == [link.groups[TRACKER] for link in chain]
    assert few[-1].whole != chain[-1].whole
    assert links([one for one in flown if one.subject != topics.TRUTH.subject], (RADAR, TRACKER, GUARD)) == few


def test_a_message_that_comes_too_late_is_counted_and_changes_nothing():
    digest = RunDigest(str(RUN_ID), (TRACKER,))
    headers = {RUN: str(RUN_ID), MESSAGE_ID: "x", ESTIMATES: "0"}
    for number in range(LATE_FRAMES + 2):
        digest.add(Message(topics.TRACKED.subject, b"{}", headers | {FRAME: str(number)}))
    before = list(digest.links)
    digest.add(Message(topics.TRACKED.subject, b"{}", headers | {FRAME: "0", MESSAGE_ID: "y"}))
    assert (digest.late, digest.links, len(before)) == (1, before, 2)


def test_a_malformed_frame_number_is_refused():
    with pytest.raises(ValueError, match="x-qiki-frame"):
        RunDigest("r").add(Message(topics.TRACKED.subject, b"{}", {RUN: "r", FRAME: "-1"}))
    with pytest.raises(ValueError, match="frame: is missing"):
        RunDigest("r").add(Message(topics.TRUTH.subject, b'{"run_id":"r"}', {}))
