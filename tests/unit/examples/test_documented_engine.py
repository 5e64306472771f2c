"""The engine that docs/agent.md shows: it can be copied as it stands."""

from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import pytest

from qiki.agent.engine_call import read_proposals
from qiki.agent.world import World

PAGE = Path(__file__).parents[3] / "docs/agent.md"


@pytest.fixture
def engine():
    code = PAGE.read_text().partition("one method:\n")[2].partition("\n- `World`")[0]
    names = {}
    exec(compile(dedent(code), PAGE.name, "exec"), names)
    return names["Patient"](None)


def proposed(engine, t_s, soc_pct=20.0, velocity=5.0):
    own = SimpleNamespace(power=SimpleNamespace(soc_pct=soc_pct), velocity=velocity)
    proposals = read_proposals(tuple(engine.propose(World(tick=1, t_s=t_s, own=own))))
    return [(action.actuator, action.value) for proposal in proposals for action in proposal.actions]


def test_it_stops_on_a_low_battery_and_waits_for_the_effect(engine):
    assert proposed(engine, 1000.0) == [("motor_left", 0.0)]
    assert proposed(engine, 1004.9) == []
    assert proposed(engine, 1005.0) == [("motor_left", 0.0)]


def test_it_has_nothing_to_say_otherwise(engine):
    assert proposed(engine, 1000.0, soc_pct=30.0) == []
    assert proposed(engine, 1000.0, velocity=0.0) == []
    assert tuple(engine.propose(World(tick=1))) == ()
