"""Messages into the observer; what cannot be read harms nothing after it."""

import asyncio
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from q_core_agent.inputs import Inputs
from q_core_agent.metrics import REFUSED
from qiki.contracts import topics
from qiki.contracts.events import GUARD_CLEARED, GUARD_RESUMED, RADAR_GAP
from qiki.contracts.headers import ALERTS, ESTIMATES, FRAME, REASON, RUN
from qiki.runtime.health import Health

RUN_ID = "5ca1ab1e-0000-4000-8000-000000000001"
ID = "0d9c9d0e-6f5e-4a3c-9a75-0e7c6f0f7a11"
MOMENT = "2026-01-01T00:00:01.000000Z"
TRACKED = f'{{"run_id":"{RUN_ID}","frame_id":"{ID}","frame":7,"timestamp":"{MOMENT}","tracks":2}}'
ESTIMATED = f'{{"run_id":"{RUN_ID}","frame":7,"timestamp":"{MOMENT}","part":1,"parts":1,"tracks":[]}}'
CLEARED = (
    f'{{"category":"radar","source":"guard","ts_epoch":1.0,"run_id":"{RUN_ID}","rule_id":"R","track_id":"{ID}",'
    '"fsm_event":"E"}'
)
ALERT = (
    f'{{"subject":"R","ts_epoch":1.0,"rule_id":"R","id":"{ID}","track_id":"{ID}","fsm_event":"E","severity":"critical",'
    '"message":"near","range_m":50.0,"quality":0.9,"iff":3,"transponder_on":false,"transponder_mode":0}'
)
GAP = f'{{"ts_epoch":1.0,"run_id":"{RUN_ID}","first_frame":3,"last_frame":5,"reason":"refused"}}'
PLACE = {RUN: RUN_ID, FRAME: "7"}


