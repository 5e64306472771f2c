"""A recorded run is flown with one input changed, and compared with the flight without the change."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from qiki.contracts import topics
from qiki.contracts.headers import Message
from qiki.contracts.radar import GuardAlert
from qiki.flight import Flight
from qiki.guard import load_rules
from qiki.world.scenario import load_scenario
from qiki_harness.errors import HarnessError, RecordingError
from qiki_harness.recording.flown import record_flight
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.runs import RecordedRun, recorded_run
from qiki_harness.recording.why.whatif import Change, WhatIf, what_if
from qiki_harness.recording.writer import RecordingWriter


def run_of(path: Path) -> RecordedRun:
    return recorded_run(Recording(path))


def stranger(path: Path) -> str:
    """The track of the first alert."""
    first = next(Recording(path).messages({topics.GUARD.subject}))
    return str(GuardAlert.from_json(first.message.body).track_id)


@pytest.mark.usefixtures("installed")
def test_without_the_colliding_contact_nothing_is_avoided(avoided: Path, struck: Path):
    found = what_if(run_of(avoided), Change(hidden=(stranger(struck),)))  # the same run but for the engine
    assert found.verdict.same
    assert "decisions" in found.verdict.groups
    unchanged, changed = found.parts_at or ([], [])
    assert [act.t_s for act in unchanged] == [0.6]
    assert "by avoidance" in unchanged[0].text
    assert changed == []
    burns, others = found.only("commands")
    assert len(burns) >= 3
    assert all(burn.text.startswith("rcs.fire") for burn in burns)
    assert others == []
    assert not any("by avoidance" in act.text for act in found.changed.decisions)
    assert found.unchanged.nearest_m > 80
    assert (found.changed.nearest, found.changed.nearest_s) == ("boulder", pytest.approx(40.0))
    assert found.changed.nearest_m < 1
    assert found.changed.hull_pct < found.unchanged.hull_pct == 100
    assert found.remarks == (f"frames with a hidden track: {found.changed.hidden}",)
    assert found.changed.hidden > 400
    assert found.unchanged.hidden == 0


def test_a_wider_rule_of_the_guard_brings_safe_mode_earlier(struck: Path):
    found = what_if(run_of(struck), Change(settings=("rules.UNKNOWN_CONTACT_CLOSE.max_range_m=150",)), seconds=38.0)
    assert found.changes == ("rules.UNKNOWN_CONTACT_CLOSE.max_range_m were 150 instead of 70.0",)
    courses = (found.unchanged, found.changed)
    before, after = (next(act.t_s for act in one.modes if "to SAFE_MODE" in act.text) for one in courses)
    assert before - after == pytest.approx(80 / 25, abs=0.3)  # metres nearer, at 25 m/s
    assert found.parts_at is not None
    assert [act.t_s for act in found.parts_at[1]] == [after]
    orders = [order for each in run_of(struck).orders.values() for order in each]
    assert [act.t_s for act in found.unchanged.commands] == [order.tick * 0.05 for order in orders]


def test_another_course_of_the_contact_misses(struck: Path):
    found = what_if(run_of(struck), Change(settings=("contacts.boulder.motion.velocity_mps.0=-10",)))
    assert found.unchanged.nearest_m < 1
    assert found.changed.nearest_m > 100
    assert (found.unchanged.alerts, found.changed.alerts) == (1, 0)


def test_a_change_that_matters_to_no_decision_says_so(struck: Path):
    found = what_if(run_of(struck), Change(settings=("seed=8",)), seconds=10.0)
    assert found.parts_at is None
    assert found.only("commands") == found.only("modes") == ([], [])
    assert found.unchanged.nearest_s == found.changed.nearest_s == pytest.approx(10.0)


def test_what_was_lost_between_is_flown_on_after_the_recording(flown: Path):
    found = what_if(run_of(flown), Change(settings=("bot.velocity_mps.2=30",)), seconds=41.0)
    assert found.unchanged.nearest_m < 60
    assert found.changed.nearest_m > 100
    assert "rcs.fire" not in "".join(act.text for act in found.unchanged.commands)  # somebody else's order


def test_other_rules_of_the_guard_are_given(tmp_path: Path):
    rules = load_rules().model_copy(
        update={"rules": tuple(one.model_copy(update={"max_range_m": 5000.0}) for one in load_rules().rules)}
    )
    path = tmp_path / "a.mcap"
    record_flight(Flight(load_scenario("mixed-traffic"), rules=rules), 3.0, path)
    change = Change(settings=("rules.UNKNOWN_CONTACT_CLOSE.max_range_m=10",))
    assert not what_if(run_of(path), change).verdict.same
    found = what_if(run_of(path), change, rules)
    assert found.verdict.same
    assert found.changed.alerts < found.unchanged.alerts


def rewritten(source: Path, path: Path, change: Callable[[Message], Message | None]) -> RecordedRun:
    recording = Recording(source)
    with RecordingWriter(path, recording.about) as writer:
        for one in recording.messages():
            if message := change(one.message):
                writer.put(message, one.sequence, one.came_ns)
    return run_of(path)


def test_a_live_agent_is_flown_in_lockstep_and_it_says_so(struck: Path, tmp_path: Path):
    def live(message: Message) -> Message:
        return replace(message, body=message.body.replace(b'"conduct":"lockstep"', b'"conduct":"live"'))

    found: WhatIf = what_if(rewritten(struck, tmp_path / "a.mcap", live), Change(hidden=(stranger(struck),)))
    assert found.remarks[0].startswith("the agent was live: it decides in lockstep here")
    assert found.verdict.same
    assert "decisions" not in found.verdict.groups
    assert [act.t_s for act in found.only("commands")[0]] == [37.2]  # once: the recorded one is not given again


def test_an_order_that_is_refused_with_the_change_is_told(flown: Path):
    found = what_if(run_of(flown), Change(settings=("vehicle.propulsion.propellant_kg=0",)))
    assert found.unchanged.refused == []
    assert found.remarks[-1].startswith("refused with the change: order 0 (rcs.fire) at tick 0: ")


def test_a_run_whose_agent_cannot_be_flown_is_told(avoided: Path, flown: Path, tmp_path: Path):
    with pytest.raises(RecordingError, match=r"the agent cannot be flown here: .*no engine 'avoidance' is installed"):
        what_if(run_of(avoided), Change(settings=("seed=8",)))

    def no_agent(message: Message) -> Message | None:
        return None if message.subject == topics.AGENT_STATE.subject else message

    with pytest.raises(RecordingError, match="it has no state of an agent: nothing decides in it"):
        what_if(rewritten(flown, tmp_path / "a.mcap", no_agent), Change(settings=("seed=8",)))
    with pytest.raises(HarnessError, match="there is no such field"):
        what_if(run_of(flown), Change(settings=("sede=8",)))
