"""The checker finds each kind of broken promise in a history, with its proof, and lets pass what is declared."""

import pytest

from qiki.contracts import topics
from qiki.contracts.topics import FRAMES_BY_BAND
from qiki_harness.chaos.checker import LATER, check
from qiki_harness.chaos.command_checks import UNANSWERED
from qiki_harness.chaos.radar_checks import DIED, LATE_S, TOLD

RUN = "5ca1ab1e-0000-4000-8000-000000000001"
NEXT = "5ca1ab1e-0000-4000-8000-000000000002"
EVENTS, RADAR, TRACKER = topics.QIKI_EVENTS_V1, topics.QIKI_RADAR_V1, topics.QIKI_TRACKER_V1
OTHER = "nobody:1"


def test_where_all_is_well_nothing_is_found(story):
    assert story.verdict() == {}
    assert story.declared() == {}


def test_an_acknowledged_event_that_is_not_stored_is_lost(story):
    story.drop("stored", id="two")
    lost = "event two was acknowledged at 3, where there is nothing"
    assert lost in story.verdict()["lost"]
    proof = next(one.operations for one in check(story.operations).findings if one.what == lost)
    assert [(one["op"], one["state"]) for one in proof] == [("event", "sent"), ("event", "stored")]


def test_an_acknowledged_event_whose_place_another_has_is_lost(story):
    story.all("stored", id="two")[0]["id"] = "one-more"
    story.note("event", id="one-more", client="c", state="sent")
    assert "event two was acknowledged at 3, where there is one-more" in story.verdict()["lost"]


def test_an_event_without_an_acknowledgement_may_be_missing(story):
    story.note("event", id="three", client="c", state="sent")
    story.note("event", id="three", client="c", state="unknown", error="TimeoutError()")
    assert story.verdict() == {}


def test_an_event_that_no_client_sent_is_invented(story):
    story.event("three")
    story.record("three", 3)
    assert story.verdict() == {"invented": ["event three is stored at 5, and no client sent it"]}


@pytest.mark.parametrize(("later_s", "kind"), [(9.9, "doubled"), (10.0, None)])
def test_one_id_twice_within_the_window_is_doubled(story, later_s, kind):
    first = story.all("stored", id="one")[0]
    story.event("one", at=first["at"] + later_s)
    assert story.verdict() == ({kind: [f"{EVENTS} 1 and 5: message id one"]} if kind else {})
    assert story.declared() == ({} if kind else {LATER: 1})


def test_an_event_that_is_not_registered_is_lost(story):
    story.drop("audit", id="one")
    story.drop("stored", id="audit:hash-1")
    assert [text.partition(" of ")[0] for text in story.verdict()["lost"]] == ["event one"]


def test_an_event_that_came_when_the_registrar_was_not_asked_any_more_may_not_be_registered(story):
    story.note("event", id="three", client="c", state="sent")
    story.event("three")
    story.all("run")[0]["registered_to"] = 4
    assert story.verdict() == {}


def test_a_dead_letter_need_not_be_registered(story):
    story.drop("audit", id="one")
    story.drop("stored", id="audit:hash-1")
    event = story.all("stored", id="one")[0]
    origin = {"origin_subject": event["subject"], "origin_seq": event["seq"]}
    story.store(topics.QIKI_DLQ_V1, "qiki.dlq.v1.x", "letter", **origin)
    assert story.verdict() == {}


def test_an_event_with_two_records_is_doubled(story):
    story.record("one", 3)
    (text,) = story.verdict()["doubled"]
    assert text.endswith("is registered as 1 and 3")


def test_a_record_without_its_event_is_invented(story):
    story.record("three", 3)
    (text,) = story.verdict()["invented"]
    assert text.endswith("is registered, and not stored")


def test_damage_of_the_audit_log_is_found(story):
    story.note("damage", what="audit-000001.jsonl:7: record 7 was changed")
    assert story.verdict() == {"lost": ["audit log: audit-000001.jsonl:7: record 7 was changed"]}