class Observer:
    """Keeps its calls."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return lambda *values: self.calls.append((name, *values))


class BrokenObserver(Observer):
    """Raises what no reader of a message raises."""

    def __init__(self):
        super().__init__()
        self.broken = True

    def take_tracked(self, *values):
        if self.broken:
            raise OverflowError("a bug of ours")
        self.calls.append(("take_tracked", *values))


def test_the_next_input_is_read_after_an_error_of_the_observer():
    observer = BrokenObserver()
    inputs = Inputs(observer, Health("agent"), lockstep=True)
    with capture_logs() as logs:
        inputs._stored(message(topics.TRACKED.subject, TRACKED, PLACE), 1)
        observer.broken = False
        inputs._stored(message(topics.TRACKED.subject, TRACKED, PLACE), 2)
    assert [(one["event"], one["sequence"], one["reason"]) for one in logs] == [
        ("input refused", 1, "OverflowError: a bug of ours")
    ]
    assert [call[-2] for call in observer.calls] == [2]


@pytest.fixture
def observer():
    return Observer()


@pytest.fixture
def inputs(observer):
    return Inputs(observer, Health("agent"), lockstep=True)


def message(subject, body, headers=None):
    return SimpleNamespace(subject=subject, data=body.encode(), headers=headers)


def test_a_notice_has_the_numbers_of_its_guard_messages_and_of_its_estimates(inputs, observer):
    inputs._stored(message(topics.TRACKED.subject, TRACKED, PLACE | {ALERTS: "3", ESTIMATES: "2"}), 41)
    inputs._stored(message(topics.TRACKED.subject, TRACKED, PLACE), 42)
    assert [(name, frame.frame, *rest) for name, frame, *rest in observer.calls] == [
        ("take_tracked", 7, 3, 2, 41, 0.0),
        ("take_tracked", 7, 0, 0, 42, 0.0),
    ]


def test_estimates_are_read(inputs, observer):
    inputs._stored(message(topics.ESTIMATES.subject, ESTIMATED, PLACE), 43)
    ((name, estimates, *rest),) = observer.calls
    assert (name, estimates.frame, estimates.run_id, rest) == ("take_estimates", 7, RUN_ID, [43, 0.0])


def test_the_end_of_an_alert_has_its_frame(inputs, observer):
    inputs._stored(message(GUARD_CLEARED.subject, CLEARED, PLACE), 5)
    ((name, cleared, frame, sequence, _),) = observer.calls
    assert (name, cleared.rule_id, frame, sequence) == ("take_cleared", "R", 7, 5)


def test_a_resumed_alert_has_its_run_and_frame(inputs, observer):
    inputs._stored(message(GUARD_RESUMED.subject, ALERT, PLACE), 6)
    ((name, alert, *rest),) = observer.calls
    assert (name, alert.rule_id, rest) == ("take_resumed", "R", [RUN_ID, 7, 6, 0.0])


def test_frames_that_were_never_published_are_lost_for_their_run_alone(inputs):
    inputs._stored(message(RADAR_GAP.subject, GAP), 8)
    assert [frame for frame in range(8) if inputs.is_lost(RUN_ID, frame)] == [3, 4, 5]
    assert not inputs.is_lost(ID, 4)


def test_a_frame_among_the_dead_letters_is_lost_and_not_empty(inputs, observer):
    inputs._stored(message(topics.TRACKED.subject, TRACKED, PLACE | {ALERTS: "0", REASON: "no JSON"}), 9)
    assert observer.calls == []
    assert [frame for frame in range(9) if inputs.is_lost(RUN_ID, frame)] == [7]


@pytest.mark.parametrize(
    ("subject", "body", "headers"),
    [
        (topics.TRACKED.subject, "{", PLACE),
        (topics.TRACKED.subject, TRACKED, {ALERTS: "many"}),
        (topics.TRACKED.subject, TRACKED, {ESTIMATES: "many"}),
        (topics.ESTIMATES.subject, TRACKED, PLACE),
        (topics.TRACKS.subject, '{"track_id":1}', PLACE),
        (topics.GUARD.subject, "[]", PLACE),
        (GUARD_CLEARED.subject, CLEARED, None),
        (GUARD_RESUMED.subject, ALERT, None),
        (RADAR_GAP.subject, "{}", None),
        (GUARD_CLEARED.subject, CLEARED, {RUN: RUN_ID, FRAME: "last"}),
    ],
    ids=[
        "no-json",
        "alerts",
        "parts",
        "estimates",
        "track",
        "alert",
        "no-headers",
        "no-headers-resumed",
        "gap",
        "frame",
    ],
)
def test_poison_is_counted_and_the_next_message_is_read(subject, body, headers, inputs, observer):
    refused = REFUSED.labels(subject)
    before = refused._value.get()
    inputs._stored(message(subject, body, headers), 1)
    assert refused._value.get() == before + 1
    assert observer.calls == []
    inputs._stored(message(topics.TRACKED.subject, TRACKED, PLACE), 2)
    assert len(observer.calls) == 1


def test_much_poison_makes_one_line_a_second(inputs):
    with capture_logs() as lines:
        for sequence in range(1, 100):
            inputs._stored(message(topics.TRACKS.subject, '{"range_m":"far"}', PLACE), sequence)
    (line,) = lines
    assert (line["log_level"], line["sequence"]) == ("warning", 1)
    assert "\n" not in line["reason"]


def test_unreadable_telemetry_is_ignored(inputs, observer):
    asyncio.run(inputs._passed(message(topics.TELEMETRY.subject, '{"schema_version":1}')))
    assert inputs.telemetry is None
    assert observer.calls == []


def test_a_waiter_checks_its_condition_after_each_message(inputs, observer):
    async def wait():
        waiting = asyncio.create_task(inputs.until(lambda: len(observer.calls) == 2))
        for sequence in (1, 2):
            await asyncio.sleep(0)
            assert not waiting.done()
            inputs._stored(message(topics.TRACKED.subject, TRACKED, PLACE), sequence)
        await waiting

    asyncio.run(wait())
