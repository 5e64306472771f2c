"""The environments, as Gymnasium's users know them."""

import json
import math

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv

import qiki.envs
from qiki.envs import SavedEnv, TwinEnv
from qiki.errors import UserError
from qiki.state import StateError
from qiki.tasks import SHAPES, SIZE, Attempt, Avoid
from qiki.tasks.actions import ActionError

STEPS = 25


def actions(count=STEPS, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 5)).astype(np.float32)


def fly(env, count=STEPS, **reset):
    """Observations and rewards of an episode's begin."""
    seen = [env.reset(**reset)[0]]
    rewards = []
    for action in actions(count):
        observation, reward, *_ = env.step(action)
        seen.append(observation)
        rewards.append(reward)
    return np.array(seen), rewards


@pytest.mark.parametrize("name", qiki.envs.IDS)
def test_gymnasiums_own_check_passes(name):
    env = gymnasium.make(name, render_mode="rgb_array")
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


@pytest.mark.parametrize("name", qiki.envs.IDS)
def test_the_same_seed_gives_the_same_episode(name):
    one, other = gymnasium.make(name), gymnasium.make(name)
    seen, rewards = fly(one, seed=7)
    again, rewards_again = fly(other, seed=7)
    assert np.array_equal(seen, again)
    assert rewards == rewards_again
    assert not np.array_equal(seen, fly(one, seed=8)[0])


def test_episodes_without_a_seed_follow_from_the_first():
    def worlds(seed):
        env = TwinEnv("avoid", perception="truth")
        return [env.reset(seed=seed)[1]["seed"], *(env.reset()[1]["seed"] for _ in range(3))]

    assert worlds(1) == worlds(1)
    assert len(set(worlds(1))) == 4
    assert worlds(1)[1:] != worlds(2)[1:]


def test_flat_and_dict_have_the_same_numbers():
    flat, parts = TwinEnv("avoid"), TwinEnv("avoid", observation="dict")
    flat.reset(seed=1)
    parts.reset(seed=1)
    for action in actions(5):
        one, other = flat.step(action)[0], parts.step(action)[0]
        assert np.array_equal(one, np.concatenate([other[name].ravel() for name in SHAPES]))
        assert one.shape == (SIZE,)
        assert parts.observation_space.contains(other)


@pytest.mark.parametrize("vectorised", [SyncVectorEnv, AsyncVectorEnv])
def test_vector_environments_give_what_single_ones_give(vectorised):
    make = [lambda: TwinEnv("avoid", perception="truth")] * 2
    many = vectorised(make)
    try:
        seen, _ = many.reset(seed=[3, 4])
        rows = [seen]
        rows += [many.step(np.stack([action, action]))[0] for action in actions(10)]
    finally:
        many.close()
    for place, seed in enumerate((3, 4)):
        alone, _ = fly(TwinEnv("avoid", perception="truth"), 10, seed=seed)
        assert np.array_equal(np.array(rows)[:, place], alone)


def test_an_episode_ends_with_its_outcome_its_figures_and_its_digest():
    env = TwinEnv("inspect", scenario="mixed-traffic", digests=True)
    env.reset(seed=1)
    total = 0.0
    for _ in range(1000):
        _, reward, terminated, truncated, info = env.step(np.zeros(5))
        total += reward
        if terminated or truncated:
            break
    assert (terminated, truncated, info["outcome"]) == (True, False, "alarmed")
    assert info["summary"]["score"] == pytest.approx(total)
    assert len(info["digest"]) == 64
    with pytest.raises(UserError, match="has ended"):
        env.step(np.zeros(5))
    env.reset()
    env.step(np.zeros(5))


def test_time_out_truncates():
    env = TwinEnv("rendezvous", perception="truth")
    env.reset(seed=1)
    for _ in range(900):
        _, _, terminated, truncated, info = env.step(np.zeros(5))
    assert (terminated, truncated, info["outcome"]) == (False, True, "out of time")


def test_an_environment_flies_what_an_attempt_flies():
    """An engine that does nothing, and actions of nothing."""
    env = TwinEnv("avoid", difficulty=0.3)
    env.reset(seed=2)
    for _ in range(60):
        *_, terminated, truncated, _ = env.step(np.zeros(5))
        assert (terminated, truncated) == (False, False)
    attempt = Attempt(Avoid(), Avoid().world(2, 0.3), {})
    steps = attempt.steps()
    for _ in range(61):
        next(steps)
    assert env.summary == vars(attempt.summary)


