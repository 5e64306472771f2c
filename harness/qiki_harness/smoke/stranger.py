"""A stranger that comes from 120 m to 50 m, stays, and goes, as another radar than the simulator's sees it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from math import sqrt
from typing import Any
from uuid import uuid4, uuid5

from qiki.clock import rfc3339
from qiki.contracts import topics
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.headers import FRAME_TYPES, RANGE_BAND, cloud_event
from qiki.contracts.radar import RadarDetection, RadarFrame
from qiki.runtime.clock import now
from qiki_harness.twin import Twin

FAR_M, CLOSE_M = 120.0, 50.0
BRAKING_MPS2 = 7.0
PERIOD_S = 0.1
EMPTY_FRAMES = 10
SOURCE = "urn:qiki:smoke:radar"
_BAND = RadarRangeBand.RR_UNSPECIFIED
_PLOT: dict[str, Any] = {"bearing_deg": 45.0, "elev_deg": 10.0, "snr_db": 30.0, "rcs_dbsm": 0.0}
_PLOT |= {"range_band": RadarRangeBand.RR_SR, "id_present": False}
_STEPS = int(sqrt(2 * (FAR_M - CLOSE_M) / BRAKING_MPS2) / PERIOD_S)
_HEAD_START = timedelta(seconds=30)
"""Its time begins in the past, so that what is sent at once is not of the future."""

Sighting = tuple[float, float] | None
"""Range [m] and range rate [m/s]; None where nothing is seen."""
STAY: Sighting = (CLOSE_M, 0.0)


def approach() -> Iterator[tuple[float, float]]:
    """Yield its way in: it brakes, and stands at the close end."""
    for step in range(_STEPS, -1, -1):
        left_s = step * PERIOD_S
        yield CLOSE_M + BRAKING_MPS2 * left_s**2 / 2, -BRAKING_MPS2 * left_s


def departure() -> Iterator[Sighting]:
    """Yield its way out, the way in reversed; then nothing, until no tracker believes in it."""
    yield from ((range_m, -vr_mps) for range_m, vr_mps in reversed(list(approach())))
    yield from [None] * EMPTY_FRAMES


@contextmanager
def close_by(twin: Twin) -> Iterator[str]:
    """Let a stranger come close, stay as long as the context lasts, and go, whatever happens.

    Yields:
        The other radar's sensor, which is its run; its frames have no run and number of the simulator's.
    """
    sensor_id, begin, numbers = uuid4(), now() - _HEAD_START, count()
    leaving = threading.Event()

    def send(sighting: Sighting) -> None:
        number = next(numbers)
        frame = RadarFrame(
            frame_id=uuid5(sensor_id, str(number)),
            sensor_id=sensor_id,
            timestamp=begin + timedelta(seconds=PERIOD_S * number),
            detections=() if sighting is None else (RadarDetection(range_m=sighting[0], vr_mps=sighting[1], **_PLOT),),
        )
        event = cloud_event(str(frame.frame_id), FRAME_TYPES[_BAND], SOURCE, rfc3339(frame.timestamp))
        twin.store(topics.FRAMES.subject, frame.to_json(), event | {RANGE_BAND: _BAND.name})

    def stay() -> None:
        while not leaving.wait(PERIOD_S):
            send(STAY)

    try:
        for sighting in approach():
            twin.check_interrupted()
            send(sighting)
        with ThreadPoolExecutor(1) as pool:
            staying = pool.submit(stay)
            try:
                yield str(sensor_id)
            finally:
                leaving.set()
            staying.result()
    finally:
        for one in departure():
            send(one)
