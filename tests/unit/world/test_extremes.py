"""Whatever a specification may say, what the vehicle publishes is finite."""

import copy
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from qiki.botspec.planes import BotParameters, Port
from qiki.contracts.telemetry import SimState
from qiki.world.scenario import Scenario
from qiki.world.snapshots import telemetry
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import Cruise, EngageDock, FireThruster, SwitchDockPower, SwitchNbl
from qiki.world.world import SimWorld

EXTREMES = (0.0, 1e-6, 1e-3, 1.0, 100.0, 1e4, 1e6, 1e9, -273.15)
SCENARIO = Scenario.model_validate({"name": "test", "description": "nothing at all"})
STATE = SimState(running=True, paused=False, speed=1.0, tick=0, run_id=str(UUID(int=1)), behind_s=0.0)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of the numbers."""
    if isinstance(value, float):
        return [path]
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in members for place in places(inner, (*path, key))]


DEFAULTS = BotParameters().model_dump(mode="json")
PLACES = places(DEFAULTS)


def put(content: Any, place: tuple[Any, ...], value: float) -> Any:
    changed = copy.deepcopy(content)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


def allowed(model: type[BaseModel], content: Any) -> bool:
    try:
        model.model_validate(content)
    except ValidationError:
        return False
    return True


CHOICES = {
    place: [value for value in EXTREMES if allowed(BotParameters, put(DEFAULTS, place, value))] for place in PLACES
}


@settings(max_examples=100)
@given(st.data())
def test_telemetry_is_finite(data: st.DataObject):
    content = DEFAULTS
    for place in data.draw(st.sets(st.sampled_from(PLACES), min_size=1)):
        changed = put(content, place, data.draw(st.sampled_from(CHOICES[place])))
        content = changed if allowed(BotParameters, changed) else content  # two thresholds may exclude each other
    world = SimWorld(SCENARIO, BotParameters.model_validate(content), 1, UUID(int=1))
    for order in (SwitchNbl(on=True), FireThruster(Axis.UP, 1.0, 1.0)):
        if order.refusal(world.vehicle) is None:
            world.submit(order)
    for _ in range(10):
        world.tick()
    for order in (Cruise(1.0), EngageDock(Port.A), SwitchDockPower(on=True)):
        order.apply(world.vehicle)
        for _ in range(10):
            world.tick()
        telemetry(world, STATE)  # refuses what is not finite


def test_every_number_has_extremes_to_try():
    assert len(PLACES) == 93
    assert all(CHOICES.values())
