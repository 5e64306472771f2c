"""The chain from a command back to the plots is that of the messages themselves."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qiki.contracts import topics
from qiki.contracts.enums import RadarTrackStatus
from qiki.contracts.events import (
    ACTUATOR_OK,
    GUARD_CLEARED,
    IDENTITY_SPOOFED,
    PROPOSAL_ACCEPTED,
    SAFE_MODE_ENTERED,
    Decision,
    SystemMode,
)
from qiki.contracts.headers import FRAME, MESSAGE_ID, Message
from qiki.contracts.radar import GuardAlert, RadarFrame, RadarTrack
from qiki.geometry import unit_vectors
from qiki_harness.errors import RecordingError
from qiki_harness.recording.check import summarise
from qiki_harness.recording.layout import Recorded
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.runs import chosen_run
from qiki_harness.recording.why.archive import Archive
from qiki_harness.recording.why.chain import Chain, chain_of, track_chain
from qiki_harness.recording.why.element import Element
from qiki_harness.recording.writer import RecordingWriter

DECISION, MODE = PROPOSAL_ACCEPTED.subject, SAFE_MODE_ENTERED.subject


def opened(path: Path) -> Archive:
    recording = Recording(path)
    return Archive(recording, chosen_run(recording, summarise(recording)))


def messages(path: Path, subject: str) -> list[Recorded]:
    return list(Recording(path).messages({subject}))


def by_id(path: Path, subject: str) -> dict[str, Recorded]:
    return {one.message.headers[MESSAGE_ID]: one for one in messages(path, subject)}


def first_causes(element: Element) -> Iterator[Element]:
    yield element
    while element.causes:
        element = element.causes[0]
        yield element


def of_kind(root: Element, kind: str) -> list[Element]:
    return [one for one in root.walk() if one.kind == kind]


def safe_mode(path: Path) -> tuple[Archive, Chain]:
    """The chain of the command that sets safe mode."""
    archive = opened(path)
    order = next(one for one in archive.orders if b'"mode":4' in one.message.body)
    return archive, chain_of(archive, order)


@pytest.mark.parametrize("scenario", ["struck", "traffic"])
def test_safe_mode_leads_back_to_the_plot_of_the_stranger(scenario: str, request: pytest.FixtureRequest):
    path = request.getfixturevalue(scenario)
    _, chain = safe_mode(path)
    line = {one.kind: one for one in first_causes(chain.root)}
    assert list(line) == ["command", "decision", "proposal", "alert", "track", "frame", "plot"]
    assert chain.remarks == ()

    decision = Decision.from_json(by_id(path, DECISION)[line["decision"].message_id].message.body)
    assert decision.actions[0].command_id == line["command"].body["message_id"]
    assert decision.rests_on[0].subject == line["alert"].subject
    assert decision.rests_on[0].age_s == line["alert"].age_s
    assert line["proposal"].text.endswith(decision.justification)

    alert = GuardAlert.from_json(by_id(path, topics.GUARD.subject)[line["alert"].message_id].message.body)
    recorded = by_id(path, topics.TRACKS.subject)[line["track"].message_id].message
    track = RadarTrack.from_json(recorded.body)
    assert (track.track_id, track.range_m) == (alert.track_id, alert.range_m)
    assert line["track"].body == json.loads(recorded.body)
    frame = by_id(path, topics.FRAMES.subject)[line["frame"].message_id].message
    assert frame.headers[FRAME] == recorded.headers[FRAME] == line["frame"].text.partition(":")[0]
    assert not line["track"].computed
    assert line["plot"].computed
    assert_is_nearest(line["plot"].body, track, RadarFrame.from_json(frame.body))


def assert_is_nearest(plot: dict[str, Any], track: RadarTrack, frame: RadarFrame) -> None:
    """The plot is the frame's of its number, and of all plots the nearest to the track."""
    assert track.position is not None
    here = (track.position.x, track.position.y, track.position.z)
    found = frame.detections[plot["index"]]
    assert {**found.model_dump(mode="json"), "index": plot["index"]} == plot

    def off_m(place: int) -> float:
        one = frame.detections[place]
        sight = unit_vectors(math.radians(one.bearing_deg), math.radians(one.elev_deg))
        return math.dist(here, [float(one.range_m * part) for part in sight])

    assert min(range(len(frame.detections)), key=off_m) == plot["index"]


