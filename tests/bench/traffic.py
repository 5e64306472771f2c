"""Radar frames with an exact number of detections, as q-sim-radar would publish them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

import numpy as np

from q_sim_radar.backlog import Measured
from qiki.contracts.enums import RadarRangeBand
from qiki.contracts.frame_messages import frame_messages
from qiki.contracts.headers import FrameOrigin, Message
from qiki.contracts.ids import RADAR_SENSOR_ID, run_frame_id
from qiki.contracts.radar import RadarDetection, RadarFrame
from qiki.geometry import spherical
from qiki.runtime.clock import now

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
PERIOD_S = 0.1
SNR_DB = 18.0
SIGMA_RANGE_M, SIGMA_ANGLE_DEG, SIGMA_DOPPLER_MPS = 1.25, 0.23, 0.09  # what the simulated radar has at that SNR

T = TypeVar("T")


async def paced(things: Iterable[T], rate_hz: float) -> AsyncIterator[T]:
    """Yield each when it is due by a schedule: one that took long delays none behind it."""
    loop = asyncio.get_running_loop()
    begin_s = loop.time()
    for number, one in enumerate(things):
        due = loop.create_future()
        loop.call_at(begin_s + number / rate_hz, due.set_result, None)
        await due
        yield one


def frames(detections: int, count: int, seed: int = 1) -> Iterator[Measured]:
    """Frames of one run: contacts on straight courses within short range, every one seen every time.

    Args:
        detections: in each frame
        count: frames, 0.1 s of event time apart
    """
    rng = np.random.default_rng(seed)
    run = uuid4()
    position = rng.uniform((-3000, -3000, -300), (3000, 3000, 300), (detections, 3))
    velocity = rng.uniform((-30, -30, -3), (30, 30, 3), (detections, 3))
    for number in range(count):
        yield _measured(run, number, position + velocity * number * PERIOD_S, velocity, rng)


def union(measured: Measured) -> Message:
    """The message on the subject that the bridge reads."""
    return frame_messages(measured.frame, measured.origin, measured.radar, now())[0]


def _measured(run: UUID, number: int, position: np.ndarray, velocity: np.ndarray, rng: np.random.Generator) -> Measured:
    range_m, bearing_rad, elevation_rad = spherical(position)
    noise = rng.standard_normal((4, len(position)))
    doppler = (position * velocity).sum(1) / range_m + SIGMA_DOPPLER_MPS * noise[3]
    columns = (
        range_m + SIGMA_RANGE_M * noise[0],
        (np.degrees(bearing_rad) + SIGMA_ANGLE_DEG * noise[1]) % 360,
        np.degrees(elevation_rad) + SIGMA_ANGLE_DEG * noise[2],
        doppler,
    )
    plots = tuple(
        RadarDetection(
            range_m=r, bearing_deg=b, elev_deg=e, vr_mps=v, snr_db=SNR_DB, rcs_dbsm=0.0, range_band=RadarRangeBand.RR_SR
        )
        for r, b, e, v in zip(*(column.tolist() for column in columns), strict=True)
    )
    frame = RadarFrame(
        frame_id=run_frame_id(run, number),
        sensor_id=RADAR_SENSOR_ID,
        timestamp=EPOCH + timedelta(seconds=number * PERIOD_S),
        detections=plots,
    )
    return Measured(frame, FrameOrigin(str(run), number, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)))
