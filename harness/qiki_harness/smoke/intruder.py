"""Another radar's frames: a stranger that comes from 120 m to 50 m, stays, and goes."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import sqrt
from uuid import UUID, uuid5

from qiki.clock import rfc3339
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import FRAME_TYPES, RANGE_BAND, cloud_event
from qiki.contracts.models import RadarDetection, RadarFrame

FAR_M, CLOSE_M = 120.0, 50.0
BRAKING_MPS2 = 7.0
PERIOD_S = 0.1
EMPTY_FRAMES = 10
SOURCE = "urn:qiki:smoke:radar"
_BAND = RadarRangeBand.RR_UNSPECIFIED

Sighting = tuple[float, float] | None
"""Range [m] and range rate [m/s]; None where nothing is seen."""


def approach() -> Iterator[Sighting]:
    """It brakes on its way in, and stands at the close end."""
    for step in range(_STEPS, -1, -1):
        left_s = step * PERIOD_S
        yield CLOSE_M + BRAKING_MPS2 * left_s**2 / 2, -BRAKING_MPS2 * left_s


def stay() -> Sighting:
    """It stands there."""
    return CLOSE_M, 0.0


def departure() -> Iterator[Sighting]:
    """The way out is the way in, reversed; then there is nothing, until no tracker believes in it."""
    for sighting in reversed(list(approach())):
        yield sighting and (sighting[0], -sighting[1])
    yield from [None] * EMPTY_FRAMES


_STEPS = int(sqrt(2 * (FAR_M - CLOSE_M) / BRAKING_MPS2) / PERIOD_S)


class Radar:
    """Makes the frames; it numbers nothing and knows no run.

    Args:
        sensor_id: its own, which is its run
        begin: time of its first frame
    """

    def __init__(self, sensor_id: UUID, begin: datetime) -> None:
        self.sensor_id = sensor_id
        self._begin = begin
        self._frames = 0

    def frame(self, sighting: Sighting) -> RadarFrame:
        """The next frame."""
        moment = self._begin + timedelta(seconds=PERIOD_S * self._frames)
        self._frames += 1
        return RadarFrame(
            frame_id=uuid5(self.sensor_id, str(self._frames)),
            sensor_id=self.sensor_id,
            timestamp=moment,
            detections=() if sighting is None else (_detection(*sighting),),
        )


def headers(frame: RadarFrame) -> dict[str, str]:
    """A frame's headers: those of any radar, and none of the simulator's runs."""
    event = cloud_event(str(frame.frame_id), FRAME_TYPES[_BAND], SOURCE, rfc3339(frame.timestamp))
    return event | {RANGE_BAND: _BAND.name}


def _detection(range_m: float, vr_mps: float) -> RadarDetection:
    return RadarDetection(
        range_m=range_m,
        bearing_deg=45.0,
        elev_deg=10.0,
        vr_mps=vr_mps,
        snr_db=30.0,
        rcs_dbsm=0.0,
        range_band=RadarRangeBand.RR_SR,
        id_present=False,
    )
