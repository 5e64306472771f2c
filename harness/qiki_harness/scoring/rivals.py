"""Other trackers in the place of the platform's own: they are given the same plots, and scored in the same way."""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Protocol

import numpy as np

from qiki.contracts.enums import FriendFoe
from qiki.tracking import Scan, TrackerParameters
from qiki.tracking.scan import SECOND_US
from qiki.world.scenario import Scenario
from qiki_harness.errors import HarnessError
from qiki_harness.scoring.offline import looks
from qiki_harness.scoring.records import ScanRecord, Tracks

FACTORY = "make_tracker"
LIKELY = 0.5
"""Existence from which on a track counts as a contact."""
SHAPES = {"position": (3,), "velocity": (3,), "position_covariance": (3, 3), "velocity_covariance": (3, 3)}


class Rival(Protocol):
    """A tracker of somebody's own."""

    def step(self, scan: Scan) -> Tracks:
        """Take in the next scan; return all tracks at its time, in world axes."""


RivalFactory = Callable[[TrackerParameters, Mapping[str, FriendFoe]], Rival]
"""It is given the radar's figures, as the platform's tracker is, and the side of each known transponder identity."""


def load_rival(named: str) -> RivalFactory:
    """Return the factory of `MODULE`, a module or a file; its name is `make_tracker`, or another one behind a colon.

    Raises:
        HarnessError: it cannot be imported, or has no such factory.
    """
    place, _, name = named.partition(":")
    try:
        module = _of_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    except Exception as error:
        raise HarnessError(f"--tracker {named}: cannot be imported: {error!r}") from error
    factory: RivalFactory | None = getattr(module, name or FACTORY, None)
    if not callable(factory):
        raise HarnessError(f"--tracker {named}: has no function {name or FACTORY}(parameters, identities)")
    return factory


def fly_rival(scenario: Scenario, seed: int, seconds: float, factory: RivalFactory) -> Iterator[ScanRecord]:
    """Yield a record a radar frame, tracked by another tracker.

    Raises:
        HarnessError: it fails, or returns what is no table of tracks.
    """
    parameters = TrackerParameters().of_radar(scenario.radar.unlike_default)
    with _blamed("it cannot be made"):
        rival = factory(parameters, scenario.identities)
    first_us: int | None = None
    for look in looks(scenario, seed, seconds):
        scan = look.scan
        first_us = scan.t_us if first_us is None else first_us
        t_s = (scan.t_us - first_us) / SECOND_US
        with _blamed(f"it fails on the scan at {t_s:g} s"):
            tracks = _checked(rival.step(scan))
        plots = scan.own_position + scan.range_m[:, None] * scan.line_of_sight
        likely = tracks.existence >= LIKELY
        yield ScanRecord(t_s, look.truth, tracks.take(likely), plots, scan.own_position, tracks.take(~likely))


@contextmanager
def _blamed(failure: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise HarnessError(f"--tracker: {failure}: {error!r}") from error


def _checked(tracks: Tracks) -> Tracks:
    """Return the tracks, whose columns must have a row each; ValueError if they have not."""
    count = len(tracks.ids)
    for column, shape in {**SHAPES, "existence": ()}.items():
        values = getattr(tracks, column)
        if np.shape(values) != (count, *shape):
            raise ValueError(f"{column}: shape {np.shape(values)} (expected {(count, *shape)})")
        if not np.isfinite(values).all():
            raise ValueError(f"{column}: not all values are finite")
    if len(set(tracks.ids)) != count:
        raise ValueError("ids: one is there twice")
    if count and not 0 <= tracks.existence.min() <= tracks.existence.max() <= 1:
        raise ValueError("existence: not all values are from 0 to 1")
    return replace(tracks, estimates=None)


def _of_file(path: Path) -> ModuleType:
    """Import a file as Python imports a script: with its folder first on the path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
