"""Several engines that share one vehicle: a parallel environment, as PettingZoo has them."""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike
from pettingzoo import ParallelEnv

from qiki.envs.env import Given, Seen, TwinEnv
from qiki.errors import UserError


class ParallelTwinEnv(ParallelEnv[str, Seen, Given]):  # type: ignore[misc]  # it has no types
    """`TwinEnv` with an action for each engine.

    All see the same, and get the same reward. Each engine's action becomes proposals of its own; where two want the
    same actuator, the agent's evaluator accepts those of the engine whose name comes first, and refuses the others.

    Args:
        engines: their names
        options: those of `TwinEnv`
    """

    metadata = {"name": "qiki_parallel_v0", **TwinEnv.metadata}  # noqa: RUF012  # declared so by PettingZoo

    def __init__(self, task: str = "avoid", *, engines: Sequence[str] = ("helm", "pilot"), **options: Any) -> None:
        if not engines or len(set(engines)) != len(engines):
            raise UserError(f"engines are {', '.join(engines) or 'none'} (expected names that differ)")
        self.env = TwinEnv(task, engines=engines, **options)
        self.possible_agents = list(engines)
        self.agents: list[str] = []
        self.render_mode = self.env.render_mode
        self.observation_spaces = dict.fromkeys(engines, self.env.observation_space)
        self.action_spaces = dict.fromkeys(engines, self.env.action_space)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Seen], dict[str, dict[str, Any]]]:
        """Begin an episode."""
        seen, info = self.env.reset(seed=seed, options=options)
        self.agents = list(self.possible_agents)
        return self._each(seen), self._each(info)

    def step(
        self, actions: Mapping[str, ArrayLike]
    ) -> tuple[dict[str, Seen], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Do a step with the actions of all engines.

        Raises:
            ActionError: an action is none; nothing has changed.
            UserError: an engine's action is missing, or the episode has ended.
        """
        if missing := [name for name in self.possible_agents if name not in actions]:
            raise UserError(f"no action for {', '.join(missing)}")
        seen, *rest = self.env.step_with(*(actions[name] for name in self.possible_agents))
        results = tuple(self._each(one) for one in (seen, *rest))
        if rest[1] or rest[2]:
            self.agents = []
        return results  # type: ignore[return-value]

    def observation_space(self, agent: str) -> Any:
        """Return an engine's observation space; all have the same."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """Return an engine's action space; all have the same."""
        return self.action_spaces[agent]

    def render(self) -> Any:
        """Draw the surroundings."""
        return self.env.render()

    def close(self) -> None:
        """End the environment."""
        self.env.close()

    def _each(self, value: Any) -> dict[str, Any]:
        return dict.fromkeys(self.possible_agents, value)
