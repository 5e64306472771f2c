"""Which messages of the streams belong to a run, and which run a beginning of an id names."""

from datetime import UTC, datetime, timedelta

import pytest
from nats.aio.msg import Msg

from qiki.contracts import topics
from qiki.contracts.headers import RUN
from qiki_harness.errors import RecordingError
from qiki_harness.recording.stored import StoredRun, find_run

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
A, B = "5ca1ab1e-0000-4000-8000-000000000011", "5ca1ab1f-0000-4000-8000-000000000012"
FIRST = StoredRun(A, "crossing", BEGIN, oldest=True, end=BEGIN + timedelta(seconds=60))
SECOND = StoredRun(B, "swarm", BEGIN + timedelta(seconds=60), oldest=False, end=None)


def message(subject: str, run: str | None = None, body: str = "{}") -> Msg:
    headers = {RUN: run} if run else None
    return Msg(_client=None, subject=subject, data=body.encode(), headers=headers)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [-100, 0, 59, 60, 1000])
def test_a_message_that_names_its_run_belongs_to_that_whenever_it_was_stored(seconds: float):
    stored = BEGIN + timedelta(seconds=seconds)
    for subject in (topics.TRACKS.subject, topics.GUARD.subject, topics.ORDERS.subject):
        assert FIRST.has(message(subject, A), stored)
        assert not FIRST.has(message(subject, B), stored)


@pytest.mark.parametrize(
    "subject", [topics.TELEMETRY.subject, topics.AGENT_STATE.subject, "qiki.events.v1.sim.run_started"]
)
def test_a_message_without_the_header_belongs_to_the_run_of_its_body(subject: str):
    late = BEGIN + timedelta(seconds=60.1)
    assert FIRST.has(message(subject, body=f'{{"run_id":"{A}"}}'), late)
    assert not SECOND.has(message(subject, body=f'{{"run_id":"{A}"}}'), late)


@pytest.mark.parametrize(("seconds", "owner"), [(-1, FIRST), (0, FIRST), (59.9, FIRST), (60, SECOND), (1e6, SECOND)])
def test_a_message_of_no_run_belongs_to_the_one_that_was_on(seconds: float, owner: StoredRun):
    event = message("qiki.events.v1.agent.decision")
    stored = BEGIN + timedelta(seconds=seconds)
    assert [run for run in (FIRST, SECOND) if run.has(event, stored)] == [owner]


def test_messages_are_looked_for_from_a_little_before_the_description_on():
    assert FIRST.begin is None
    assert SECOND.begin is not None
    assert SECOND.begin < SECOND.described


@pytest.mark.parametrize(("beginning", "run"), [("5ca1ab1e", FIRST), ("5CA1AB1F-0", SECOND), (B, SECOND)])
def test_the_beginning_of_an_id_is_enough(beginning: str, run: StoredRun):
    assert find_run([FIRST, SECOND], beginning) == run


@pytest.mark.parametrize(
    ("beginning", "problem"),
    [
        ("5ca1", f"the ids of several runs begin with 5ca1 (expected one of: {A} (crossing), {B} (swarm))"),
        ("77", f"no run 77 is kept (expected one of: {A} (crossing), {B} (swarm))"),
        ("", f"no run  is kept (expected one of: {A} (crossing), {B} (swarm))"),
    ],
)
def test_another_beginning_is_refused_with_the_runs_that_are_kept(beginning: str, problem: str):
    with pytest.raises(RecordingError) as refused:
        find_run([FIRST, SECOND], beginning)
    assert str(refused.value) == problem


def test_empty_streams_have_no_run():
    with pytest.raises(RecordingError, match="the streams are empty"):
        find_run([], "5ca1")