def test_the_change_of_mode_stands_beside_the_evidence_of_the_command(struck: Path):
    _, chain = safe_mode(struck)
    decision = chain.root.causes[0]
    assert [one.kind for one in decision.causes] == ["proposal", "mode"]
    mode = SystemMode.from_json(by_id(struck, MODE)[decision.causes[1].message_id].message.body)
    assert mode.mode == "SAFE_MODE"
    assert decision.causes[1].causes[0].message_id == decision.causes[0].causes[0].message_id
    lines = list(chain.root.lines())
    assert [line.strip().split()[0] for line in lines] == [
        "command", "decision", "proposal", "alert", "track", "frame", "plot", "mode", "alert",
    ]  # fmt: skip
    assert lines[-1].endswith(" (as above)")
    assert lines[0].endswith("[qiki.sim.v1.orders, 37.20 s]")


def test_every_burn_leads_to_the_track_that_its_engine_names(avoided: Path):
    archive, burns = opened(avoided), 0
    for one in archive.events:
        if one.message.subject != DECISION or archive.read(one, Decision).source != "avoidance":
            continue
        decision = archive.read(one, Decision)
        chain = chain_of(archive, one)
        proposal = chain.root.causes[0]
        assert [cause.subject for cause in proposal.causes] == [evidence.subject for evidence in decision.rests_on]
        track, estimates, telemetry = proposal.causes
        assert decision.justification.split()[1] == track.body["track_id"]
        assert track.t_s is not None
        assert decision.ts_epoch - track.age_s == pytest.approx(archive_time(archive, track.t_s))
        assert [of_kind(each, "frame")[0].message_id for each in (track, estimates)] == [
            track.message_id.rpartition(":")[0]
        ] * 2
        assert len(of_kind(track, "plot")) == 1
        assert telemetry.text.startswith("at (")
        burns += 1
    assert burns >= 3


def archive_time(archive: Archive, t_s: float) -> float:
    """Unix time of a simulated time."""
    return t_s - archive.since_epoch_s(0)


def test_a_track_has_its_plots_and_what_followed(struck: Path):
    archive = opened(struck)
    track = str(GuardAlert.from_json(messages(struck, topics.GUARD.subject)[0].message.body).track_id)
    span = archive.tracks[track]
    chain = track_chain(archive, track)
    mine = {key: one for key, one in by_id(struck, topics.TRACKS.subject).items() if key.endswith(track)}
    assert span.count == len(mine)
    hits = [key for key, one in mine.items() if json.loads(one.message.body)["miss_count"] == 0]
    assert [f"{one.message_id}:{track}" for one in chain.root.causes] == hits
    frames = by_id(struck, topics.FRAMES.subject)
    for one in chain.root.causes:
        (plot,) = one.causes
        seen = RadarTrack.from_json(mine[f"{one.message_id}:{track}"].message.body)
        if seen.range_m > 50:  # nearer, the noise of the angle is great
            assert abs(frames_plot(frames[one.message_id], plot).range_m - seen.range_m) < 15
    begun, ended = chain.root.effects
    assert (begun.subject, ended.subject) == (topics.GUARD.subject, GUARD_CLEARED.subject)
    assert [one.kind for one in begun.effects] == ["mode", "decision"]
    assert [one.kind for one in begun.effects[1].effects] == ["command"]
    lines = list(chain.root.lines())
    assert f"  … {len(hits) - 6} more (--json has them)" in lines
    assert sum(line.startswith("  frame") for line in lines) == 6


def frames_plot(frame: Recorded, plot: Element) -> Any:
    return RadarFrame.from_json(frame.message.body).detections[plot.body["index"]]


def test_a_track_that_was_missed_rests_on_its_newest_plot(struck: Path):
    archive = opened(struck)
    coasting = next(
        one
        for one in messages(struck, topics.TRACKS.subject)
        if RadarTrack.from_json(one.message.body).status is RadarTrackStatus.COASTING
    )
    missed = json.loads(coasting.message.body)["miss_count"]
    (frame,) = chain_of(archive, coasting).root.causes
    assert int(frame.text.partition(":")[0]) == int(coasting.message.headers[FRAME]) - missed
    assert frame.age_s == pytest.approx(0.1 * missed)
    assert [one.kind for one in frame.causes] == ["plot"]


