"""Runs: their identities, and how the simulator makes and switches them."""

import itertools
from pathlib import Path
from uuid import UUID, uuid5

import pytest
from structlog.testing import capture_logs

from q_sim_service.runs import RunCounter, run_ids, warn_if_derived
from qiki.botspec.planes import BotParameters
from qiki.errors import UserError
from qiki.world.errors import OrderError
from qiki.world.scenario import Scenario
from qiki.world.simulator import RunState, Setup, Simulator

FIRST = UUID("11111111-2222-4333-8444-555555555555")
SCENARIOS = {
    name: Scenario(name=name, description="nothing there", seed=seed) for name, seed in (("one", 11), ("two", 22))
}


def load(name: str) -> Scenario:
    if name not in SCENARIOS:
        raise UserError(f"no scenario is called {name!r}")
    return SCENARIOS[name]


def simulator(seed: int | None = None, speed: float = 1.0) -> Simulator:
    return Simulator(Setup(BotParameters(), 5000.0, seed, load), SCENARIOS["one"], run_ids(FIRST), speed)


@pytest.mark.parametrize(("given", "warned"), [(None, False), (FIRST, False), (uuid5(FIRST, "0"), True)])
def test_a_run_with_another_id_than_the_given_one_gets_a_warning(given, warned):
    with capture_logs() as lines:
        warn_if_derived(given, FIRST)
    assert [(line["log_level"], line["run_id"]) for line in lines] == [("warning", str(FIRST))] * warned


def test_fixed_run_ids_are_derived():
    assert list(itertools.islice(run_ids(FIRST), 3)) == [FIRST, uuid5(FIRST, "1"), uuid5(FIRST, "2")]


def test_another_life_goes_on_behind_the_ids_that_were_given(tmp_path: Path):
    folder, other = tmp_path / "state", UUID(int=7)
    lives = [list(itertools.islice(run_ids(FIRST, RunCounter(folder)), 2)) for _ in range(2)]
    assert lives == [[FIRST, uuid5(FIRST, "1")], [uuid5(FIRST, "2"), uuid5(FIRST, "3")]]
    assert next(run_ids(other, RunCounter(folder))) == other
    assert next(run_ids(FIRST, RunCounter(tmp_path / "fresh"))) == FIRST


BROKEN = ["", "[]", "{}}", '{"one": 1}', f'{{"{FIRST}": null}}', f'{{"{FIRST}": -1}}', "\x00" * 80, "[" * 100_000]


def taken(folder: Path, count: int) -> list[UUID]:
    """The ids of another life."""
    return list(itertools.islice(run_ids(FIRST, RunCounter(folder)), count))


@pytest.mark.parametrize("content", [None, *BROKEN], ids=range(len(BROKEN) + 1))
def test_a_count_that_is_lost_or_does_not_read_repeats_no_id_and_stops_nobody(tmp_path: Path, content: str | None):
    """None: it was deleted. The ids of later lives go on behind those of the first one after the loss."""
    path, used = tmp_path / "runs.json", taken(tmp_path, 3)
    for _ in range(2):
        path.unlink() if content is None else path.write_text(content)
        with capture_logs() as lines:
            used += taken(tmp_path, 3)
        assert [line["log_level"] for line in lines] == ["error"]
        used += taken(tmp_path, 3)
    assert len(set(used)) == 15
    assert used[:2] == [FIRST, uuid5(FIRST, "1")]


def test_a_count_that_may_not_be_read_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    used = taken(tmp_path, 2)

    def refused(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", refused)
        used += taken(tmp_path, 2)
    assert len(set(used + taken(tmp_path, 2))) == 6


def test_a_count_that_cannot_be_kept_gives_no_id_and_can_be_asked_again(tmp_path: Path):
    folder = tmp_path / "state"
    ids = run_ids(FIRST, RunCounter(folder))
    folder.write_text("in the way")
    with pytest.raises(UserError, match="QIKI_STATE_DIR: cannot write"):
        next(ids)
    folder.unlink()
    assert next(ids) == FIRST


def test_run_ids_are_random_otherwise():
    assert len(set(itertools.islice(run_ids(None), 100))) == 100


def test_it_begins_stopped_and_is_switched():
    simulated = simulator()
    assert simulated.state is RunState.STOPPED
    simulated.start(4.0)
    assert (simulated.state, simulated.speed) == (RunState.RUNNING, 4.0)
    simulated.pause()
    assert simulated.state is RunState.PAUSED
    simulated.pause()
    simulated.start(None)
    assert (simulated.state, simulated.speed) == (RunState.RUNNING, 1.0)
    simulated.stop()
    with pytest.raises(OrderError, match="nothing to pause"):
        simulated.pause()


def test_the_seed_is_the_given_one_or_the_configured_or_the_scenarios():
    assert simulator().world.seed == 11
    assert simulator(seed=5).world.seed == 5
    simulated = simulator()
    simulated.reset("two", None, None)
    assert simulated.world.seed == 22
    simulated.reset(None, 9, None)
    assert (simulated.world.scenario.name, simulated.world.seed) == ("two", 9)
    simulated.reset(None, None, None)
    assert (simulated.world.scenario.name, simulated.world.seed) == ("two", 9)


def test_a_reset_is_a_new_run_stopped_at_tick_zero():
    simulated = simulator()
    simulated.start(None)
    simulated.world.tick()
    simulated.reset(None, None, 3.0)
    assert (simulated.state, simulated.world.tick_count, simulated.world.run_id) == (
        RunState.STOPPED,
        0,
        uuid5(FIRST, "1"),
    )
    simulated.start(None)
    assert simulated.speed == 3.0


def test_a_scenario_that_is_not_there_changes_nothing():
    simulated = simulator()
    simulated.start(2.0)
    before = simulated.world
    with pytest.raises(UserError):
        simulated.reset("three", 5, 7.0)
    assert simulated.world is before
    assert (simulated.state, simulated.speed) == (RunState.RUNNING, 2.0)
    simulated.reset("two", None, None)
    assert simulated.world.run_id == uuid5(FIRST, "1")


def test_state_for_telemetry():
    simulated = simulator(speed=2.5)
    simulated.start(None)
    simulated.world.tick()
    state = simulated.sim_state(0.3)
    assert (state.running, state.paused, state.speed, state.tick, state.behind_s) == (True, False, 2.5, 1, 0.3)
    simulated.pause()
    assert (simulated.sim_state(0.0).running, simulated.sim_state(0.0).paused) == (False, True)
