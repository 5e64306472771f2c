"""Pictures of an episode: the surroundings from above, north up."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from qiki.agent import FriendFoe
from qiki.arrays import Array
from qiki.envs.views import View
from qiki.tasks import Seen

Picture = NDArray[np.uint8]
SIDE_PX = 400
REACHES_M = (150.0, 300.0, 600.0, 1200.0)
"""The picture reaches so far from the vehicle; the first that has the nearest five tracks."""
NEAREST = 5
AHEAD_S = 5.0
"""Length of a velocity vector."""
GUARD_M = 70.0
GROUND, GRID, TEXT, OWN = (12, 16, 24), (40, 52, 70), (170, 185, 205), (235, 240, 250)
COLOURS = {FriendFoe.FRIEND: (80, 200, 120), FriendFoe.FOE: (235, 90, 80), FriendFoe.UNKNOWN: (240, 190, 70)}
Point = tuple[float, float]


def draw(view: View, title: str) -> Picture:
    """Return a picture of a view, (400, 400, 3)."""
    seen = Seen.of_tracks(view.world.tracks) if view.seen is None else view.seen
    image = Image.new("RGB", (SIDE_PX, SIDE_PX), GROUND)
    canvas = _Canvas(ImageDraw.Draw(image), _reach_m(seen))
    for share in (1 / 3, 2 / 3, 1.0):
        canvas.ring(share * canvas.reach_m, GRID)
    canvas.ring(GUARD_M, COLOURS[FriendFoe.UNKNOWN])
    for position, velocity, iff in zip(seen.position, seen.velocity, seen.iff.tolist(), strict=True):
        canvas.track(position, velocity, COLOURS.get(FriendFoe(iff), COLOURS[FriendFoe.UNKNOWN]))
    own = view.world.own
    if own is not None:
        heading = math.radians(own.heading)
        canvas.vehicle(math.sin(heading), math.cos(heading))
        canvas.cross(-own.position.x, -own.position.y)
    alerts = f", {len(view.world.alerts)} alerts" if view.world.alerts else ""
    canvas.text(6, 4, f"{title}   {view.t_s:.1f} s   {len(seen)} tracks{alerts}")
    canvas.text(6, SIDE_PX - 16, f"{canvas.reach_m:.0f} m")
    return np.asarray(image, dtype=np.uint8).copy()


class _Canvas:
    """Draws in metres from the vehicle, in the middle."""

    def __init__(self, pencil: Any, reach_m: float) -> None:
        self._pencil, self.reach_m = pencil, reach_m
        self._scale = 0.48 * SIDE_PX / reach_m

    def ring(self, radius_m: float, colour: tuple[int, int, int]) -> None:
        (x, y), r = self._at(0.0, 0.0), radius_m * self._scale
        self._pencil.ellipse((x - r, y - r, x + r, y + r), outline=colour)

    def track(self, position: Array, velocity: Array, colour: tuple[int, int, int]) -> None:
        x, y = self._at(*position[:2].tolist())
        ahead = self._at(*(position + AHEAD_S * velocity)[:2].tolist())
        self._pencil.line((x, y, *ahead), fill=colour)
        self._pencil.ellipse((x - 4, y - 4, x + 4, y + 4), fill=colour)

    def vehicle(self, east: float, north: float) -> None:
        x, y = self._at(0.0, 0.0)
        nose = 12 * east, -12 * north
        left, right = (-5 * north - 6 * east, -5 * east + 6 * north), (5 * north - 6 * east, 5 * east + 6 * north)
        self._pencil.polygon([(x + dx, y + dy) for dx, dy in (nose, left, right)], fill=OWN)

    def cross(self, east_m: float, north_m: float) -> None:
        x, y = self._at(east_m, north_m)
        self._pencil.line((x - 6, y, x + 6, y), fill=TEXT)
        self._pencil.line((x, y - 6, x, y + 6), fill=TEXT)

    def text(self, x: float, y: float, words: str) -> None:
        self._pencil.text((x, y), words, fill=TEXT)

    def _at(self, east_m: float, north_m: float) -> Point:
        return SIDE_PX / 2 + east_m * self._scale, SIDE_PX / 2 - north_m * self._scale


class Screen:
    """A window that shows pictures at a rate of frames a second."""

    def __init__(self, rate_hz: float) -> None:
        import pygame  # noqa: PLC0415  # only who looks needs it

        self._pygame, self._rate_hz = pygame, rate_hz
        pygame.display.init()
        self._window = pygame.display.set_mode((SIDE_PX, SIDE_PX))
        pygame.display.set_caption("QIKI DTMP")
        self._clock = pygame.time.Clock()

    def show(self, picture: Picture) -> None:
        """Show a picture, and wait until the next one is due."""
        surface = self._pygame.surfarray.make_surface(picture.swapaxes(0, 1))
        self._window.blit(surface, (0, 0))
        self._pygame.event.pump()
        self._pygame.display.flip()
        self._clock.tick(self._rate_hz)

    def close(self) -> None:
        """Close the window."""
        self._pygame.display.quit()


def _reach_m(seen: Seen) -> float:
    if not len(seen):
        return REACHES_M[0]
    ranges = np.sort(np.linalg.norm(seen.position, axis=1))[:NEAREST]
    return next((reach for reach in REACHES_M if ranges[-1] <= reach), REACHES_M[-1])
