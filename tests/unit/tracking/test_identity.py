"""Identity as evidence: sides, silence, long range, spoofers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qiki.contracts.enums import FriendFoe, RadarRangeBand, RadarTrackStatus, TransponderMode
from qiki.tracking import Tracker, TrackerParameters, TrackReports
from qiki.tracking.identity import NameBook, mark_spoofers, weigh
from qiki.tracking.tracks import NOBODY, TRACK, Estimate

IDENTITIES = {"F-1": FriendFoe.FRIEND, "E-1": FriendFoe.FOE}
FRIEND, FOE, UNKNOWN = FriendFoe.FRIEND, FriendFoe.FOE, FriendFoe.UNKNOWN
OFF, ON, SPOOF = TransponderMode.OFF, TransponderMode.ON, TransponderMode.SPOOF
HERE, THERE = [0.0, 1_000.0, 0.0], [900.0, 1_200.0, 0.0]


@pytest.fixture
def seen(radar: Any, world: Any, make_tracker: Callable[..., Tracker], follow: Callable[..., list[TrackReports]]):
    """Reports of contacts at rest that claim what a script by frame says."""
    radar.detection_probability = 1.0

    def watch(
        places: Any, script: Callable[[int], list[str | None]], frames: int, rate_hz: float = 10, **parameters: Any
    ):
        places = np.array(places)

        def at(t_s: float):
            claims = script(round(t_s * rate_hz))
            return world(places, np.zeros_like(places), claims=claims)

        return follow(make_tracker(IDENTITIES, **parameters), radar, at, frames, dt_s=1 / rate_hz)

    return watch


def by_place(reports: TrackReports, place: list[float]):
    """Row of the track nearest to a place."""
    return int(np.argmin(np.linalg.norm(reports.position - np.array(place), axis=1)))


@pytest.mark.parametrize(("claim", "side"), [("F-1", FRIEND), ("E-1", FOE), ("X-9", UNKNOWN), (None, UNKNOWN)])
def test_a_claim_is_believed_after_it_was_repeated(seen: Callable[..., Any], claim: str | None, side: FriendFoe):
    history = seen([HERE], lambda _: [claim], 5)
    assert history[0].iff.tolist() == [UNKNOWN]
    assert [reports.iff[0] for reports in history[1:]] == [side] * 4
    assert [reports.transponder_id[0] for reports in history] == [claim] * 5
    assert history[-1].transponder_on[0] == (claim is not None)
    assert history[-1].transponder_mode[0] == (ON if claim else OFF)


def test_a_silent_foe_is_remembered(seen: Callable[..., Any]):
    last = seen([HERE], lambda frame: ["E-1" if frame < 10 else None], 30)[-1]
    assert last.iff.tolist() == [FOE]
    assert (last.transponder_on[0], last.transponder_mode[0], last.transponder_id[0]) == (False, OFF, None)


def test_one_slip_of_a_reply_changes_nothing(seen: Callable[..., Any]):
    last = seen([HERE], lambda frame: ["E-1" if frame == 10 else "F-1"], 30)[-1]
    assert (last.iff[0], last.transponder_mode[0]) == (FRIEND, ON)


@pytest.mark.parametrize("rate_hz", [1, 2, 10, 20])
def test_a_contact_that_changes_its_identity_is_a_spoofer_after_seconds_at_any_rate(
    seen: Callable[..., Any], rate_hz: int
):
    change = 4 * rate_hz
    history = seen([HERE], lambda frame: ["E-1" if frame < change else "F-1"], 3 * change, rate_hz=rate_hz)
    assert (history[change - 1].iff[0], history[change - 1].transponder_mode[0]) == (FOE, ON)
    assert all(reports.iff[0] != FRIEND for reports in history)
    found = [frame for frame, reports in enumerate(history) if reports.transponder_mode[0] == SPOOF]
    assert found == list(range(change + 3 * rate_hz - 1, 3 * change))
    last = history[-1]
    assert (last.iff[0], last.transponder_mode[0], last.transponder_id[0]) == (UNKNOWN, SPOOF, "F-1")


def test_slips_of_replies_now_and_then_are_no_proof(seen: Callable[..., Any]):
    history = seen([HERE], lambda frame: ["E-1" if frame % 5 > 2 else "F-1"], 200)
    assert {int(reports.transponder_mode[0]) for reports in history} == {ON}


def test_a_reply_after_a_long_gap_is_no_proof(seen: Callable[..., Any]):
    history = seen([HERE], lambda frame: ["F-1" if frame < 3 else "E-1"], 6, rate_hz=0.2)
    modes = [reports.transponder_mode[by_place(reports, HERE)] for reports in history]
    assert modes == [ON, ON, ON, ON, ON, SPOOF]


@pytest.mark.parametrize(("true", "false"), [(HERE, THERE), (THERE, HERE)])
def test_a_contact_that_claims_a_held_identity_elsewhere_is_a_spoofer(
    seen: Callable[..., Any], true: list[float], false: list[float]
):
    places = [HERE, THERE]
    holder = places.index(true)

    def script(frame: int):
        claims = [None, None]
        claims[holder] = "F-1"
        claims[1 - holder] = "F-1" if frame >= 15 else None
        return claims

    history = seen(places, script, 60)
    last = history[-1]
    assert last.transponder_mode[by_place(last, false)] == SPOOF
    assert last.iff[by_place(last, false)] == UNKNOWN
    assert last.transponder_mode[by_place(last, true)] == ON
    assert all(reports.iff[by_place(reports, true)] == FRIEND for reports in history[2:])
    assert all(reports.iff[by_place(reports, false)] == UNKNOWN for reports in history)


def test_a_silent_holder_still_owns_his_identity(seen: Callable[..., Any]):
    def script(frame: int):
        return ["F-1" if frame < 10 else None, "F-1" if frame >= 20 else None]

    last = seen([HERE, THERE], script, 60)[-1]
    assert last.transponder_mode[by_place(last, THERE)] == SPOOF
    assert (last.iff[by_place(last, HERE)], last.transponder_mode[by_place(last, HERE)]) == (FRIEND, OFF)


def test_names_go_back_to_their_contacts_after_a_mix_up(seen: Callable[..., Any]):
    """From frame 10 on each place answers with the other's identity, as if the tracks had changed contacts."""
    near = [40.0, 1_000.0, 0.0]
    history = seen([HERE, near], lambda frame: ["F-1", "E-1"] if frame < 10 else ["E-1", "F-1"], 30)
    before, last = history[9], history[-1]
    assert last.track_id[by_place(last, near)] == before.track_id[by_place(before, HERE)]
    assert last.iff[by_place(last, near)] == FRIEND
    assert last.iff[by_place(last, HERE)] == FOE
    assert last.transponder_mode.tolist() == [ON, ON]


