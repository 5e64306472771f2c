"""The latency of a scenario: the agent's commands take effect later, the same for the same seed."""

from uuid import UUID

import pytest

from qiki.agent import Proposal, fire
from qiki.contracts.sim import Origin
from qiki.contracts.ticks import TICK_S
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
    """Numbers of commands, one a tick, with the ticks at which they took effect, in the sequence of these."""
    flight = Flight(scenario, seed=seed, run_id=RUN, agent=None)
    obeyed = []
    for number in range(60):
        flight.world.submit_late(FireThruster(Axis.UP, 0.1, 0.05 + number / 1000.0), AGENT)
        obeyed += [(round((one.order.duration_s - 0.05) * 1000.0), one.tick) for one in flight.world.tick().orders]
    return obeyed


def test_a_fixed_delay_is_that_of_every_command():
    assert effects(late(thinking_s=(0.2, 0.2), link_s=(0.1, 0.1))) == [(number, number + 6) for number in range(54)]


@pytest.mark.parametrize("thinking_s", [(0.1, 0.4), (0.0, 0.4)])
def test_a_drawn_delay_is_within_its_bounds_and_overtakes_nothing(thinking_s):
    obeyed = effects(late(thinking_s=thinking_s, link_s=(0.0, 0.2)))
    numbers = [number for number, _ in obeyed]
    delays = [tick - number for number, tick in obeyed]
    assert numbers == list(range(len(numbers)))
    assert min(delays) >= thinking_s[0] / TICK_S
    assert max(delays) <= 12
    assert len(set(delays)) > 2


def test_the_delays_follow_from_the_seed():
    scenario = late(thinking_s=(0.0, 0.5))
    assert effects(scenario, 1) == effects(scenario, 1)
    assert effects(scenario, 1) != effects(scenario, 2)


def test_without_a_latency_a_command_takes_effect_at_the_next_tick():
    assert effects(load_scenario("empty")) == [(number, number) for number in range(60)]


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
