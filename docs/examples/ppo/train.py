"""Train a policy by PPO, with Stable-Baselines3, and write it as the platform's agent flies it.

    python train.py avoid --steps 1000000 --out ppo.npz

Schulman and others, Proximal Policy Optimization Algorithms, 2017. It takes `stable-baselines3` and `torch` beside
`qiki-dtmp[train]`; neither is needed to fly the policy. The worlds have perfect tracks: the platform's own tracker sees
nearly as much, and a step takes a third of the time.
"""

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import gymnasium
import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import SubprocVecEnv, VecNormalize

import qiki.envs
from qiki.tasks import Policy

HIDDEN = [64, 64]


class Squashed(gymnasium.ActionWrapper):
    """Takes any numbers, and acts by their tanh: the last layer of a `Policy` is a tanh too."""

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        self.action_space = gymnasium.spaces.Box(-5.0, 5.0, env.action_space.shape, np.float32)

    def action(self, action: np.ndarray) -> np.ndarray:
        """Return the action of the environment."""
        return np.tanh(action)


def make_env(task: str, difficulty: float, log: str) -> Callable[[], gymnasium.Env]:
    """Return a function that makes an environment."""

    def make() -> gymnasium.Env:
        name = next(id_ for id_, choice in qiki.envs.IDS.items() if choice == {"task": task, "perception": "truth"})
        return Monitor(Squashed(gymnasium.make(name, difficulty=difficulty)), log)

    return make


def policy_of(model: PPO, normalised: VecNormalize, task: str, about: str) -> Policy:
    """Return the network of a model, with the normalisation of its observations, as a policy."""
    network, head = model.policy.mlp_extractor.policy_net, model.policy.action_net
    linear = [layer for layer in (*network, head) if hasattr(layer, "weight")]
    layers = [(layer.weight.detach().numpy().T, layer.bias.detach().numpy()) for layer in linear]
    seen = normalised.obs_rms
    return Policy.of(task, layers, mean=seen.mean, spread=np.sqrt(seen.var + normalised.epsilon), about=about)


def main() -> None:
    """Train, and write the policy and the returns of the episodes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["avoid", "rendezvous", "inspect"])
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--difficulty", type=float, default=1.0)
    parser.add_argument("--envs", type=int, default=2, help="processes that fly")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("ppo.npz"))
    given = parser.parse_args()
    logs = [f"{given.out}.{number}" for number in range(given.envs)]
    envs = SubprocVecEnv([make_env(given.task, given.difficulty, log) for log in logs], start_method="spawn")
    normalised = VecNormalize(envs, clip_obs=1e6, clip_reward=20.0, gamma=0.995)
    model = PPO(
        "MlpPolicy",
        normalised,
        n_steps=2048,
        batch_size=512,
        learning_rate=3e-4,
        gamma=0.995,
        ent_coef=0.0,
        policy_kwargs={"net_arch": HIDDEN, "log_std_init": -0.7},
        seed=given.seed,
        device="cpu",
        verbose=1,
    )
    model.learn(given.steps)
    about = f"PPO, {given.steps} steps of difficulty {given.difficulty:g}, seed {given.seed}"
    policy_of(model, normalised, given.task, about).save(given.out)
    envs.close()
    print(f"{given.out}: {episodes(logs)} episodes")


def episodes(logs: list[str]) -> int:
    """Return the number of episodes in the logs, which have each one's return, length and time."""
    return sum(len(list(csv.reader(Path(f"{log}.monitor.csv").open()))) - 2 for log in logs)


if __name__ == "__main__":
    main()
