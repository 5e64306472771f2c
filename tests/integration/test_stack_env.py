"""Environments over a stack: the numbers and digests of one process, and policies that decide as in training."""

from uuid import UUID

import numpy as np
import pytest

from qiki.botspec import generate, load_spec
from qiki.contracts.events import PROPOSAL_ACCEPTED, Decision
from qiki.contracts.headers import Message
from qiki.envs import TwinEnv
from qiki.errors import UserError
from qiki.flight import Flight
from qiki.flight.digest import canonical
from qiki.state import StateError
from qiki.tasks import SIZE, Avoid, Policy, read_engine
from qiki.world.scenario import Latency
from qiki_harness.envs import StackEnv
from qiki_harness.errors import HarnessError
from qiki_harness.testing import ServiceProcess

RUN = UUID("5ca1ab1e-0000-4000-8000-000000000022")
SLOW_MACHINE_S = 120.0
STEPS = 60


def actions(count):
    return np.random.default_rng(3).uniform(-1, 1, (count, 5)).astype(np.float32)


@pytest.fixture
def stack_env(tmp_path):
    made = []

    def make(*args, **options):
        made.append(StackEnv(*args, folder=tmp_path / f"env-{len(made)}", **options))
        return made[-1]

    yield make
    for env in made:
        env.close()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("task", ["avoid", "rendezvous", "inspect"])
def test_a_stack_gives_the_numbers_and_the_digest_of_one_process(stack_env, task):
    flown, stack = TwinEnv(task, digests=True), stack_env(task, digests=True)
    one, info = flown.reset(seed=11)
    other, info_of_stack = stack.reset(seed=11)
    assert info == info_of_stack
    assert np.array_equal(one, other)
    for number, action in enumerate(actions(STEPS)):
        (one, reward, *ends, _), (other, reward_of_stack, *ends_of_stack, _) = flown.step(action), stack.step(action)
        assert np.array_equal(one, other), number
        assert (reward, ends) == (reward_of_stack, ends_of_stack), number
    assert flown.digest() == stack.digest() is not None  # it is text


@pytest.mark.timeout(400)
def test_commands_are_as_late_on_a_stack_as_in_one_process(stack_env, tmp_path):
    latency = Latency(thinking_s=(0.0, 0.5), link_s=(0.05, 0.2))
    path = tmp_path / "late.yaml"
    path.write_text(Avoid().world(2, 0.3).model_copy(update={"latency": latency}).model_dump_json())
    ends = []
    for env in (
        TwinEnv("avoid", scenario=str(path), digests=True),
        stack_env("avoid", scenario=str(path), digests=True),
    ):
        env.reset(seed=2)
        steps = [env.step(action)[:2] for action in actions(STEPS)]
        ends.append((np.array([seen for seen, _ in steps]).tolist(), [reward for _, reward in steps], env.digest()))
    assert ends[0] == ends[1]


def pilot(observation):
    """Proportional to place and speed, enough to dock."""
    known, *rest = observation["goal"].tolist()
    place, speed = np.array(rest[:3]) * 100.0, np.array(rest[3:]) * 10.0
    action = np.zeros(5)
    action[:3] = np.clip((place * 0.06 + speed) * 1.5, -1, 1) * known
    return action


@pytest.mark.timeout(400)
def test_an_episode_ends_alike_with_the_dock_latched(stack_env):
    options = {"difficulty": 0.0, "observation": "dict", "digests": True}
    flown, stack = TwinEnv("rendezvous", **options), stack_env("rendezvous", **options)
    ends = []
    for env in (flown, stack):
        observation, _ = env.reset(seed=3)
        over = False
        while not over:
            observation, reward, over, _, info = env.step(pilot(observation))
        ends.append((reward, info["outcome"], info["digest"], info["summary"], observation["own"].tolist()))
    assert ends[0] == ends[1]
    assert ends[0][1] == "docked"
    assert ends[0][4][10] == 1.0


