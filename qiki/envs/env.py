"""The environment: one task, one vehicle, one step a radar frame."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID, uuid5

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike

from qiki.agent.discovery import LINKED
from qiki.botspec import BotConfig, generate, load_spec
from qiki.envs.flown import FlownTwin
from qiki.envs.render import Screen, draw
from qiki.envs.saved import SavedEnv
from qiki.envs.views import Twin, View, has_news
from qiki.errors import UserError
from qiki.flight.flight import NAMESPACE
from qiki.flight.saved import Perception
from qiki.guard.rules import GuardRules
from qiki.tasks import ACTIONS, SHAPES, SIZE, Encoder, Observation, Referee, Task, find_task, read_action
from qiki.tasks.actions import proposals
from qiki.tasks.observation import LIMIT
from qiki.tasks.policy import encoder_of
from qiki.tasks.task import OUT_OF_TIME
from qiki.world import load_scenario
from qiki.world.scenario import Scenario

Seen = np.ndarray[Any, np.dtype[np.float32]] | dict[str, np.ndarray[Any, np.dtype[np.float32]]]
Given = np.ndarray[Any, np.dtype[np.float32]]
SEEDS = 2**31
KINDS = ("flat", "dict")
ENDS = ("frame", "event")


class TwinEnv(gymnasium.Env[Seen, Given]):
    """A vehicle with its agent, to whose evaluator the action goes as proposals.

    A step lets the agent decide on the action's proposals, and flies to the next radar frame; in SAFE_MODE, or while
    the agent boots, they are refused. The observation has what an agent on the bus sees, never the truth; rewards and
    ends are judged by the truth (`qiki.tasks`). The same seed and actions give the same values, to the last bit, and
    the same as `qiki_harness.envs.StackEnv` over a stack.

    Args:
        task: "avoid", "rendezvous" or "inspect"
        difficulty: 0 to 1, of the worlds that are drawn from the seeds
        scenario: a name or a file instead of drawn worlds; the seed is that of its random numbers
        perception: "truth": the radar and the tracker are left out, and the observation shows perfect tracks
        observation: "flat": a row of numbers; "dict": the same numbers in their parts (`qiki.tasks.SHAPES`)
        until: "frame": a step is a frame; "event": the action is proposed again until something happens
            (`qiki.envs.views.has_news`), or `longest_s` have passed; the rewards are added up
        digests: `info["digest"]` of an episode's last step is the digest of its run
        render_mode: "rgb_array" or "human"
        engines: names of the engines that propose; several have an action each (`qiki.envs.parallel`)

    Raises:
        UserError: there is no such task or scenario, or an option is none.
    """

    metadata = {"render_modes": ["rgb_array", "human"], "render_fps": 10}  # noqa: RUF012  # declared so by Gymnasium

    def __init__(
        self,
        task: str | Task = "avoid",
        *,
        difficulty: float = 0.5,
        scenario: str | None = None,
        perception: Perception = "tracks",
        observation: Literal["flat", "dict"] = "flat",
        until: Literal["frame", "event"] = "frame",
        longest_s: float = 5.0,
        digests: bool = False,
        render_mode: str | None = None,
        bot: BotConfig | None = None,
        rules: GuardRules | None = None,
        engines: Sequence[str] = (LINKED,),
    ) -> None:
        _expect("observation", observation, KINDS)
        _expect("until", until, ENDS)
        _expect("perception", perception, ("tracks", "truth"))
        _expect("render_mode", render_mode, (None, *self.metadata["render_modes"]))
        self.task = find_task(task) if isinstance(task, str) else task
        self.render_mode = render_mode
        self._difficulty, self._kind, self._until, self._longest_s = difficulty, observation, until, longest_s
        self._scenario = load_scenario(scenario) if scenario else None
        self._perception, self._engines = perception, tuple(engines)
        self._has_own_bot = bot is not None
        self._bot = bot or generate(load_spec())
        self._turn_rate_dps = self._bot.hardware_profile.parameters.drive.turn_rate_dps
        self._twin = self._make_twin(rules, digests=digests)
        self._encoder: Encoder | None = None
        self._referee: Referee | None = None
        self._view: View | None = None
        self._observation = Observation({name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()})
        self._frame_s = 0.1
        self._screen: Screen | None = None
        self._closed = False
        self.observation_space = _space(observation)
        self.action_space = spaces.Box(-1.0, 1.0, (len(ACTIONS),), np.float32)

    def _make_twin(self, rules: GuardRules | None, *, digests: bool) -> Twin:
        return FlownTwin(self._bot, rules, self._perception, digests=digests, engines=self._engines)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Seen, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: of the world and of all its chance; None: the next one of the environment's own
            options: "run_id": the run's identity, as text; by default it follows from the world's name and seed
        """
        self._check_open()
        if self.spec is not None and self._perception == "truth" and "Truth" not in self.spec.id:
            raise UserError(f"{self.spec.id} shows tracks: the truth is {self.spec.id.replace('-v', 'Truth-v')}")
        super().reset(seed=seed)
        chosen = int(self.np_random.integers(SEEDS)) if seed is None else seed
        world = self.world(chosen)
        given = (options or {}).get("run_id")
        run_id = UUID(str(given)) if given else uuid5(NAMESPACE, f"{world.name}:{world.seed}")
        self._frame_s = 1.0 / world.frame_rate_hz
        self._encoder = encoder_of(self.task, self._bot)
        self._referee = Referee(self.task, self._frame_s)
        self._take(self._twin.begin(world, run_id))
        self._referee.begin(self._view.facts if self._view else None)
        return self._seen, {"seed": chosen, "run_id": str(run_id), "scenario": world.name}

    def world(self, seed: int) -> Scenario:
        """Return the world of a seed."""
        if self._scenario is None:
            return self.task.world(seed, self._difficulty)
        return self._scenario.model_copy(update={"seed": seed})

    def step(self, action: ArrayLike) -> tuple[Seen, float, bool, bool, dict[str, Any]]:
        """Do a step.

        Raises:
            ActionError: the action is none; nothing has changed.
            UserError: the episode has ended, or none has begun.
        """
        return self.step_with(action)

    def step_with(self, *actions: ArrayLike) -> tuple[Seen, float, bool, bool, dict[str, Any]]:
        """Do a step with an action for each engine."""
        self._check_open()
        values = [read_action(action) for action in actions]
        _, referee, view = self._running
        reason = f"a step of the task {self.task.name}"
        reward, frames, parts = 0.0, 0, dict[str, float]()
        while True:
            proposed = [proposals(each, self._frame_s, self._turn_rate_dps, reason) for each in values]
            before, view = view.world, self._twin.step(*proposed)
            self._take(view)
            mark = referee.judge(view.facts)
            reward, frames = reward + mark.reward, frames + 1
            parts |= {name: parts.get(name, 0.0) + value for name, value in mark.parts.items()}
            over = bool(mark.outcome) or self._until == "frame" or has_news(before, view.world)
            if over or frames * self._frame_s >= self._longest_s:
                break
        info: dict[str, Any] = {"frames": frames, "t_s": view.t_s, "reward_parts": parts}
        if mark.outcome:
            self._end(referee, mark.outcome, info)
        if self.render_mode == "human":
            self.render()
        late = mark.outcome == OUT_OF_TIME
        return self._seen, reward, bool(mark.outcome) and not late, late, info

    def render(self) -> Any:
        """Draw the surroundings from above: an array (400, 400, 3) of bytes, or a window."""
        if self.render_mode is None or self._view is None:
            return None
        picture = draw(self._view, self.task.name)
        if self.render_mode == "rgb_array":
            return picture
        self._screen = self._screen or Screen(self.metadata["render_fps"])
        self._screen.show(picture)
        return None

    def save(self) -> SavedEnv:
        """Return the whole state between two steps."""
        self._check_open()
        encoder, referee, view = self._running
        return SavedEnv(
            flight=self._twin.save(),
            encoder=encoder.save(),
            referee=referee.save(),
            observation={name: part.tolist() for name, part in self._observation.parts.items()},
            random=self.np_random.bit_generator.state,
            frame_s=self._frame_s,
            t_s=view.t_s,
        )

    def load(self, saved: SavedEnv) -> Seen:
        """Go on from a state: the same actions give what they gave from there. Return its observation.

        Raises:
            StateError: it does not fit.
        """
        self._check_open()
        self._frame_s = saved.frame_s
        view = self._twin.load(saved.flight)
        self._encoder, self._referee = encoder_of(self.task, self._bot), Referee(self.task, saved.frame_s)
        self._encoder.load(saved.encoder)
        self._referee.load(saved.referee)
        self.np_random.bit_generator.state = saved.random
        self._view = view
        parts = {name: np.array(part, np.float32) for name, part in saved.observation.items()}
        self._observation = Observation(parts)
        return self._seen

    def digest(self) -> str | None:
        """Return the digest of the run up to the newest frame, which ends it; None unless `digests` are made."""
        return self._twin.digest()

    def close(self) -> None:
        """End the twin and the window; the environment cannot be used afterwards."""
        if not self._closed:
            self._twin.close()
            if self._screen is not None:
                self._screen.close()
        self._closed = True

    @property
    def summary(self) -> dict[str, Any]:
        """Figures of the episode up to now."""
        return vars(self._running[1].summary)

    @property
    def _seen(self) -> Seen:
        if self._kind == "flat":
            return self._observation.flat
        return {name: part.copy() for name, part in self._observation.parts.items()}

    @property
    def _running(self) -> tuple[Encoder, Referee, View]:
        if self._encoder is None or self._referee is None or self._view is None:
            raise UserError("no episode has begun: call reset first")
        if self._referee.summary.outcome:
            raise UserError(f"the episode has ended ({self._referee.summary.outcome}): call reset first")
        return self._encoder, self._referee, self._view

    def _take(self, view: View) -> None:
        assert self._encoder is not None
        self._view = view
        self._observation = self._encoder.encode(view.world, view.seen)

    def _end(self, referee: Referee, outcome: str, info: dict[str, Any]) -> None:
        if outcome == "docked":
            self._twin.latch()
            self._take(self._twin.step(*[()] * len(self._engines)))
        info |= {"outcome": outcome, "summary": dict(vars(referee.summary))}
        if (digest := self.digest()) is not None:
            info["digest"] = digest

    def _check_open(self) -> None:
        if self._closed:
            raise UserError("the environment is closed: make another one")


def _space(kind: str) -> spaces.Space[Any]:
    if kind == "flat":
        return spaces.Box(-LIMIT, LIMIT, (SIZE,), np.float32)
    return spaces.Dict({name: spaces.Box(-LIMIT, LIMIT, shape, np.float32) for name, shape in SHAPES.items()})


def _expect(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        shown = ", ".join(repr(one) for one in allowed)
        raise UserError(f"{name} is {value!r} (expected one of: {shown})")