def test_a_record_that_is_not_on_its_subject_is_lost(story):
    story.drop("stored", id="audit:hash-1")
    assert story.verdict() == {"lost": ["audit record 1 is in the files, and not on its subject"]}


def test_a_message_on_the_audit_subject_that_is_not_in_the_files_is_lost(story):
    story.drop("audit", id="two")
    assert "audit message 4 is on its subject, and not in the files" in story.verdict()["lost"]


@pytest.mark.parametrize("topic", FRAMES_BY_BAND.values(), ids=lambda topic: topic.subject)
def test_a_frame_that_is_measured_and_not_stored_is_lost(story, topic):
    story.drop("stored", subject=topic.subject, frame=1)
    assert f"{topic.subject}: frames 1 of 0 to 3 of run {RUN}" in story.verdict()["lost"]


def test_the_last_frame_that_the_simulator_measured_must_be_stored(story):
    story.note("measured", run=RUN, frame=4)
    assert story.verdict()["lost"] == [
        f"{topic.subject}: frames 4 of 0 to 4 of run {RUN}" for topic in FRAMES_BY_BAND.values()
    ]
    story.note("newest", frame_id="another")
    assert "frame another, the simulator's newest, is not stored" in story.verdict()["lost"]


def test_frames_of_which_a_gap_event_tells_are_declared(story):
    story.note("measured", run=RUN, frame=6)
    story.frame(RUN, 6)
    story.note("newest", frame_id=story.all("stored", frame=6)[0]["frame_id"])
    gap = {"gap": {"run": RUN, "first": 4, "last": 5}}
    story.note("event", id="gap", client="c", state="sent")
    story.event("gap", **gap)
    story.record("gap", 3)
    assert story.verdict() == {}
    assert story.declared() == {TOLD: 2}


def test_what_a_killed_simulator_had_measured_may_be_missing_at_the_end_of_its_run(story):
    story.note("measured", run=RUN, frame=4)
    story.note("life", service="q-sim-service", pid=2)
    story.run(NEXT)
    assert story.verdict() == {}
    assert story.declared() == {DIED: 1}


def test_what_a_killed_simulator_had_measured_may_not_be_missing_before(story):
    for topic in (*FRAMES_BY_BAND.values(), topics.TRACKS, topics.TRACKED, topics.ESTIMATES):
        story.drop("stored", subject=topic.subject, frame=1)
    story.note("life", service="q-sim-service", pid=2)
    assert story.verdict()["lost"] == [
        f"{topic.subject}: frames 1 of 0 to 3 of run {RUN}" for topic in FRAMES_BY_BAND.values()
    ]


def test_the_end_of_a_run_that_a_reset_ended_must_be_stored(story):
    story.note("measured", run=RUN, frame=4)
    story.run(NEXT)
    assert len(story.verdict()["lost"]) == len(FRAMES_BY_BAND)


def test_frames_that_changed_their_order_are_found(story):
    first, second = story.all("stored", subject=topics.FRAMES.subject)[:2]
    first["seq"], second["seq"] = second["seq"], first["seq"]
    assert story.verdict() == {"reordered": [f"frames of run {RUN}: 0 after 1"]}


def test_a_run_that_the_simulator_never_showed_is_invented(story):
    story.frame(NEXT, 0)
    assert story.verdict()["invented"] == [f"run {NEXT}: the simulator showed no such run"]


def test_a_frame_with_the_identity_of_another_is_invented(story):
    story.all("stored", subject=topics.FRAMES.subject, frame=1)[0]["frame_id"] = "other"
    assert story.verdict() == {"invented": [f"frame 1 of run {RUN} has another frame's id"]}


def test_a_frame_that_is_not_tracked_is_lost(story):
    story.drop("stored", subject=topics.TRACKED.subject, frame=1)
    assert story.verdict() == {"lost": [f"frame 1 of run {RUN} is stored at 5, and not tracked"]}


def test_a_frame_that_is_tracked_twice_is_doubled(story):
    story.store(TRACKER, topics.TRACKED.subject, "another", run=RUN, frame=3, tracks=1, parts=1)
    assert story.verdict() == {"doubled": [f"frame 3 of run {RUN} is tracked more than once"]}


