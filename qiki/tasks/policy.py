"""A trained policy: a small network with its normalisation, as a file, and as an engine of the agent."""

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike

from qiki.agent import BotConfig, Proposal, World
from qiki.arrays import Array, Index
from qiki.contracts.ticks import TICK_S
from qiki.errors import UserError
from qiki.tasks.actions import ACTIONS, proposals
from qiki.tasks.observation import LAYOUT, SIZE, Encoder
from qiki.tasks.seen import Seen
from qiki.tasks.task import Task

FORMAT = 1
FRAME_TICKS = 2
_META = "policy"


class PolicyError(UserError):
    """A file that holds no policy, or one that fits other spaces; the text says which."""


@dataclass(frozen=True, eq=False)
class Policy:
    """A feed-forward network with tanh after every layer, from observations to actions.

    It is float64 throughout: the same observation gives the same action wherever it runs.

    Attributes:
        task: for which it was trained
        columns: (k,) those of a flat observation that it takes
        mean, spread: (k,) of these columns; the input is their difference from the mean over the spread
        layers: weights (inputs, outputs) and biases (outputs,) of each layer; the last has an output for each action
        about: free text: how it was made
    """

    task: str
    columns: Index
    mean: Array
    spread: Array
    layers: tuple[tuple[Array, Array], ...]
    about: str = ""

    @classmethod
    def of(
        cls,
        task: str,
        layers: Sequence[tuple[ArrayLike, ArrayLike]],
        *,
        columns: Sequence[int] | None = None,
        mean: ArrayLike | None = None,
        spread: ArrayLike | None = None,
        about: str = "",
    ) -> Self:
        """Return a policy; without columns it takes the whole observation, as it is.

        Raises:
            PolicyError: the layers do not fit together, or not the observation and the actions.
        """
        chosen: Index = np.arange(SIZE) if columns is None else np.asarray(columns, np.intp)
        around = np.zeros(len(chosen)) if mean is None else np.asarray(mean, np.float64)
        scale = np.ones(len(chosen)) if spread is None else np.asarray(spread, np.float64)
        pairs = tuple((np.asarray(w, np.float64), np.asarray(b, np.float64)) for w, b in layers)
        policy = cls(task, chosen, around, scale, pairs, about)
        if fault := policy._fault():
            raise PolicyError(fault)
        return policy

    def act(self, observation: ArrayLike) -> Array:
        """Return the action for a flat observation, (5,), each -1 to 1."""
        values: Array = (np.asarray(observation, np.float64)[self.columns] - self.mean) / self.spread
        for weights, bias in self.layers:
            values = np.tanh(values @ weights + bias)
        return values

    def save(self, path: Path) -> None:
        """Write the file, an `.npz`; UserError if that cannot be done."""
        meta = {"format": FORMAT, "layout": LAYOUT, "size": SIZE, "actions": ACTIONS, "task": self.task}
        meta["about"] = self.about
        arrays = {f"weights_{n}": weights for n, (weights, _) in enumerate(self.layers)}
        arrays |= {f"bias_{n}": bias for n, (_, bias) in enumerate(self.layers)}
        content = io.BytesIO()
        inputs = {"columns": self.columns, "mean": self.mean, "spread": self.spread}
        saved: dict[str, Any] = {**inputs, **arrays, _META: np.array(json.dumps(meta))}
        np.savez(content, **saved)
        try:
            path.write_bytes(content.getvalue())
        except OSError as error:
            raise UserError(f"{path}: {error.strerror}") from None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            PolicyError: it is not there, no policy, or one of another version or for other spaces.
        """
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                return cls._of_arrays({name: file[name] for name in file.files})
        except OSError as error:
            raise PolicyError(f"{path}: {error.strerror or 'not a policy'}") from None
        except PolicyError as error:
            raise PolicyError(f"{path}: {error}") from None
        except (BadZipFile, LookupError, TypeError, ValueError, EOFError):
            raise PolicyError(f"{path}: not a policy (expected an .npz that `Policy.save` wrote)") from None

    @classmethod
    def _of_arrays(cls, arrays: dict[str, Any]) -> Self:
        meta = json.loads(str(arrays[_META]))
        found = {name: meta.get(name) for name in ("format", "layout", "size", "actions")}
        expected = {"format": FORMAT, "layout": LAYOUT, "size": SIZE, "actions": list(ACTIONS)}
        for name, value in expected.items():
            if found[name] != value:
                raise PolicyError(f"its {name} is {found[name]} (this version expects {value})")
        count = sum(name.startswith("weights_") for name in arrays)
        layers = [(arrays[f"weights_{n}"], arrays[f"bias_{n}"]) for n in range(count)]
        inputs = {name: arrays[name] for name in ("columns", "mean", "spread")}
        return cls.of(meta["task"], layers, about=meta.get("about", ""), **inputs)

    def _fault(self) -> str:
        """Return why the arrays do not fit; empty if they do."""
        width = len(self.columns)
        if self.columns.ndim != 1 or not width or self.columns.min() < 0 or self.columns.max() >= SIZE:
            return f"its columns are none of an observation of {SIZE} numbers"
        if self.mean.shape != (width,) or self.spread.shape != (width,) or not (self.spread > 0).all():
            return f"its normalisation does not fit {width} columns"
        for number, (weights, bias) in enumerate(self.layers):
            if weights.ndim != 2 or weights.shape[0] != width or bias.shape != weights.shape[1:]:
                return (
                    f"layer {number} has the shapes {weights.shape} and {bias.shape} (expected ({width}, n) and (n,))"
                )
            width = weights.shape[1]
        if not self.layers or width != len(ACTIONS):
            return f"it gives {width if self.layers else 0} numbers (expected {len(ACTIONS)}: {', '.join(ACTIONS)})"
        numbers = (self.mean, self.spread, *(array for layer in self.layers for array in layer))
        return "" if all(np.isfinite(array).all() for array in numbers) else "its numbers are not all finite"


class Acting(Protocol):
    """A policy of any kind, for a task."""

    @property
    def task(self) -> str:
        """The task for which it was trained."""

    def act(self, observation: ArrayLike) -> Array:
        """Return the action for a flat observation, (5,), each -1 to 1."""


class PolicyEngine:
    """Flies a policy: at each tick of the agent it observes, and proposes the policy's action.

    Args:
        task: whose goal it is shown
    """

    def __init__(self, policy: Acting, task: Task, bot: BotConfig) -> None:
        self._policy, self._reason = policy, f"the policy for {policy.task}"
        self._encoder = encoder_of(task, bot)
        self._turn_rate_dps = bot.hardware_profile.parameters.drive.turn_rate_dps

    def propose(self, world: World, seen: Seen | None = None) -> Iterable[Proposal]:
        """Return the proposals of the policy's action; `seen` takes the place of the world's tracks."""
        action = self._policy.act(self._encoder.encode(world, seen).flat)
        return proposals(action, FRAME_TICKS * TICK_S, self._turn_rate_dps, self._reason)

    def save(self) -> Any:
        """Return what is kept from tick to tick."""
        return self._encoder.save()

    def load(self, saved: Any) -> None:
        """Take up what `save` returned."""
        self._encoder.load(saved)


def encoder_of(task: Task, bot: BotConfig) -> Encoder:
    """Return the encoder of a task's observations for a vehicle."""
    return Encoder(task.goal, bot.hardware_profile.propulsion_plane.propellant_kg)
