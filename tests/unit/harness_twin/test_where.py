"""Conditions: what they take, and how they read."""

import pytest

from qiki.contracts.enums import FriendFoe, FSMState, RadarTrackStatus
from qiki_harness.twin.where import (
    above,
    agent,
    below,
    containing,
    dead_letter,
    equal,
    event,
    near,
    one_of,
    satisfying,
    spell,
    telemetry,
    track,
)


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (track(), "a track"),
        (track(iff=FriendFoe.FOE), "a track whose iff is FOE"),
        (track(iff=FriendFoe.FOE, range_m=below(150)), "a track whose iff is FOE and range_m is below 150"),
        (telemetry(sim_state__paused=True), "a telemetry snapshot whose sim_state.paused is True"),
        (agent(fsm__current_state=FSMState.IDLE), "an agent state whose fsm.current_state is IDLE"),
        (event(code=802) & event(rule_id="SPOOF"), "an event whose code is 802 and rule_id is 'SPOOF'"),
        (dead_letter(reason=containing("JSON")), "a dead letter whose reason contains 'JSON'"),
        (track(age_s=satisfying("is whole", float.is_integer)), "a track whose age_s is whole"),
        (
            track(status=one_of(RadarTrackStatus.LOST, RadarTrackStatus.COASTING)),
            "a track whose status is LOST or COASTING",
        ),
    ],
)
def test_conditions_read_as_sentences(condition, sentence):
    assert str(condition) == sentence


@pytest.mark.parametrize(
    ("matcher", "good", "bad"),
    [
        (equal(3), 3, 4),
        (below(3), 2.9, 3),
        (above(3), 3.1, 3),
        (near(3, within=0.5), 3.5, 3.51),
        (one_of(1, 2), 2, 3),
        (containing("a"), "cat", "dog"),
        (satisfying("is even", lambda number: number % 2 == 0), 4, 5),
    ],
)
def test_matchers_hold_for_what_they_say(matcher, good, bad):
    assert matcher.holds(good)
    assert not matcher.holds(bad)


def test_a_field_that_is_not_there_is_refused_at_once():
    with pytest.raises(TypeError, match=r"a track has no field 'iif': there are .*iff"):
        track(iif=FriendFoe.FOE)


def test_complaints_name_each_condition_that_does_not_hold(fill, watcher):
    fill.track(7, range_m=80.0, iff=FriendFoe.UNKNOWN)
    (record,) = watcher.tracks()

    asked = track(iff=FriendFoe.FOE, range_m=below(70), age_s=0.0)
    assert asked.complaints(record) == ["iff is UNKNOWN", "range_m is 80"]
    assert track(iff=FriendFoe.UNKNOWN, range_m=below(90))(record)


def test_fields_of_the_message_itself(fill, watcher, run_id):
    fill.track(7)
    (record,) = watcher.tracks()

    assert track(frame=7, run=run_id, sequence=1, subject="qiki.radar.v1.tracks")(record)
    assert track(frame=8).complaints(record) == ["frame is 7"]


def test_fields_of_an_events_body(fill, watcher):
    fill.event(802, rule_id="SPOOF", place={"x": 1})
    (record,) = watcher.events()

    assert event(code=802, rule_id="SPOOF", place__x=1)(record)
    assert event(rule="SPOOF").complaints(record) == ["has no rule"]
    assert event(place__y=1).complaints(record) == ["has no place.y"]


def test_what_cannot_be_read_is_never_meant(ledger, watcher):
    ledger.add("qiki.radar.v1.tracks", b"{", {})
    (record,) = watcher.tracks()

    (complaint,) = track(range_m=below(1)).complaints(record)
    assert complaint.startswith("cannot be read: ")
    with pytest.raises(ValueError, match="JSON"):
        _ = record.data


def test_a_function_of_the_payload_is_a_condition_too(fill, watcher):
    fill.track(0, range_m=80.0)
    fill.track(0, range_m=20.0)

    def close(report):
        """is close to the bot"""
        return report.range_m < 50

    condition = track.that(close, {"frame": 0})
    assert [record.data.range_m for record in watcher.tracks(condition)] == [20.0]
    assert str(condition) == "a track whose frame is 0 and (is close to the bot)"


@pytest.mark.parametrize(("value", "text"), [(FriendFoe.FOE, "FOE"), (0.1 + 0.2, "0.3"), ("a", "'a'"), (None, "None")])
def test_values_are_spelled_for_a_reader(value, text):
    assert spell(value) == text
