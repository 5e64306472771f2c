"""The checks of a run find what is wrong, and nothing where nothing is."""

import pytest

from qiki.contracts.enums import RadarRangeBand, RadarTrackStatus
from qiki_harness.twin.checks import check_estimates, check_frames, check_tracks


def good_run(fill, make_plot, frames=3):
    for number in range(frames):
        fill.frames(number, (make_plot(100.0), make_plot(6000.0)))
        fill.track(number, counter=1)
        fill.track(number, counter=2)
        fill.tracked(number, tracks=2)


def test_nothing_is_wrong_with_a_good_run(watcher, fill, make_plot, run_id):
    good_run(fill, make_plot)

    check_frames(watcher, run_id, 2)
    check_tracks(watcher, run_id, 2)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((0, 2), r"missing \[1\], doubled \[\], out of order \[\]"),
        ((0, 1, 1, 2), r"missing \[\], doubled \[1\], out of order \[\]"),
        ((1, 0, 2), r"missing \[\], doubled \[\], out of order \[0\]"),
        ((0, 1), r"missing \[2\], doubled \[\], out of order \[\]"),
        ((0, 1, 2, 4, 4, 3), r"missing \[\], doubled \[4\], out of order \[3\], beyond \[4, 4, 3\]"),
    ],
)
def test_irregular_frames_are_named(watcher, fill, run_id, numbers, words):
    for number in numbers:
        fill.frames(number, ())

    with pytest.raises(AssertionError, match=words):
        check_frames(watcher, run_id, 2)


def test_a_part_of_a_run_is_checked_by_itself(watcher, fill, make_plot, run_id):
    for number in (0, 2, 3, 4, 6):
        fill.frames(number, (make_plot(100.0), make_plot(6000.0)))
        fill.track(number)
        fill.tracked(number, tracks=1)

    check_frames(watcher, run_id, 4, first=2)
    check_tracks(watcher, run_id, 4, first=2)
    with pytest.raises(AssertionError, match=r"are not 2 to 6, each once and in order: missing \[5\]"):
        check_frames(watcher, run_id, 6, first=2)


def test_what_is_beyond_a_whole_run_is_found(watcher, fill, make_plot, run_id):
    good_run(fill, make_plot)
    fill.track(3, counter=1)
    with pytest.raises(AssertionError, match="not those that the tracked frames say"):
        check_tracks(watcher, run_id, 2)
    fill.tracked(3, tracks=1)
    with pytest.raises(AssertionError, match=r"tracked frames .* beyond \[3\]"):
        check_tracks(watcher, run_id, 2)
    check_tracks(watcher, run_id, 2, first=0)


def test_where_the_short_range_ends_may_be_unknown(watcher, fill, make_plot, run_id):
    odd = make_plot(6000.0, range_band=RadarRangeBand.RR_SR)
    fill.frame(0, (odd,))
    fill.frame(0, (), RadarRangeBand.RR_LR)
    fill.frame(0, (odd,), RadarRangeBand.RR_SR)

    check_frames(watcher, run_id, 0, threshold_m=None)
    with pytest.raises(AssertionError, match="bands"):
        check_frames(watcher, run_id, 0)


@pytest.mark.parametrize(
    ("plots", "far", "near", "what"),
    [
        ((100.0,), (), (), "detections"),
        ((6000.0,), (), (), "detections"),
        ((), (6000.0,), (), "detections"),
        ((), (), (100.0,), "detections"),
    ],
)
def test_bands_that_are_not_parts_of_their_frame_are_found(watcher, fill, make_plot, run_id, plots, far, near, what):
    fill.frame(0, tuple(map(make_plot, plots)))
    fill.frame(0, tuple(map(make_plot, far)), RadarRangeBand.RR_LR)
    fill.frame(0, tuple(map(make_plot, near)), RadarRangeBand.RR_SR)

    with pytest.raises(AssertionError, match=what):
        check_frames(watcher, run_id, 0, threshold_m=None)


def test_a_band_that_lacks_a_frame_is_named(watcher, fill, run_id):
    fill.frame(0)
    fill.frame(0, band=RadarRangeBand.RR_LR)

    with pytest.raises(AssertionError, match=r"RR_SR frames .* missing \[0\]"):
        check_frames(watcher, run_id, 0)


def test_a_detection_on_the_wrong_subject_is_found(watcher, fill, make_plot, run_id):
    near = make_plot(100.0)
    fill.frame(0, (near,))
    fill.frame(0, (near,), RadarRangeBand.RR_LR)
    fill.frame(0, (), RadarRangeBand.RR_SR)

    with pytest.raises(AssertionError):
        check_frames(watcher, run_id, 0)


def test_a_track_too_many_is_found(watcher, fill, make_plot, run_id):
    good_run(fill, make_plot)
    fill.track(1, counter=3)

    with pytest.raises(AssertionError, match="not those that the tracked frames say"):
        check_tracks(watcher, run_id, 2)


def test_a_track_stored_twice_is_found(watcher, fill, make_plot, run_id):
    good_run(fill, make_plot)
    fill.track(1, counter=1)

    with pytest.raises(AssertionError, match="stored more than once"):
        check_tracks(watcher, run_id, 2)


def test_a_frame_that_was_never_tracked_is_found(watcher, fill, make_plot, run_id):
    good_run(fill, make_plot)

    with pytest.raises(AssertionError, match=r"tracked frames .* missing \[3\]"):
        check_tracks(watcher, run_id, 3)


def estimated_run(fill):
    for number in range(3):
        fill.track(number, counter=1)
        fill.track(number, counter=2)
        fill.track(number, counter=3, status=RadarTrackStatus.LOST)
        fill.estimates(number, 1, part=1, parts=2)
        fill.estimates(number, 2, part=2, parts=2)
        fill.tracked(number, tracks=3, parts=2)


def test_nothing_is_wrong_with_good_estimates(watcher, fill, run_id):
    estimated_run(fill)

    check_estimates(watcher, run_id, 2)


def test_estimates_that_nobody_publishes_are_not_missed(watcher, fill, make_plot, run_id):
    good_run(fill, make_plot)

    check_estimates(watcher, run_id, 2)


@pytest.mark.parametrize(
    ("part", "counters", "words"),
    [
        (2, (2,), "stored more than once"),
        (3, (), "not those that the tracked frames say"),
    ],
)
def test_a_part_too_many_is_found(watcher, fill, run_id, part, counters, words):
    estimated_run(fill)
    fill.estimates(1, *counters, part=part, parts=2)

    with pytest.raises(AssertionError, match=words):
        check_estimates(watcher, run_id, 2)


def test_estimates_of_other_tracks_are_found(watcher, fill, run_id):
    fill.track(0, counter=1)
    fill.estimates(0, 4)
    fill.tracked(0, tracks=1, parts=1)

    with pytest.raises(AssertionError, match="not those of the live tracks"):
        check_estimates(watcher, run_id, 0)