@pytest.mark.timeout(400)
def test_episodes_follow_one_another(stack_env):
    env, other = stack_env("avoid"), TwinEnv("avoid")
    for seed in (1, 2):
        assert np.array_equal(env.reset(seed=seed)[0], other.reset(seed=seed)[0])
        assert env.step(np.zeros(5))[1] == other.step(np.zeros(5))[1]


@pytest.mark.timeout(400)
def test_a_stack_that_dies_is_one_line_and_the_next_episode_begins(stack_env):
    env = stack_env("avoid")
    env.reset(seed=1)
    env.step(np.zeros(5))
    env._twin.agent.kill()
    with pytest.raises(HarnessError, match="the agent's process has ended"):
        [env.step(np.zeros(5)) for _ in range(3)]
    env.reset(seed=1)
    env.step(np.zeros(5))


def test_what_a_stack_has_not_is_refused(stack_env, tmp_path):
    with pytest.raises(UserError, match="sees tracks"):
        stack_env("avoid", perception="truth")
    env = stack_env("avoid")
    env.reset(seed=1)
    with pytest.raises(StateError, match="qiki up --from"):
        env.save()


def some_policy(path):
    rng = np.random.default_rng(5)
    layers = [(rng.normal(size=(SIZE, 16)), np.zeros(16)), (rng.normal(size=(16, 5)) * 0.5, np.zeros(5))]
    Policy.of("avoid", layers).save(path)
    return path


@pytest.mark.timeout(400)
def test_a_policy_decides_on_a_stack_as_in_one_process(own_twin, tmp_path):
    path, world = some_policy(tmp_path / "some.npz"), tmp_path / "world.yaml"
    scenario = Avoid().world(5, 0.5)
    world.write_text(scenario.model_dump_json())
    flight = Flight(scenario, run_id=RUN, engines={"policy": read_engine(path, generate(load_spec()))})
    events = [event for moment in flight.fly(12.0) for event in moment.events]
    decided = [canonical(event.message) for event in events if isinstance(event.body, Decision)]

    conduct = {"AGENT_LOCKSTEP_TICKS": "2"}
    twin = own_twin(world, run_id=RUN, start=False, env=conduct, without=("qiki-dev",))
    settings = {"QIKI_DEV_KEYS_DIR": twin.stack.folder.keys("qiki-dev"), "AGENT_POLICY": path, **conduct}
    with ServiceProcess("q_core_agent", tmp_path / "agent.log", **settings, **twin.stack.info.addresses):
        twin.await_tracked_frame(frame=120, deadline_s=SLOW_MACHINE_S)
    events = [one for one in twin.events() if one.subject == PROPOSAL_ACCEPTED.subject]
    stored = [canonical(Message(one.subject, one.body, one.headers)) for one in events]
    assert stored[: len(decided)] == decided
    assert len(decided) > 60


def test_a_policy_that_is_none_ends_the_agent_with_one_line(tmp_path):
    path = tmp_path / "none.npz"
    path.write_bytes(b"rubbish")
    process = ServiceProcess("q_core_agent", tmp_path / "agent.log", AGENT_POLICY=path)
    process.start()
    assert process.wait() == 2
    said = process.log.read_text().splitlines()[-1]
    assert said == f"q-core-agent: engine 'policy': {path}: not a policy (expected an .npz that `Policy.save` wrote)"


@pytest.mark.timeout(400)
def test_a_stack_flies_the_policy_that_the_variable_names(own_twin, tmp_path):
    path = some_policy(tmp_path / "some.npz")
    twin = own_twin("empty", start=False, env={"AGENT_POLICY": str(path), "AGENT_LOCKSTEP_TICKS": "2"})
    twin.await_until(
        "a decision of the policy is executed",
        lambda: [one for one in twin.events() if one.data.fields.get("source") == "policy"],
        SLOW_MACHINE_S,
    )
    twin.await_agent_state(lambda state: "policy" in state.engines, deadline_s=SLOW_MACHINE_S)
