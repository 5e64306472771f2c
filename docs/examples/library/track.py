"""Track plots of your own: a contact that closes from the north at 20 m/s."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from qiki.contracts.radar import RadarDetection, RadarFrame
from qiki.tracking import Tracker, TrackerParameters, scan_from_frame

tracker = Tracker(uuid4(), TrackerParameters(), {})
for n in range(20):
    time = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=0.1 * n)
    plot = RadarDetection(range_m=900 - 2 * n, bearing_deg=0, elev_deg=0, vr_mps=-20, snr_db=20, rcs_dbsm=0)
    frame = RadarFrame(frame_id=uuid4(), sensor_id=uuid4(), timestamp=time, detections=(plot,))
    reports = tracker.step(scan_from_frame(frame))
print(reports.track_id, reports.position.round(1), reports.velocity.round(1))
