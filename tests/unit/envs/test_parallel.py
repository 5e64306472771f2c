"""Several engines that share one vehicle."""

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test

from qiki.envs import TwinEnv
from qiki.envs.parallel import ParallelTwinEnv
from qiki.errors import UserError

STILL = np.zeros(5)


def test_pettingzoos_own_checks_pass():
    parallel_api_test(ParallelTwinEnv(perception="truth"), num_cycles=50)
    parallel_seed_test(lambda: ParallelTwinEnv(perception="truth"), num_cycles=20)


def test_engines_that_want_different_actuators_share_the_vehicle():
    both, alone = ParallelTwinEnv("inspect"), TwinEnv("inspect")
    both.reset(seed=1)
    alone.reset(seed=1)
    for _ in range(20):
        seen, reward, *_ = both.step({"pilot": [0.5, 0, 0, 0, 0], "helm": [0, 0, 0, 0, 1.0]})
        one, of_one, *_ = alone.step([0.5, 0, 0, 0, 1.0])
    assert np.array_equal(seen["pilot"], one)
    assert np.array_equal(seen["helm"], one)
    assert reward == {"helm": of_one, "pilot": of_one}


def test_of_two_that_want_one_actuator_the_first_has_it():
    def burnt(**actions):
        env = ParallelTwinEnv("inspect")
        env.reset(seed=1)
        for _ in range(20):
            env.step(actions)
        return env.env.summary["propellant_kg"]

    full, small = [0, 0, 1.0, 0, 0], [0, 0, 0.1, 0, 0]
    assert burnt(helm=small, pilot=full) == burnt(helm=small, pilot=STILL) < burnt(helm=full, pilot=small)


def test_what_is_missing_is_named():
    env = ParallelTwinEnv()
    env.reset(seed=1)
    with pytest.raises(UserError, match="no action for pilot"):
        env.step({"helm": STILL})
    with pytest.raises(UserError, match="names that differ"):
        ParallelTwinEnv(engines=("one", "one"))
