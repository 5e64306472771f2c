"""The actions of a learning agent: five numbers, which become proposals for the evaluator."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from qiki.agent import Action, Proposal, cruise, fire, turn
from qiki.arrays import Array

ACTIONS = ("forward", "starboard", "up", "cruise", "turn")
"""Each -1 to 1: thrust along a body axis, speed that the drive holds (0 and less: no command), turn (1: to starboard,
at the drive's greatest rate)."""
DEAD = 0.05
"""A smaller number is none: a thruster's least pulse, and the noise of a policy."""
OPPOSITE = {"forward": "aft", "starboard": "port", "up": "down"}
WHOLE = 8.0
"""Turns are in eighths of a degree: gRPC carries them in 32 bits."""


class ActionError(ValueError):
    """An action that is none; the text says what was expected."""


def read_action(action: ArrayLike) -> Array:
    """Return an action as numbers, (5,).

    Raises:
        ActionError: it has another shape, is not finite, or is out of range.
    """
    try:
        values = np.asarray(action, dtype=np.float64)
    except (TypeError, ValueError):
        raise ActionError(f"the action is {type(action).__name__} (expected {len(ACTIONS)} numbers)") from None
    if values.shape != (len(ACTIONS),):
        raise ActionError(f"the action has the shape {values.shape} (expected ({len(ACTIONS)},): {', '.join(ACTIONS)})")
    for name, value in zip(ACTIONS, values.tolist(), strict=True):
        if not -1.0 <= value <= 1.0:  # not a number is in no range
            raise ActionError(f"{name} is {value:g} (expected -1 to 1)")
    return values


def proposals(action: Array, step_s: float, turn_rate_dps: float, reason: str) -> tuple[Proposal, ...]:
    """Return the proposals of an action for a step: one for the thrusters, one for the drive, or fewer.

    Args:
        step_s: duration of the thrusters' pulses
        turn_rate_dps: of the drive
        reason: their justification
    """
    thrust = [
        fire(name if value > 0 else OPPOSITE[name], _percent(value), step_s)
        for name, value in zip(ACTIONS[:3], action.tolist(), strict=False)
        if abs(value) >= DEAD
    ]
    hold, sideways = action[3:].tolist()
    drive = [cruise(_percent(hold))] if hold >= DEAD else []
    drive += [turn(round(sideways * turn_rate_dps * step_s * WHOLE) / WHOLE)] if abs(sideways) >= DEAD else []
    return tuple(Proposal(tuple(group), reason, key=key) for key, group in _groups(thrust, drive) if group)


def _groups(thrust: Sequence[Action], drive: Sequence[Action]) -> tuple[tuple[str, Sequence[Action]], ...]:
    return ("thrust", thrust), ("drive", drive)


def _percent(value: float) -> float:
    return float(round(abs(value) * 100.0))
