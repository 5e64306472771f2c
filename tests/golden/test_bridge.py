"""The bridge gets the recorded frames: tracks, estimates, notices, alerts and impostors are the recorded ones."""

import pytest

from qiki.contracts import topics
from qiki.flight.digest import GROUP_OF, GUARD, TRACKER
from qiki_harness.testing import ServiceProcess

PUBLISHED = frozenset(subject for subject, group in GROUP_OF.items() if group in {TRACKER, GUARD})
KEPT = (topics.TRACKS, topics.ESTIMATES, topics.TRACKED, topics.EVENTS)


@pytest.mark.parametrize("reference", ["mixed-traffic", "collision"], indirect=True)
def test_the_bridge_tracks_and_judges_as_it_did(reference, bus, ended, assert_same, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_bytes(reference.rules)
    settings = {"NATS_URL": bus.url, "QIKI_STATE_DIR": tmp_path / "state", "QIKI_GUARD_RULES": rules}
    with ServiceProcess("faststream_bridge", tmp_path / "log", **settings) as bridge:
        bridge.ready()
        frames = reference.of({topics.FRAMES.subject})
        bus.store(frames)
        bus.await_stored(topics.TRACKED, len(frames))
        ended(bridge)

    stored = [message for topic in KEPT for message in bus.stored(topic)]
    published = [message for message in stored if message.subject in PUBLISHED]
    assert_same("the bridge", reference, reference.of(PUBLISHED), published)
