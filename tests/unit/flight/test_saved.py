"""A saved run goes on as the run that was not interrupted, and a state that does not fit is refused."""

import json
from collections.abc import Iterable
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qiki.agent import Proposal, SavingEngine, World, fire
from qiki.botspec import generate, load_spec
from qiki.botspec.planes import Port
from qiki.contracts.enums import FSMState, TransponderMode
from qiki.contracts.sim import Origin
from qiki.contracts.ticks import TICK_S
from qiki.flight import Flight, SavedFlight
from qiki.flight.digest import RunDigest
from qiki.state import StateError
from qiki.world.scenario import load_scenario, scenario_names
from qiki.world.vehicle import orders
from qiki.world.vehicle.axes import Axis
from qiki.world.vehicle.orders import Order
from qiki.world.world import Giver

RUN = UUID("6f1c3d1e-0000-4000-8000-000000000001")
INGEST = datetime(2026, 1, 1, tzinfo=UTC)
AVOIDANCE = Path(__file__).parents[3] / "docs/examples/avoidance/avoidance.py"
ORDERS = st.sampled_from(
    [
        orders.FireThruster(Axis.UP, 0.7, 1.3),
        orders.FireThruster(Axis.PORT, 1.0, 0.4),
        orders.Cruise(0.4),
        orders.Turn(-75.0),
        orders.SetMode(FSMState.ERROR_STATE),
        orders.SetMode(FSMState.IDLE),
        orders.SetTransponder(TransponderMode.SPOOF),
        orders.SwitchNbl(on=True),
        orders.EngageDock(Port.A),
        orders.ReleaseDock(),
        orders.Fork(RUN, seed=99),
        orders.Fork(RUN, seed=5, scenario=load_scenario("crossing")),
    ]
)


def flight(scenario: str = "mixed-traffic", **options: Any) -> Flight:
    return Flight(load_scenario(scenario), **{"run_id": RUN, **options})


def flown(one: Flight, ticks: int, given: dict[int, list[Order]] | None = None) -> list[Any]:
    """Everything that so many ticks bring, as it would be published."""
    messages = []
    for _ in range(ticks):
        for order in (given or {}).get(one.world.tick_count, []):
            if one.world._refusal(order) is None:
                one.world.submit(order, Giver(Origin.CONTROL, "test", "m"))
        messages += one.tick().messages(INGEST)
    return [(one.subject, one.headers, one.body) for one in messages]


def digest(one: Flight, ticks: int, given: dict[int, list[Order]] | None = None) -> Any:
    made = RunDigest(str(RUN))
    for _ in range(ticks):
        for order in (given or {}).get(one.world.tick_count, []):
            if one.world._refusal(order) is None:
                one.world.submit(order)
        for message in one.tick().messages(INGEST):
            if message.subject.startswith("qiki."):
                made.add(message)
    return made.finish()


def avoidance() -> SavingEngine:
    spec = spec_from_file_location("avoidance", AVOIDANCE)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    engine = module.Avoidance(generate(load_spec()))
    assert isinstance(engine, SavingEngine)
    return engine


@pytest.mark.parametrize("scenario", scenario_names())
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=st.integers(0, 140),
    seed=st.integers(0, 2**32),
    orders_at=st.dictionaries(st.integers(0, 160), st.lists(ORDERS, max_size=2), max_size=6),
    past_wire=st.booleans(),
)
def test_a_restored_run_is_the_uninterrupted_one(
    scenario: str, before: int, seed: int, orders_at: dict[int, list[Order]], past_wire: bool
):
    whole, first = flight(scenario, seed=seed), flight(scenario, seed=seed)
    flown(whole, before, orders_at)
    flown(first, before, orders_at)
    saved = first.save()
    second = Flight.resume(SavedFlight.from_bytes(saved.to_bytes()) if past_wire else saved)
    assert flown(second, 24, orders_at) == flown(whole, 24, orders_at)
    assert second.save().state == whole.save().state


@pytest.mark.parametrize("scenario", ["mixed-traffic", "collision"])
def test_the_digests_are_the_same_a_long_time_after(scenario: str):
    whole, first = flight(scenario), flight(scenario)
    flown(whole, 333)
    flown(first, 333)
    assert digest(Flight.resume(first.save()), 600) == digest(whole, 600)


def test_what_an_engine_keeps_goes_on_too():
    whole = flight("collision", engines={"avoidance": avoidance()})
    first = flight("collision", engines={"avoidance": avoidance()})
    burnt = next(tick for tick in range(600) if any(b'"rcs.fire"' in body for *_, body in flown(first, 1)))
    flown(whole, burnt + 1)
    second = Flight.resume(SavedFlight.from_bytes(first.save().to_bytes()), {"avoidance": avoidance()})
    forgetful = Flight.resume(first.save(), {"avoidance": avoidance()})
    forgetful._agent._engines._engines["avoidance"].load(["", 0.0, 0.0])
    rest = flown(whole, 200)
    assert flown(second, 200) == rest
    assert flown(forgetful, 200) != rest


