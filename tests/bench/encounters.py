"""Encounters with contacts on near-collision courses, drawn from a seed, each flown with two engines on the same seed.

Of each: the least distance to any contact, and the propellant. The differences are paired, with their 95 % intervals.
"""

import importlib.util
import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from straight_line import TOO_NEAR_M, StraightLine

from qiki.agent import BotConfig, Engine
from qiki.arrays import Array
from qiki.botspec import generate, load_spec
from qiki.flight import Flight
from qiki.world.scenario import Scenario

EXAMPLE = Path(__file__).parents[2] / "docs/examples/avoidance/avoidance.py"
FLIGHT_S = 70.0
KINDS = ("asteroid", "drone", "turning", "weaving")
MOST_CONTACTS = 3
MISS_M = 60.0  # standard deviation of each component, across the course
MEETING_S = (25.0, 55.0)
SPEED_MPS = (8.0, 60.0)
ACCELERATION_MPS2 = (1.0, 6.0)
TURN_S = (4.0, 15.0)
NORMAL_95 = 1.96


@dataclass(frozen=True)
class Outcome:
    """Of one flight."""

    nearest_m: float
    propellant_kg: float
    safe_mode: bool


def measure(count: int) -> Iterator[str]:
    """Fly so many encounters with each engine, and yield the lines of a table."""
    tasks = [(name, seed) for seed in range(count) for name in ENGINES]
    with ProcessPoolExecutor() as pool:
        return table(dict(zip(tasks, pool.map(_fly, tasks, chunksize=2), strict=True)))


def table(flown: Mapping[tuple[str, int], Outcome]) -> Iterator[str]:
    """Yield the lines of a table of the same seeds flown by each engine."""
    seeds = sorted({seed for _, seed in flown})
    yield f"{len(seeds)} encounters; keep-out distance {TOO_NEAR_M:g} m; differences with their 95 % intervals"
    before, after = ([flown[name, seed] for seed in seeds] for name in ENGINES)
    for name, value in FIGURES.items():
        one, other = (np.array([value(outcome) for outcome in outcomes]) for outcomes in (before, after))
        yield f"{name:34} straight {one.mean():8.3f}  predicted {other.mean():8.3f}  difference {interval(other - one)}"
    nearest = [np.quantile([one.nearest_m for one in outcomes], (0.05, 0.25, 0.5)) for outcomes in (before, after)]
    for name, quantiles in zip(ENGINES, nearest, strict=True):
        yield f"{name}: nearest, quantiles of 5, 25 and 50 %: " + ", ".join(f"{one:.0f} m" for one in quantiles)


def interval(differences: Array) -> str:
    """The mean of paired differences, with the normal interval of 95 %."""
    half = NORMAL_95 * differences.std(ddof=1) / math.sqrt(len(differences))
    return f"{differences.mean():+.3f} [{differences.mean() - half:+.3f}, {differences.mean() + half:+.3f}]"


FIGURES: dict[str, Callable[[Outcome], float]] = {
    "least distance [m]": lambda one: one.nearest_m,
    "share below the keep-out distance": lambda one: float(one.nearest_m < TOO_NEAR_M),
    "mean intrusion [m]": lambda one: max(0.0, TOO_NEAR_M - one.nearest_m),
    "share below 60 m": lambda one: float(one.nearest_m < TOO_NEAR_M / 2),
    "share in SAFE_MODE": lambda one: float(one.safe_mode),
    "propellant [kg]": lambda one: one.propellant_kg,
}


def predicted(bot: BotConfig) -> Engine:
    """Return the example's engine."""
    return _example()(bot)


@cache
def _example() -> Callable[[BotConfig], Engine]:
    """Return the class of the example's engine, from its file."""
    spec = importlib.util.spec_from_file_location("avoidance", EXAMPLE)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    engine: Callable[[BotConfig], Engine] = module.Avoidance
    return engine


ENGINES: dict[str, Callable[[BotConfig], Engine]] = {
    "straight": StraightLine,
    "predicted": predicted,
}


def _fly(task: tuple[str, int]) -> Outcome:
    return fly(*task)


def fly(name: str, seed: int) -> Outcome:
    """Fly the encounter of a seed with an engine."""
    bot = generate(load_spec())
    flight = Flight(encounter(seed), seed=seed, bot=bot, engines={name: ENGINES[name](bot)})
    full_kg = flight.world.vehicle.thrusters.propellant_kg
    nearest_m, safe_mode = math.inf, False
    before = flight.world.relative_positions()
    for moment in flight.fly(FLIGHT_S):
        now = flight.world.relative_positions()
        nearest_m = min(nearest_m, least(before, now))
        safe_mode |= any(event.kind.code == 900 for event in moment.events)
        before = now
    return Outcome(nearest_m, full_kg - flight.world.vehicle.thrusters.propellant_kg, safe_mode)