NEAR = [40.0, 1_000.0, 0.0]


@pytest.mark.parametrize("rate_hz", [1, 10, 20])
@pytest.mark.parametrize("other", [None, "E-1"])
def test_one_sides_replies_bring_a_silent_neighbours_track_back(
    seen: Callable[..., Any], other: str | None, rate_hz: int
):
    """From the fourth second on, as if the tracks had changed contacts, and one of them had fallen silent."""
    change = 4 * rate_hz
    history = seen(
        [HERE, NEAR],
        lambda frame: ["F-1", other] if frame < change else [None, "F-1"],
        5 * change,
        rate_hz=rate_hz,
    )
    before, last = history[change - 1], history[-1]
    assert all(SPOOF not in reports.transponder_mode for reports in history)
    assert last.track_id[by_place(last, NEAR)] == before.track_id[by_place(before, HERE)]
    assert last.iff[by_place(last, NEAR)] == FRIEND
    assert last.iff[by_place(last, HERE)] == IDENTITIES.get(other, UNKNOWN)


def test_who_claims_a_neighbours_identity_while_that_answers_is_a_spoofer(seen: Callable[..., Any]):
    history = seen([HERE, NEAR], lambda frame: ["F-1", "E-1" if frame < 20 else "F-1"], 70)
    last = history[-1]
    assert (last.iff[by_place(last, HERE)], last.transponder_mode[by_place(last, HERE)]) == (FRIEND, ON)
    assert (last.iff[by_place(last, NEAR)], last.transponder_mode[by_place(last, NEAR)]) == (UNKNOWN, SPOOF)
    assert all(reports.iff[by_place(reports, NEAR)] != FRIEND for reports in history)


def test_a_neighbours_stray_reply_gives_nobody_its_identity(seen: Callable[..., Any]):
    def script(frame: int):
        return [None, "F-1"] if frame in (20, 21, 22) else ["F-1", None]

    history = seen([HERE, NEAR], script, 60)
    assert all(reports.iff[by_place(reports, NEAR)] == UNKNOWN for reports in history)
    assert history[-1].iff[by_place(history[-1], HERE)] == FRIEND


def test_distant_contacts_that_swap_identities_are_spoofers(seen: Callable[..., Any]):
    last = seen([HERE, THERE], lambda frame: ["F-1", "E-1"] if frame < 10 else ["E-1", "F-1"], 50)[-1]
    assert last.transponder_mode.tolist() == [SPOOF, SPOOF]