@pytest.mark.parametrize(("topic", "name"), [(topics.TRACKS, "tracks"), (topics.ESTIMATES, "estimates")])
def test_tracks_and_estimates_are_as_many_as_the_notice_says(story, topic, name):
    more = story.all("stored", subject=topic.subject, frame=3)[0]
    story.store(more["stream"], topic.subject, OTHER, run=RUN, frame=3)
    assert story.verdict() == {"invented": [f"{name} of frame 3 of run {RUN}: 2, the notice says 1"]}
    story.drop("stored", subject=topic.subject, frame=3)
    assert story.verdict() == {"lost": [f"{name} of frame 3 of run {RUN}: 0, the notice says 1"]}


def test_estimates_beyond_the_streams_age_are_not_missed(story):
    story.drop("stored", subject=topics.ESTIMATES.subject, frame=0)
    assert story.verdict() == {}
    story.all("stored", subject=topics.TRACKED.subject, frame=0)[0]["at"] += 2 * LATE_S
    assert story.verdict()["lost"] == [f"estimates of frame 0 of run {RUN}: 0, the notice says 1"]


@pytest.mark.parametrize(("topic", "what"), [(topics.TRACKS, "has tracks"), (topics.TRACKED, "is tracked")])
def test_what_belongs_to_no_stored_frame_is_invented(story, topic, what):
    story.store(str(topic.stream), topic.subject, OTHER, run=RUN, frame=9, tracks=0, parts=0)
    assert story.verdict() == {"invented": [f"frame 9 of run {RUN} {what}, and is not stored"]}


@pytest.mark.parametrize(("topic", "what"), [(topics.TRACKS, "tracks"), (topics.TRACKED, "notices")])
def test_tracks_and_notices_that_changed_their_order_are_found(story, topic, what):
    first, second = story.all("stored", subject=topic.subject)[:2]
    first["seq"], second["seq"] = second["seq"], first["seq"]
    assert story.verdict() == {"reordered": [f"{what} of run {RUN}: 0 after 1"]}


def test_a_command_with_two_answers_is_doubled(story):
    story.note("answer", id="c1", ok=True)
    assert story.verdict() == {"doubled": ["command c1 has 2 answers"]}


def test_an_answer_without_its_command_is_invented(story):
    story.note("answer", id="c9", ok=True)
    assert story.verdict() == {"invented": ["an answer to c9, which nobody sent"]}


def unanswered(story):
    story.note("command", id="c2", name="sim.pause", state="sent")
    story.note("command", id="c2", name="sim.pause", state="unknown", error="TimeoutError()")


def test_a_command_without_an_answer_is_lost_where_no_fault_lasted(story):
    story.note("fault", number=1, kind="kill", state="begun")
    story.note("ready")
    unanswered(story)
    assert story.verdict() == {"lost": ["command c2 (sim.pause) has no answer"]}


def test_a_command_without_an_answer_is_declared_during_a_fault(story):
    story.note("fault", number=1, kind="kill", state="begun")
    unanswered(story)
    story.note("ready")
    assert story.verdict() == {}
    assert story.declared() == {UNANSWERED: 1}


@pytest.mark.parametrize("op", ["read", "followed"])
def test_what_was_read_and_is_not_there_any_more_is_lost(story, op):
    story.note(op, stream=EVENTS, seq=99, id="seen")
    story.note(op, stream=RADAR, seq=99, id="seen")
    assert story.verdict()["lost"] == [
        f"{EVENTS} 99: seen was {op}; there is now None",
        f"{RADAR} 99: message id seen was {op}, and is not there",
    ]


def test_what_was_read_of_a_stream_that_writes_later_may_have_another_place(story):
    story.note("read", stream=RADAR, seq=99, id=f"{RUN}:2")
    assert story.verdict() == {}


def test_what_did_not_come_back_is_stuck(story):
    story.note("late", what="after fault 3 (kill): waited 60 s")
    assert story.verdict() == {"stuck": ["after fault 3 (kill): waited 60 s"]}