def least(before: Array, now: Array) -> float:
    """The least distance on the way from one tick to the next, (n, 3) each."""
    step = now - before
    square = np.maximum(np.einsum("ij,ij->i", step, step), 1e-12)
    share = np.clip(-np.einsum("ij,ij->i", before, step) / square, 0.0, 1.0)
    return float(np.linalg.norm(before + share[:, None] * step, axis=1).min())


def encounter(seed: int) -> Scenario:
    """One to three contacts that come near the bot, which rests."""
    rng = np.random.default_rng([seed, 0xE])
    contacts = [_contact(f"contact-{n}", rng) for n in range(rng.integers(1, MOST_CONTACTS + 1))]
    heading_deg = float(rng.uniform(0, 360))
    fields: dict[str, Any] = {"bot": {"heading_deg": heading_deg}, "contacts": contacts}
    return Scenario.model_validate({"name": f"encounter-{seed}", "description": "Contacts come near", **fields})


def _contact(name: str, rng: np.random.Generator) -> dict[str, Any]:
    """Return a contact that passes the bot at a random miss: on its course, or on the one that it leaves by a turn."""
    kind = KINDS[rng.integers(len(KINDS))]
    bearing, climb, speed = rng.uniform(0, 2 * math.pi), rng.uniform(-0.2, 0.2), rng.uniform(*SPEED_MPS)
    course = np.array([math.cos(climb) * math.sin(bearing), math.cos(climb) * math.cos(bearing), math.sin(climb)])
    meets_s, velocity = rng.uniform(*MEETING_S), speed * course
    miss = rng.normal(0, MISS_M, 3)
    miss -= (miss @ course) * course
    acceleration, turn_s = rng.uniform(*ACCELERATION_MPS2), rng.uniform(*TURN_S)
    begins_s, turns_in = rng.uniform(5.0, meets_s - 3.0), bool(rng.random() < 0.5)
    if kind == "turning":
        level = math.hypot(velocity[0], velocity[1])
        rate_dps = min(20.0, math.degrees(acceleration / level)) * (1 if rng.random() < 0.5 else -1)
        way = _turned(velocity, rate_dps, begins_s, turn_s, meets_s) if turns_in else velocity * meets_s
        turn = {"turn_rate_dps": rate_dps, "begins_s": begins_s, "lasts_s": turn_s}
        motion = {"kind": "coordinated_turn", "velocity_mps": velocity.tolist(), **turn}
        return _described(name, "DRONE", motion | {"position_m": (miss - way).tolist()})
    if kind == "weaving":
        return _described(name, "DRONE", _weaving(miss, course, speed, meets_s, acceleration, rng))
    motion = {"kind": "constant_velocity", "velocity_mps": velocity.tolist()}
    object_type = "ASTEROID" if kind == "asteroid" else "DRONE"
    return _described(name, object_type, motion | {"position_m": (miss - velocity * meets_s).tolist()})


def _described(name: str, object_type: str, motion: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "object_type": object_type, "motion": motion}


def _turned(velocity: Array, rate_dps: float, begins_s: float, lasts_s: float, until_s: float) -> Array:
    """Return the way of a level turn, clockwise for a positive rate: (3,) [m]."""
    rate = math.radians(rate_dps)
    turning_s = min(lasts_s, until_s - begins_s)

    def turned(angle: float) -> Array:
        sine, cosine = math.sin(angle), math.cos(angle)
        return np.array(
            [velocity[0] * cosine + velocity[1] * sine, velocity[1] * cosine - velocity[0] * sine, velocity[2]]
        )

    times_s = np.linspace(0, turning_s, 1001)
    arc = np.trapezoid([turned(rate * t_s) for t_s in times_s], times_s, axis=0)
    way: Array = velocity * begins_s + arc + turned(rate * turning_s) * (until_s - begins_s - turning_s)
    return way


def _weaving(
    miss: Array, course: Array, speed: float, meets_s: float, acceleration: float, rng: np.random.Generator
) -> dict[str, Any]:
    """Return a course with corners every ten seconds or so, the last leg of which passes at the miss."""
    corners = int(rng.integers(1, 4))
    leg_s = meets_s / (corners + 1)
    side = np.cross(course, [0.0, 0.0, 1.0])
    side /= np.linalg.norm(side)
    points = [miss + course * speed * leg_s, miss]
    for number in range(corners + 1):
        angle = rng.uniform(0.05, 0.35) * (1 if number % 2 else -1)
        before = math.cos(angle) * course + math.sin(angle) * side if number else course
        points.append(points[-1] - before * speed * leg_s)
    begin, *rest = reversed(points)
    del rest[-2]  # the point of the least distance is no corner
    legs = [{"to_m": point.tolist(), "speed_mps": speed} for point in rest]
    turn = max(acceleration, 0.8 * speed / leg_s)
    return {"kind": "waypoints", "position_m": begin.tolist(), "legs": legs, "turn_acceleration_mps2": turn}
