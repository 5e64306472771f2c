"""Forks: the run until the moment, another future behind it, and recordings of forks that verify."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from q_sim_service.kept_run import RunFiles
from qiki.contracts.sim import Origin
from qiki.errors import UserError
from qiki.flight import Flight
from qiki.world.scenario import load_scenario
from qiki.world.simulator import RunState
from qiki_harness.cli import app
from qiki_harness.errors import RecordingError
from qiki_harness.recording.compare import compare
from qiki_harness.recording.flown import record_flight, record_moments
from qiki_harness.recording.fork import branch, fly, plant_branch
from qiki_harness.recording.reader import Recording
from qiki_harness.recording.runs import RecordedRun, recorded_run, words_of
from qiki_harness.recording.verify import verify

RUN = UUID("5ca1ab1e-0000-4000-8000-000000000077")
END_S = 30.0


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    """A run whose agent, in lockstep, enters SAFE_MODE at 17 s and leaves it at 21 s."""
    path = tmp_path_factory.mktemp("forks") / "run.mcap"
    record_flight(Flight(load_scenario("mixed-traffic"), run_id=RUN), END_S, path)
    return recorded_run(Recording(path))


def forked(run: RecordedRun, path: Path, t_s: float = 12.3, **future: object) -> RecordedRun:
    one = branch(run, t_s, **future)  # type: ignore[arg-type]
    record_moments(*fly(one, round(END_S * 20)), path)
    return recorded_run(Recording(path))


def test_without_another_future_the_same_follows(recorded: RecordedRun, tmp_path: Path):
    fork = forked(recorded, tmp_path / "fork.mcap")
    assert fork.summary.run_id != recorded.summary.run_id
    found = compare(recorded, fork)
    assert (found.difference, found.frames) == (None, 300)
    assert list(found.orders) == [f"run.fork at tick 246 parent={RUN} in B"]
    assert verify(fork).same


@pytest.mark.parametrize("future", [{"seed": 7}, {"scenario": load_scenario("crossing")}, {"engines": "none"}])
def test_another_future_begins_with_its_moment(recorded: RecordedRun, future: dict[str, object], tmp_path: Path):
    fork = forked(recorded, tmp_path / "fork.mcap", **future)
    found = compare(recorded, fork)
    assert found.difference is not None
    assert found.frames == found.difference.frame == 123
    verdict = verify(fork)
    assert verdict.same, verdict.difference
    assert verdict.remarks == ()


def test_a_fork_of_a_fork(recorded: RecordedRun, tmp_path: Path):
    first = forked(recorded, tmp_path / "first.mcap", seed=7)
    second = forked(first, tmp_path / "second.mcap", 20.0, scenario=load_scenario("crossing"))
    assert compare(first, second).frames == 200
    assert verify(second).same
    forks = [order for given in second.orders.values() for order in given if order.origin is Origin.FORK]
    assert [words_of(order) for order in forks] == [
        f"run.fork at tick 246 parent={RUN} seed=7",
        f"run.fork at tick 400 parent={first.summary.run_id} scenario=crossing",
    ]


def test_a_live_agents_orders_are_given_until_there(recorded: RecordedRun, tmp_path: Path):
    live = RecordedRun(
        recorded.recording, recorded.summary, recorded.described, recorded.orders, None, truth=recorded.truth
    )
    fork = forked(live, tmp_path / "fork.mcap", 19.0)
    orders = [words_of(order) for given in fork.orders.values() for order in given]
    assert orders[-1] == f"run.fork at tick 380 parent={RUN}"  # nobody left to end SAFE_MODE
    assert orders[:-1] == [words_of(order) for tick, given in recorded.orders.items() for order in given if tick < 380]
    again = forked(live, tmp_path / "again.mcap", 19.0, engines="none")
    assert any("mode.set" in words_of(order) for tick, given in again.orders.items() if tick > 380 for order in given)


def test_what_does_not_fit_is_refused(recorded: RecordedRun):
    slow = load_scenario("crossing").model_copy(update={"name": "slow", "frame_rate_hz": 5.0})
    for t_s in (-1.0, END_S + 1, float("nan"), float("inf")):
        with pytest.raises(RecordingError, match=r"is not in the run \(expected 0 to 30 s\)"):
            branch(recorded, t_s)
    with pytest.raises(RecordingError, match="slow has another frame_rate_hz than the run"):
        branch(recorded, 3.0, scenario=slow)
    with pytest.raises(UserError, match="no engine 'nobody' is installed"):
        list(fly(branch(recorded, 3.0, engines="nobody"), 80)[1])


def test_a_planted_branch_has_the_orders_until_there(recorded: RecordedRun, tmp_path: Path):
    one = branch(recorded, 20.0, seed=3)
    plant_branch(one, tmp_path / "sim", 2.5, RunState.STOPPED)
    files = RunFiles(tmp_path / "sim")
    state, newest, entries = files.read()
    assert (newest, files.mark_of(state.number)) == (state, (400, 0))
    assert (state.settings, state.state, state.speed) == (None, "stopped", 2.5)
    assert state.run.run_id == one.run_id
    orders = [words_of(entry.order) for entry in entries if entry.order]
    assert orders[-1] == f"run.fork at tick 400 parent={RUN} seed=3"
    assert len(orders) == 1 + sum(len(given) for tick, given in recorded.orders.items() if tick < 400)


def test_the_command_says_what_it_made_and_what_is_wrong(recorded: RecordedRun, tmp_path: Path):
    file, out = recorded.recording.path, tmp_path / "out.mcap"
    done = CliRunner().invoke(app, ["fork", f"{file}@12", "-o", str(out), "--seconds", "3"])
    assert done.exit_code == 0, done.output
    assert f"forked at 12 s of run {RUN}, and flown 3 s from there" in done.stdout
    assert f"qiki diff {file} {out}" in done.stdout
    assert json.loads(CliRunner().invoke(app, ["recording", "info", str(out), "--json"]).stdout)[0]["runs"]
    for words in ([str(file)], [f"{file}@soon"], ["@3"]):
        failed = CliRunner().invoke(app, ["fork", *words])
        assert "expected FILE@T" in str(failed.exception)