def test_two_first_claims_at_once_are_both_spoofers(seen: Callable[..., Any]):
    last = seen([HERE, THERE], lambda _: ["F-1", "F-1"], 40)[-1]
    assert last.transponder_mode.tolist() == [SPOOF, SPOOF]
    assert last.iff.tolist() == [UNKNOWN, UNKNOWN]


def test_different_identities_do_not_contradict(seen: Callable[..., Any]):
    last = seen([HERE, THERE], lambda _: ["F-1", "E-1"], 20)[-1]
    assert last.transponder_mode.tolist() == [ON, ON]
    assert sorted(last.iff.tolist()) == [FRIEND, FOE]


@pytest.mark.parametrize(("apart_m", "spoof"), [(49.9, False), (50.1, True)])
def test_two_places_are_distinguished_by_their_covariances(apart_m: float, spoof: bool):
    tracks, parameters = np.zeros(2, dtype=TRACK), TrackerParameters(spoof_threshold=25.0)
    tracks["hit"], tracks["claims"] = True, [5, 0]
    tracks["identity"], tracks["identity_since_us"] = [0, NOBODY], [0, 5_000_000]
    tracks["doubt_us"] = tracks["answered_us"] = [0, 2_900_000]
    mean = np.zeros((2, 6))
    mean[1, 0] = apart_m
    # Variances of 50 m² each make 10 m of standard deviation between them: five sigma, squared 25, are 50 m.
    estimate = Estimate(mean, np.stack([np.eye(6) * 50.0] * 2))
    mark_spoofers(tracks, weigh(tracks, np.array([1]), estimate, 100_000, parameters), parameters)
    assert tracks["spoof"].tolist() == [False, spoof]


def test_two_that_stay_at_one_place_are_no_proof(seen: Callable[..., Any]):
    """Two plots five metres apart answer alike: their tracks cannot be told apart."""
    history = seen([HERE, [5.0, 1_000.0, 0.0]], lambda _: ["F-1", "F-1"], 60)
    assert SPOOF not in {int(mode) for reports in history for mode in reports.transponder_mode}


def test_a_spoofer_stays_found_when_he_falls_silent(seen: Callable[..., Any]):
    last = seen([HERE], lambda frame: ["E-1", "F-1", None][(frame >= 10) + (frame >= 45)], 60)[-1]
    assert (last.iff[0], last.transponder_mode[0], last.transponder_on[0]) == (UNKNOWN, SPOOF, False)


def test_long_range_carries_no_identity_and_short_range_brings_it_back(
    radar: Any, world: Any, make_tracker: Callable[..., Tracker], follow: Callable[..., list[TrackReports]]
):
    radar.detection_probability = 1.0

    def there_and_back(t_s: float):
        north, speed = 4_900 + 80 * t_s - 8 * t_s**2, 80 - 16 * t_s
        return world(np.array([[0.0, north, 0.0]]), np.array([[0.0, speed, 0.0]]), claims=["E-1"])

    history = follow(make_tracker(IDENTITIES), radar, there_and_back, 110)
    far = [reports for reports in history if reports.range_m[0] > 5_000]
    assert len(far) > 40
    for reports in far:
        assert reports.range_band.tolist() == [RadarRangeBand.RR_LR]
        assert (reports.transponder_on[0], reports.transponder_mode[0], reports.transponder_id[0]) == (False, OFF, None)
    last = history[-1]
    assert last.track_id == history[0].track_id
    assert last.range_band.tolist() == [RadarRangeBand.RR_SR]
    assert (last.iff[0], last.transponder_id[0]) == (FOE, "E-1")


def test_a_name_book_drops_unused_names():
    book = NameBook()
    assert book.indices(["a", None, "b", "c", "a"]).tolist() == [0, NOBODY, 1, 2, 0]
    tracks = np.zeros(2, dtype=TRACK)
    tracks["identity"], tracks["reply"] = [2, NOBODY], [0, NOBODY]
    smaller = book.without_unused(tracks)
    assert smaller.names == ["a", "c"]
    assert [smaller.names[index] for index in tracks["identity"][:1]] == ["c"]
    assert [smaller.names[index] for index in tracks["reply"][:1]] == ["a"]
    assert tracks["identity"][1] == tracks["reply"][1] == NOBODY


def test_names_stay_bounded_when_a_jammer_invents_them(seen: Callable[..., Any]):
    history = seen([HERE], lambda frame: [f"N-{frame}"], 60, max_tracks=4)
    assert history[-1].transponder_id == ["N-59"]
    assert history[-1].status.tolist() == [RadarTrackStatus.TRACKED]
