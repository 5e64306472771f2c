"""Rights that must not come about by a change of the tables: written out once more."""

import pytest

from qiki.contracts import identities, topics
from qiki.contracts.identities import SERVICES, VIEWER, Account
from qiki.contracts.rights import Grant, granted, rights_of, watched
from qiki.contracts.topics import STREAMS

TRUTH = "qiki.truth.v1.contacts"
COMMANDS = "qiki.commands.control"
MAKES = ("$JS.API.STREAM.CREATE", "$JS.API.STREAM.>", "$JS.API.CONSUMER.>", "$JS.API.CONSUMER.DURABLE")


def test_the_viewer_publishes_requests_for_what_is_stored_and_nothing_else():
    rights = rights_of(VIEWER)
    assert rights.account is Account.GUESTS
    assert all(one.startswith(("$JS.API.STREAM.INFO.", "$JS.API.DIRECT.GET.", "$JS.API.CONSUMER.", "$JS.ACK."))
               for one in rights.publish)  # fmt: skip
    durables = [one for one in rights.publish if one.startswith(("$JS.API.CONSUMER.", "$JS.ACK."))]
    assert {one.rstrip(".>").rpartition(".")[2] for one in durables} == {"radar_tracks_pull", "events_audit_pull"}
    assert not any("CREATE" in one for one in rights.publish)


def test_the_viewer_sees_everything_but_the_truth():
    assert TRUTH not in watched()
    assert {"qiki.events.v1.>", "qiki.radar.v1.frames", "qiki.telemetry", "qiki.responses.control"} <= set(watched())


@pytest.mark.parametrize("lockstep", [False, True])
def test_the_agent_sees_no_truth_and_commands_in_lockstep_alone(lockstep: bool):
    rights = rights_of(identities.AGENT, lockstep=lockstep)
    assert not any(one in {TRUTH, ">", "qiki.>", "qiki.truth.>"} for one in rights.subscribe)
    assert (COMMANDS in rights.publish) == lockstep


def test_who_commands_is_the_operator_and_the_tests():
    assert [name for name in SERVICES if COMMANDS in rights_of(name).publish] == []
    assert COMMANDS in rights_of(identities.OPERATOR).publish
    assert TRUTH not in rights_of(identities.OPERATOR).publish


def test_streams_are_made_by_their_initialiser_alone():
    for name in (*SERVICES, identities.OPERATOR, VIEWER):
        makes = any(one.startswith(MAKES) for one in rights_of(name).publish)
        assert makes == (name == identities.JS_INIT), name


def test_no_service_may_publish_everything():
    for name in (*SERVICES, identities.OPERATOR, VIEWER):
        patterns = [one for one in rights_of(name).publish if one in {">", "qiki.>", "$JS.>", "$JS.API.>"}]
        assert patterns == [], name


def test_a_foreign_radar_publishes_its_subjects_and_reads_its_answers():
    rights = granted("lidar", Grant(publish=("qiki.radar.v1.frames",)))
    assert rights.publish == ("qiki.radar.v1.frames",)
    assert rights.subscribe == ("_INBOX.lidar.>",)


def test_each_stream_can_be_looked_at():
    assert {f"$JS.API.DIRECT.GET.{stream.name}" for stream in STREAMS} <= set(rights_of(VIEWER).publish)


@pytest.mark.parametrize("name", topics.HEALTH.writers)
def test_a_service_reports_its_own_health_only(name: str):
    reports = [subject for subject in rights_of(name).publish if "health" in subject and "$JS" not in subject]
    assert [subject for subject in reports if subject.startswith("qiki.health.")] == [f"qiki.health.v1.{name}"]