def test_a_spoofer_and_an_answer_of_an_actuator_have_their_chains(traffic: Path):
    archive = opened(traffic)
    spoofer = next(one for one in archive.events if one.message.subject == IDENTITY_SPOOFED.subject)
    assert [one.kind for one in first_causes(chain_of(archive, spoofer).root)] == ["alert", "track", "frame", "plot"]
    answer = next(one for one in archive.events if one.message.subject == ACTUATOR_OK.subject)
    kinds = [one.kind for one in first_causes(chain_of(archive, answer).root)]
    assert kinds[:4] == ["actuator", "command", "decision", "proposal"]


def test_an_order_of_somebody_else_ends_the_chain(flown: Path):
    archive = opened(flown)
    root = chain_of(archive, archive.orders[0]).root
    assert (root.kind, root.causes) == ("command", ())
    assert root.text == "rcs.fire axis=port fraction=0.4 duration_s=1, by control, at tick 0"


def rewritten(source: Path, path: Path, change: Callable[[Message], Message | None]) -> Path:
    recording = Recording(source)
    with RecordingWriter(path, recording.about) as writer:
        for one in recording.messages():
            if message := change(one.message):
                writer.put(message, one.sequence, one.came_ns)
    return path


def test_where_the_run_cannot_be_flown_the_plots_are_not_known_and_it_says_so(struck: Path, tmp_path: Path):
    def no_description(message: Message) -> Message | None:
        return None if message.subject == topics.RUNS.subject else message

    _, chain = safe_mode(rewritten(struck, tmp_path / "a.mcap", no_description))
    assert [one.kind for one in first_causes(chain.root)][-2:] == ["track", "frame"]
    (remark,) = chain.remarks
    assert remark.startswith("which plots a track rests on is not known: ")
    assert "the description of run" in remark
    archive = opened(tmp_path / "a.mcap")
    life = track_chain(archive, next(iter(archive.tracks)))
    assert (life.root.causes, life.remarks) == ((), chain.remarks)
    assert life.root.text.endswith("; frames 0 to 429")


def test_a_track_that_is_not_flown_again_has_no_plots(struck: Path, tmp_path: Path):
    def louder(message: Message) -> Message:
        if message.subject != topics.TRACKS.subject:
            return message
        return replace(message, body=message.body.replace(b'"snr_db":', b'"snr_db":1', 1))

    _, chain = safe_mode(rewritten(struck, tmp_path / "a.mcap", louder))
    assert of_kind(chain.root, "plot") == []
    assert len(of_kind(chain.root, "frame")) == 2  # the alert stands twice
    (remark,) = chain.remarks
    assert remark.endswith("the run flown again has another one at frame 371 (qiki verify)")
    archive = opened(tmp_path / "a.mcap")
    life = track_chain(archive, max(archive.tracks, key=lambda track: archive.tracks[track].count))
    assert life.root.causes == ()
    assert life.remarks == ("plots are not known in 430 frames: the run flown again is not the same there",)


def test_messages_that_are_not_there_are_told(struck: Path, tmp_path: Path):
    def no_alerts(message: Message) -> Message | None:
        return None if message.subject == topics.GUARD.subject else message

    _, chain = safe_mode(rewritten(struck, tmp_path / "a.mcap", no_alerts))
    (alert, *_) = of_kind(chain.root, "guard alert")
    assert (alert.text, alert.subject) == ("is not in the recording", topics.GUARD.subject)

    def no_frames(message: Message) -> Message | None:
        return None if message.headers.get(FRAME) == "371" and "frames" in message.subject else message

    _, chain = safe_mode(rewritten(struck, tmp_path / "b.mcap", no_frames))
    assert of_kind(chain.root, "frame")[0].text == "371 is not in the recording"


def test_a_malformed_message_is_told_in_one_line(struck: Path, tmp_path: Path):
    def spoilt(message: Message) -> Message:
        return replace(message, body=b"{}") if message.subject == DECISION else message

    with pytest.raises(RecordingError, match=r"message \d+ \(qiki.events.v1.agent.decision\): \w+: Field required"):
        safe_mode(rewritten(struck, tmp_path / "a.mcap", spoilt))


def test_ages_of_a_live_agent_are_wall_time(struck: Path, tmp_path: Path):
    def live(message: Message) -> Message:
        return replace(message, body=message.body.replace(b'"conduct":"lockstep"', b'"conduct":"live"'))

    _, chain = safe_mode(rewritten(struck, tmp_path / "a.mcap", live))
    assert chain.remarks[0] == "the agent was live: how old its evidence was is wall time"