def test_a_flight_goes_back_to_what_it_was():
    one = flight()
    flown(one, 100)
    saved = one.save()
    rest = flown(one, 60)
    one.load(saved)
    assert flown(one, 60) == rest
    one.load(saved)
    assert one.save() == saved


def test_nobody_changes_a_saved_value():
    one = flight()
    flown(one, 100)
    saved = one.save()
    kept = deepcopy(saved.state)
    flown(one, 60)
    flown(Flight.resume(saved), 60)
    assert saved.state == kept
    assert (saved.tick, saved.t_s) == (100, pytest.approx(100 * TICK_S))


class Counting:
    """An engine that keeps a count, and cannot save it."""

    def __init__(self) -> None:
        self.count = 0

    def propose(self, _: World) -> Iterable[Proposal]:
        self.count += 1
        return [Proposal((fire("up", 100.0, 1.0),), "up we go")] if self.count == 20 else []


class Plain:
    """An engine that keeps nothing."""

    def propose(self, _: World) -> Iterable[Proposal]:
        return ()


def test_an_engine_that_keeps_something_unsaved_is_named():
    one = flight(engines={"counting": Counting(), "plain": Plain()})
    flown(one, 10)
    with pytest.raises(StateError, match="engine counting may keep count from tick to tick"):
        one.save()


def changed(saved: SavedFlight, *path: str, value: Any) -> SavedFlight:
    state = deepcopy(saved.state)
    place = state
    for name in path[:-1]:
        place = place[name]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return replace(saved, state=state)


def test_a_state_that_does_not_fit_is_refused_with_its_reason():
    one = flight()
    flown(one, 100)
    saved = one.save()
    for differing, other in (
        ("scenario", flight("collision")),
        ("seed", flight(seed=8)),
        ("run_id", flight(run_id=uuid4())),
        ("agent", flight(agent=None)),
    ):
        with pytest.raises(StateError, match=f"saved with another .*{differing}"):
            other.load(saved)
    with pytest.raises(StateError, match="saved with the engines none"):
        Flight.resume(saved, {"plain": Plain()})
    for fault, broken in (
        (
            r"vehicle\.drive\.heading_deg: .*valid number",
            changed(saved, "world", "vehicle", "drive", "heading_deg", value="east"),
        ),
        (
            r"vehicle\.hull\.integrity_pct: Field required",
            changed(saved, "world", "vehicle", "hull", "integrity_pct", value=None),
        ),
        (r"wings: Extra inputs", changed(saved, "world", "wings", value=2)),
        (r"_agent\._machine\.state", changed(saved, "agent", "_agent", "_machine", "state", value="dreaming")),
        (r"not the state of a flight", changed(saved, "tracked", "tracker", value="cm90")),
        (r"not a time of contacts", changed(saved, "world", "contacts", "t_ns", value=1)),
    ):
        with pytest.raises(StateError, match=fault) as refused:
            flight().load(broken)
        assert "\n" not in str(refused.value)


def test_bytes_of_another_version_or_of_nothing_are_refused():
    content = json.loads(flight().save().to_bytes())
    for fault, raw in (
        ("not a saved flight", b""),
        ("not a saved flight", b"\x28\xb5\x2f\xfd"),
        ("not a saved flight", b"[1, 2]"),
        ("not a saved flight", json.dumps({"format": 1}).encode()),
        ("saved by qiki-dtmp .*, format 99", json.dumps(content | {"format": 99}).encode()),
        ("saved by qiki-dtmp 0.0.1", json.dumps(content | {"product": "0.0.1"}).encode()),
        ("inputs.scenario", json.dumps(content | {"inputs": content["inputs"] | {"scenario": {}}}).encode()),
    ):
        with pytest.raises(StateError, match=fault) as refused:
            SavedFlight.from_bytes(raw)
        assert "\n" not in str(refused.value)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The places of all values in a state."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [place for name, one in inner for place in leaves(one, (*path, name))]
    return [path, *found] if path else found


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    one = flight("mixed-traffic")
    flown(one, 90)
    return json.loads(one.save().to_bytes())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_other_value_is_taken_or_refused_with_a_reason(content: dict[str, Any], data: st.DataObject):
    changed = deepcopy(content)
    *path, last = data.draw(st.sampled_from(leaves(changed)))
    place = changed
    for name in path:
        place = place[name]
    odd = [None, True, -1, 0, 10**30, 1.5, float("inf"), float("nan"), "", "east", "QUFB", [], [1], {}, {"a": 1}]
    place[last] = data.draw(st.sampled_from(odd))
    with suppress(StateError):
        Flight.resume(SavedFlight.from_bytes(json.dumps(changed).encode()))
