"""A reference that is missing, cut short, or of another run than the present one is refused in one line."""

from dataclasses import replace
from pathlib import Path

import pytest

from qiki.contracts import topics
from qiki.guard import DEFAULT_RULES
from qiki.world.inputs import read_order
from qiki.world.vehicle.orders import FireThruster
from qiki_harness.errors import RecordingError
from qiki_harness.golden.reference import RENEW, Reference
from qiki_harness.golden.run import SELF_TEST, Command, GoldenRun
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.runs import recorded_run
from qiki_harness.recording.verify import verify

WIDE_RULES = Path(__file__).parents[2] / "golden/wide_rules.yaml"
FIRE = {"axis": "up", "pct": 50.0, "duration_s": 0.5}


def refusal(path: Path, run: GoldenRun) -> str:
    with pytest.raises(RecordingError) as caught:
        Reference(path, run)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{path}: ")
    assert line.endswith(RENEW)
    return line


def test_a_run_is_recorded_with_its_inputs_and_can_be_verified(recorded, run):
    reference = Reference(recorded, run)
    assert reference.rules == DEFAULT_RULES.read_bytes()
    assert len(reference.of({topics.FRAMES.subject})) == len(reference.of({topics.TRUTH.subject})) == 10
    assert [one.subject for one in reference.messages[:2]] == [topics.RUNS.subject, topics.TELEMETRY.subject]
    assert reference.of({SELF_TEST, topics.AGENT_STATE.subject}) == []  # no agent is there
    found = recorded_run(Recording(recorded))
    (order,) = found.orders[4]
    (command,) = reference.of({topics.COMMANDS.subject})
    assert read_order(order) == FireThruster("up", 0.5, 0.5)
    assert order.message_id == command.headers["Nats-Msg-Id"]
    assert verify(found).same


def test_an_agent_is_recorded_with_what_it_asked(tmp_path: Path, run):
    path = tmp_path / "agent.mcap"
    conducted = replace(run, engines=lambda _: {})
    conducted.record(path)
    reference = Reference(path, conducted)
    assert len(reference.of({SELF_TEST})) >= 1
    assert len(reference.of({topics.AGENT_STATE.subject})) == 1
    assert recorded_run(Recording(path)).lockstep


def test_each_event_has_its_audit_record(recorded, run):
    reference = Reference(recorded, run)
    events = [one for one in reference.messages if topics.EVENTS.covers(one.subject)]
    records = [one for one in events if one.subject == topics.AUDIT.subject]
    assert len(records) * 2 == len(events) > 0
    assert b'"event_type":"qiki.events.v1.RunStarted"' in records[0].body


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda content: content[: len(content) // 2], "it ends in the middle"),
        (lambda content: content[:-1], "its index was changed"),
        (lambda _: b"rubbish", "it is no MCAP file"),
        (lambda _: b"", "it is no MCAP file"),
        (lambda content: content.replace(b"qiki.recording", b"qiki.recorning"), "it does not say"),
    ],
)
def test_a_spoilt_reference_is_refused(tmp_path: Path, recorded, run, spoil, reason):
    path = tmp_path / "spoilt.mcap"
    path.write_bytes(spoil(recorded.read_bytes()))
    assert reason in refusal(path, run)


def test_a_missing_reference_is_refused(tmp_path: Path, run):
    assert "No such file" in refusal(tmp_path / "none.mcap", run)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"scenario": "merging"}, "recorded (absent), now (there)"),
        ({"commands": ()}, "recorded (there), now (absent)"),
        ({"commands": (Command(4, "sim.rcs.fire", FIRE | {"pct": 60.0}),)}, "parameters.pct: recorded 50.0, now 60.0"),
        ({"seconds": 2.0}, "it does not last 2 s"),
        ({"rules": WIDE_RULES}, "the guard's rules were others than wide_rules.yaml has now"),
    ],
)
def test_a_reference_of_another_run_is_stale(recorded, run, other, reason):
    words = refusal(recorded, replace(run, **other))
    assert "it is stale: " in words
    assert reason in words


def test_a_command_between_two_steps_is_refused(run):
    with pytest.raises(ValueError, match=r"sim.rcs.stop at tick 5 \(expected a multiple of 2\)"):
        replace(run, commands=(Command(5, "sim.rcs.stop", {}),))
