"""The latency of a scenario: the agent's commands take effect later, the same for the same seed."""

from uuid import UUID

import pytest

from qiki.agent import Proposal, fire
from qiki.contracts.sim import Origin
from qiki.flight import Flight
from qiki.tasks import Attempt, Avoid
from qiki.world.scenario import Scenario, load_scenario
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import FireThruster
from qiki.world.world import Giver

RUN = UUID("5ca1ab1e-0000-4000-8000-000000000004")
AGENT = Giver(Origin.GRPC, "q-core-agent")


class Burner:
    def propose(self, _world):
        return [Proposal((fire("up", 100.0, 0.1),), "test")]


def late(thinking_s=(0.0, 0.0), link_s=(0.0, 0.0), name="empty"):
    content = load_scenario(name).model_dump(mode="json")
    return Scenario.model_validate(content | {"latency": {"thinking_s": thinking_s, "link_s": link_s}})


def effects(scenario, seed=1):
    """Ticks at which commands were given, and took effect."""
    flight = Flight(scenario, seed=seed, run_id=RUN, agent=None)
    given, effect = [], []
    for _ in range(60):
        given.append(flight.world.tick_count)
        flight.world.submit_late(FireThruster(Axis.UP, 0.1, 0.05), AGENT)
        effect += [one.tick for one in flight.world.tick().orders]
    return given, effect


def test_a_fixed_delay_is_that_of_every_command():
    given, effect = effects(late(thinking_s=(0.2, 0.2), link_s=(0.1, 0.1)))
    assert effect == [tick + 6 for tick in given[: len(effect)]]


def test_a_drawn_delay_is_within_its_bounds_and_overtakes_nothing():
    given, effect = effects(late(thinking_s=(0.1, 0.4), link_s=(0.0, 0.2)))
    delays = [after - before for before, after in zip(given, effect, strict=False)]
    assert effect == sorted(effect)
    assert min(delays) >= 2
    assert max(delays) <= 12
    assert len(set(delays)) > 2


def test_the_delays_follow_from_the_seed():
    scenario = late(thinking_s=(0.0, 0.5))
    assert effects(scenario, 1) == effects(scenario, 1)
    assert effects(scenario, 1) != effects(scenario, 2)


def test_without_a_latency_a_command_takes_effect_at_the_next_tick():
    given, effect = effects(load_scenario("empty"))
    assert given == effect


def test_the_agent_is_late_in_a_flight_and_a_saved_one_goes_on():
    scenario = late(thinking_s=(0.1, 0.5), link_s=(0.05, 0.1), name="collision")

    def begun(seconds):
        flight = Flight(scenario, run_id=RUN, engines={"burner": Burner()})
        return flight, [one.body for moment in flight.fly(seconds) for one in moment.orders]

    flight, _ = begun(6.0)
    saved = flight.save()
    again = Flight.resume(saved, {"burner": Burner()})
    rest = [one.body for moment in flight.fly(4.0) for one in moment.orders]
    assert [one.body for moment in again.fly(4.0) for one in moment.orders] == rest
    assert rest


def test_a_task_has_latency_where_its_world_has():
    world = Avoid().world(1, 0.0)
    slow = world.model_copy(update={"latency": late(thinking_s=(1.0, 1.0)).latency})
    burnt = []
    for scenario in (world, slow):
        attempt = Attempt(Avoid(), scenario, {"burner": Burner()})
        steps = attempt.steps()
        for _ in range(30):
            next(steps)
        burnt.append(attempt.summary.propellant_kg)
    assert burnt[0] > burnt[1] > 0.0


@pytest.mark.parametrize(
    ("latency", "said"),
    [
        ({"thinking_s": [0.5, 0.1]}, "expected the lower bound first"),
        ({"link_s": [-1, 0]}, "greater than or equal to 0"),
        ({"link_s": [0, 100]}, "less than or equal to 60"),
        ({"waiting_s": [0, 1]}, "waiting_s"),
    ],
)
def test_a_wrong_latency_is_refused(latency, said):
    content = load_scenario("empty").model_dump(mode="json")
    with pytest.raises(ValueError, match=said):
        Scenario.model_validate(content | {"latency": latency})
