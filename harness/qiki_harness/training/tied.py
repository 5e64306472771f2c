"""A small network whose weights are tied: few numbers, which an evolution strategy can search.

The three axes of the body are alike, so one set of weights serves all. Along each axis the network has a unit for the
way to the goal and the speed, and one for the threat of each of the nearest tracks.
"""

from collections.abc import Sequence

import numpy as np

from qiki.tasks import ACTIONS, Policy
from qiki.tasks.observation import GOAL, OWN, TRACK

GENES = ("place", "speed", "goal", "sharpness", "push", "fading", "upwards")
"""The numbers: weights of place and speed in the goal's unit, and of that unit; steepness of a track's unit, its
weight, how that fades from track to track, and the share of it up and down."""
START = (1.0, 3.0, 0.5, 1.0, 0.0, 0.7, 1.0)
"""A vehicle that drifts to the goal and ignores tracks."""
TRACKS = 4
AXES = ("forward", "starboard", "up")
_GOAL_AT, _TRACKS_AT = len(OWN), len(OWN) + len(GOAL) + 2


def tied_policy(task: str, genes: Sequence[float], about: str = "") -> Policy:
    """Return the policy of some numbers, in the order of `GENES`."""
    place, speed, goal, sharpness, push, fading, upwards = genes
    columns: list[int] = []
    hidden = np.zeros((len(AXES) * (2 + TRACKS), len(AXES) * (1 + TRACKS)))
    outputs = np.zeros((hidden.shape[1], len(ACTIONS)))
    for axis, name in enumerate(AXES):
        first, share = axis * (1 + TRACKS), upwards if name == "up" else 1.0
        hidden[len(columns), first], hidden[len(columns) + 1, first] = place, speed
        columns += [_GOAL_AT + GOAL.index(f"position {name}"), _GOAL_AT + GOAL.index(f"velocity {name}")]
        outputs[first, axis] = goal
        for track in range(TRACKS):
            unit = first + 1 + track
            hidden[len(columns), unit] = sharpness
            columns.append(_TRACKS_AT + track * len(TRACK) + TRACK.index(f"threat {name}"))
            outputs[unit, axis] = -push * share * abs(fading) ** track
    layers = [(hidden, np.zeros(hidden.shape[1])), (outputs, np.zeros(len(ACTIONS)))]
    return Policy.of(task, layers, columns=columns, about=about)
