"""A running stack as an onlooker sees it: what belongs together is there together."""

from uuid import UUID

from generated.q_sim_api_pb2 import GetRadarFrameRequest, HealthCheckRequest
from qiki.contracts.enums import RadarRangeBand
from qiki_harness.twin.where import one_of


def test_frames_come_on_all_three_subjects(twin):
    number = twin.await_frame(after=twin.now()).frame

    for band in RadarRangeBand:
        record = twin.await_frame(band=band, frame=number)
        assert record.headers["x-range-band"] == band.name
        assert {plot.range_band for plot in record.data.detections} <= ({band} if band else set(RadarRangeBand))


def test_every_track_belongs_to_a_stored_frame(twin):
    tracked = twin.await_tracked_frame(after=twin.now(), tracks=one_of(*range(1, 4000)))
    number, run = tracked.frame, tracked.run

    frame = twin.await_frame(run=run, frame=number)
    assert tracked.data.frame_id == frame.data.frame_id
    twin.await_until("all its tracks have come", lambda: len(twin.tracks(run=run, frame=number)) >= tracked.data.tracks)
    tracks = twin.tracks(run=run, frame=number)
    assert len(tracks) == tracked.data.tracks
    assert {record.data.timestamp for record in tracks} == {frame.data.timestamp}


def test_the_frame_that_the_simulator_shows_is_the_one_that_is_published(twin):
    assert twin.sim.HealthCheck(HealthCheckRequest(), timeout=10).status == "OK"
    twin.await_frame()
    shown = twin.sim.GetRadarFrame(GetRadarFrameRequest(), timeout=10).frame

    stored = twin.await_frame(frame_id=UUID(shown.frame_id.value)).data

    assert [plot.range_m for plot in stored.detections] == [plot.range_m for plot in shown.detections]


def test_truth_is_told_for_every_frame(twin):
    truth = twin.await_truth(after=twin.now()).data

    frame = twin.await_frame(run=truth.run_id, frame=truth.frame)

    assert frame.data.timestamp == truth.timestamp
