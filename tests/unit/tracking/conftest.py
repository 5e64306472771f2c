"""A small radar and small worlds of its own, so that the tracker is tested apart from the simulator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import pi
from uuid import UUID

import numpy as np
import pytest

from qiki.arrays import Array
from qiki.contracts.enums import FriendFoe, TransponderMode
from qiki.geometry import unit_vectors
from qiki.tracking import Scan, Tracker, TrackerParameters, TrackReports
from qiki.tracking.measurement import measured

RUN_ID = UUID("6f1c3d1e-0000-4000-8000-000000000001")
START_US = 1_790_000_000_000_000


@dataclass
class World:
    """Contacts and the bot at one time; world axes."""

    position: Array
    velocity: Array
    own_position: Array = field(default_factory=lambda: np.zeros(3))
    own_velocity: Array = field(default_factory=lambda: np.zeros(3))
    claims: Sequence[str | None] | None = None


@dataclass
class SmallRadar:
    """Measures a world: errors by the parameters' law, Swerling I strength over a threshold, uniform false alarms."""

    rng: np.random.Generator
    detection_probability: float = 0.95
    false_alarms: float = 0.0
    mean_snr_db: float = 20.0
    threshold_db: float = 13.0
    parameters: TrackerParameters = field(default_factory=TrackerParameters)

    def look(self, t_s: float, world: World) -> Scan:
        seen = np.flatnonzero(self.rng.random(len(world.position)) < self.detection_probability)
        relative = world.position[seen] - world.own_position
        range_m = np.linalg.norm(relative, axis=1)
        sight = relative / range_m[:, None]
        doppler = (sight * (world.velocity[seen] - world.own_velocity)).sum(1)
        snr_db = 10 * np.log10(10 ** (self.threshold_db / 10) + self._power(len(seen)))
        noise = measured(range_m, sight, doppler, snr_db, self.parameters)
        across = self.rng.standard_normal(sight.shape) * noise.sigma_angle_rad[:, None]
        across -= (across * sight).sum(1)[:, None] * sight
        turned = sight + across
        claims = [None if world.claims is None else world.claims[index] for index in seen]
        return self._scan(
            t_s,
            world,
            np.abs(range_m + self.rng.standard_normal(len(seen)) * noise.sigma_range_m),
            turned / np.linalg.norm(turned, axis=1)[:, None],
            doppler + self.rng.standard_normal(len(seen)) * noise.sigma_doppler_mps,
            snr_db,
            claims,
        )

    def _power(self, count: int) -> Array:
        return self.rng.exponential(10 ** (self.mean_snr_db / 10), count)

    def _scan(
        self,
        t_s: float,
        world: World,
        range_m: Array,
        sight: Array,
        doppler: Array,
        snr_db: Array,
        claims: list[str | None],
    ) -> Scan:
        alarms = int(self.rng.poisson(self.false_alarms))
        span, far = self.parameters.doppler_span_mps / 2, self.parameters.max_range_m
        false_sight = unit_vectors(self.rng.uniform(0, 2 * pi, alarms), np.arcsin(self.rng.uniform(-1, 1, alarms)))
        range_m = np.concatenate((range_m, self.rng.uniform(20, far, alarms)))
        short = range_m <= self.parameters.short_range_m
        read = [claim if near else None for claim, near in zip([*claims, *[None] * alarms], short, strict=True)]
        on = np.array([claim is not None for claim in read], dtype=bool)
        return Scan(
            t_us=START_US + round(t_s * 1e6),
            own_position=world.own_position,
            own_velocity=world.own_velocity,
            range_m=range_m,
            line_of_sight=np.concatenate((sight, false_sight)),
            doppler_mps=np.concatenate((doppler, self.rng.uniform(-span, span, alarms))),
            snr_db=np.concatenate((snr_db, self.threshold_db + self.rng.exponential(0.2, alarms))),
            rcs_dbsm=np.zeros(len(range_m)),
            long_range=~short,
            transponder_on=on,
            transponder_mode=np.where(on, TransponderMode.ON, TransponderMode.OFF).astype(np.int8),
            transponder_id=read,
        )


def run_world(
    tracker: Tracker,
    radar: SmallRadar,
    world: Callable[[float], World],
    frames: int,
    dt_s: float = 0.1,
    first: int = 0,
) -> list[TrackReports]:
    """Track a world, given as a function of time, for a number of frames."""
    return [tracker.step(radar.look(frame * dt_s, world(frame * dt_s))) for frame in range(first, first + frames)]


@pytest.fixture
def small_radar() -> type[SmallRadar]:
    return SmallRadar


@pytest.fixture
def radar() -> SmallRadar:
    return SmallRadar(np.random.default_rng(2026))


@pytest.fixture
def world() -> type[World]:
    return World


@pytest.fixture
def make_tracker() -> Callable[..., Tracker]:
    def make(identities: Mapping[str, FriendFoe] | None = None, **parameters: float) -> Tracker:
        return Tracker(RUN_ID, TrackerParameters(**parameters), identities or {})

    return make


@pytest.fixture
def follow() -> Callable[..., list[TrackReports]]:
    return run_world


@pytest.fixture(scope="session")
def run_id() -> UUID:
    return RUN_ID


@pytest.fixture(scope="session")
def make_scans() -> Callable[[int], list[Scan]]:
    """Scans with contacts, identities, false alarms and misses, for tests of repeatability."""

    def make(frames: int) -> list[Scan]:
        rng = np.random.default_rng(99)
        radar = SmallRadar(rng, detection_probability=0.8, false_alarms=8.0)
        position, velocity = rng.uniform(-4_000, 4_000, (12, 3)), rng.uniform(-60, 60, (12, 3))
        claims = ["F-1", "F-1", "X-2", *[None] * 9]
        return [
            radar.look(t_s, World(position + t_s * velocity, velocity, claims=claims))
            for t_s in 0.5 * np.arange(frames)
        ]

    return make