def test_the_station_takes_the_vehicle():
    """A pilot that brakes: proportional to place and speed."""
    env = TwinEnv("rendezvous", difficulty=0.2, perception="truth", observation="dict")
    seen, _ = env.reset(seed=4)
    outcome = ""
    while not outcome:
        known, *rest = seen["goal"].tolist()
        place, speed = np.array(rest[:3]) * 100.0, np.array(rest[3:]) * 10.0
        wanted = place * 0.04
        action = np.zeros(5)
        action[:3] = np.clip((wanted + speed) * 1.5, -1, 1) * known
        seen, *_, info = env.step(action)
        outcome = info.get("outcome", "")
    assert outcome == "docked"
    assert seen["own"][10] == 1.0  # docked


def test_actions_are_refused_in_safe_mode():
    env = TwinEnv("avoid", difficulty=1.0, perception="truth")
    env.reset(seed=1)
    still = np.zeros(5)
    while not env.step(still)[0][SHAPES["own"][0] + SHAPES["goal"][0]]:  # critical alerts
        pass
    env.step(still)
    burnt = env.summary["propellant_kg"]
    env.step([1.0, 0, 0, 0, 0])
    assert env.summary["propellant_kg"] == burnt == 0.0


def test_a_step_until_an_event_is_many_frames_and_adds_their_rewards():
    frames, events = TwinEnv("avoid"), TwinEnv("avoid", until="event", longest_s=0.5)
    frames.reset(seed=1)
    events.reset(seed=1)
    action = np.array([0.5, 0, 0, 0, 0])
    counts = []
    for _ in range(12):
        seen, reward, *_, info = events.step(action)
        counts.append(info["frames"])
        one = [frames.step(action) for _ in range(info["frames"])]
        assert np.array_equal(one[-1][0], seen)
        assert sum(step[1] for step in one) == pytest.approx(reward)
    assert max(counts) == 5
    assert min(counts) < 5


@pytest.mark.parametrize("name", ["qiki/Avoid-v0", "qiki/InspectTruth-v0"])
def test_a_saved_environment_goes_on_as_the_uninterrupted_one(name):
    env = gymnasium.make(name).unwrapped
    env.reset(seed=5)
    for action in actions(40):
        env.step(action)
    saved = env.save()
    rest = [env.step(action) for action in actions(40, seed=1)]
    next_seed = env.reset()[1]["seed"]
    for one in (saved, SavedEnv.from_bytes(saved.to_bytes())):
        other = gymnasium.make(name).unwrapped
        other.load(one)
        for (seen, reward, *ends, _), action in zip(rest, actions(40, seed=1), strict=True):
            seen_again, reward_again, *ends_again, _ = other.step(action)
            assert np.array_equal(seen, seen_again)
            assert (reward, ends) == (reward_again, ends_again)
        assert other.reset()[1]["seed"] == next_seed


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format": 9}', b'{"format": 1, "flight": "x"}'])
def test_what_is_no_saved_environment_is_refused(content):
    with pytest.raises(StateError):
        SavedEnv.from_bytes(content)


@pytest.mark.parametrize("action", [[math.nan] * 5, [0.0] * 3, [2.0] + [0.0] * 4])
def test_a_bad_action_changes_nothing(action):
    env, other = TwinEnv("avoid"), TwinEnv("avoid")
    env.reset(seed=1)
    other.reset(seed=1)
    with pytest.raises(ActionError):
        env.step(action)
    assert np.array_equal(env.step(np.zeros(5))[0], other.step(np.zeros(5))[0])


def test_a_closed_environment_and_one_that_is_not_begun_say_so():
    env = TwinEnv("avoid")
    with pytest.raises(UserError, match="call reset first"):
        env.step(np.zeros(5))
    env.close()
    env.close()
    for use in (env.reset, lambda: env.step(np.zeros(5)), env.save):
        with pytest.raises(UserError, match="is closed"):
            use()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"task": "dance"}, "no task is called"),
        ({"observation": "wide"}, "observation is 'wide'"),
        ({"until": "noon"}, "until is 'noon'"),
        ({"perception": "faith"}, "perception is 'faith'"),
        ({"render_mode": "ansi"}, "render_mode is 'ansi'"),
        ({"scenario": "nowhere"}, "no scenario is called"),
    ],
)
def test_a_wrong_option_is_one_line(options, said):
    with pytest.raises(UserError, match=said):
        TwinEnv(**options)


def test_the_truth_says_so_in_its_id():
    with pytest.raises(UserError, match="AvoidTruth-v0"):
        gymnasium.make("qiki/Avoid-v0", perception="truth").reset(seed=1)


def test_a_picture_shows_the_surroundings():
    env = TwinEnv("avoid", difficulty=1.0, render_mode="rgb_array")
    env.reset(seed=1)
    for _ in range(20):
        env.step(np.zeros(5))
    picture = env.render()
    assert (picture.shape, picture.dtype) == ((400, 400, 3), np.uint8)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 4
    assert json.dumps(env.summary)
