"""The flight of a sweep: workers, deaths, crashes, interruptions, and the file of results."""

import sqlite3
from dataclasses import replace
from uuid import uuid5

import pytest

from qiki.flight.flight import NAMESPACE
from qiki.tasks import Attempt, Avoid
from qiki_harness.errors import HarnessError
from qiki_harness.recording.bundle import recordings
from qiki_harness.recording.runs import recorded_run
from qiki_harness.recording.verify import verify
from qiki_harness.sweeps.again import differences, record, run_of
from qiki_harness.sweeps.flying import bundle_crashes, fly_sweep
from qiki_harness.sweeps.local import LocalCrew
from qiki_harness.sweeps.plan import SweepSpec, plan
from qiki_harness.sweeps.store import Results
from qiki_harness.sweeps.work import WORKER_DIED, fly


def never():
    return False


def sweep_of(**chosen):
    return plan(SweepSpec(**{"task": "avoid", "seeds": 3, "seconds": 1.0, **chosen}))


def fly_all(sweep, path, crew=None, stop=never):
    with Results.of_sweep(path, sweep) as results:
        last = list(fly_sweep(sweep, results, crew or LocalCrew(2), stop))[-1]
        return last, results.rows(), results.digest()


class Here:
    """A crew in this process, that stops after some runs."""

    def __init__(self, most=100):
        self.most, self.flown = most, []

    def fly(self, runs, criteria, _stop):
        for run in list(runs)[: self.most]:
            self.flown.append(run.key)
            yield fly(run, criteria)


def test_one_worker_two_workers_and_none_give_the_same(tmp_path, engines):
    sweep = sweep_of(engines=("none", f"{engines}:Burner"))
    _, rows, digest = fly_all(sweep, tmp_path / "one.sqlite", LocalCrew(1))
    assert fly_all(sweep, tmp_path / "two.sqlite", LocalCrew(2))[1:] == (rows, digest)
    assert fly_all(sweep, tmp_path / "here.sqlite", Here())[1:] == (rows, digest)
    assert len({row.result.digest for row in rows}) == 6
    assert [row.result.propellant_kg > 0.01 for row in rows] == [False] * 3 + [True] * 3


def test_a_run_is_an_attempt_at_the_task():
    run = sweep_of().runs[1]
    result = fly(run, sweep_of().criteria)
    attempt = Attempt(Avoid(), Avoid().world(1, 0.5), {}, digests=True)
    list(zip(range(11), attempt.steps(), strict=False))
    assert result.digest == attempt.digest()
    assert result.steps == 10


def test_the_rest_is_flown_later_and_nothing_twice(tmp_path):
    sweep, path = sweep_of(), tmp_path / "results.sqlite"
    first, second, third = Here(most=1), Here(), Here()
    assert fly_all(sweep, path, first)[0].done == 1
    assert fly_all(sweep, path, second)[0].done == 3
    assert fly_all(sweep, path, third)[0].flown == 0
    assert sorted(first.flown + second.flown) == sorted(run.key for run in sweep.runs)
    assert third.flown == []


def test_after_a_signal_the_runs_that_fly_are_kept(tmp_path):
    calls = []

    def stop():
        calls.append(1)
        return len(calls) > 1

    last, rows, _ = fly_all(sweep_of(seeds=5), tmp_path / "results.sqlite", LocalCrew(1), stop)
    assert last.done == len(rows) == 1


def test_a_dead_worker_costs_its_run_a_second_flight(tmp_path, engines):
    sweep = sweep_of(seeds=4)
    ids = [str(uuid5(NAMESPACE, f"avoid-{seed}:{seed}")) for seed in (1, 2)]
    engines.write_text(engines.read_text().replace("RUN1", ids[0]).replace("RUN2", ids[1]))
    sweep = sweep_of(seeds=4, engines=(f"{engines}:Killer",))
    _, rows, _ = fly_all(sweep, tmp_path / "results.sqlite")
    assert [row.result.error for row in rows] == ["", WORKER_DIED, "", ""]
    assert engines.with_name("died").exists()
    assert all(row.result.digest for row in rows if not row.result.error)


def test_a_run_that_does_not_end_is_a_result(tmp_path, engines):
    sweep = sweep_of(seeds=1, engines=(f"{engines}:Sleeper",))
    _, (row,), _ = fly_all(sweep, tmp_path / "results.sqlite", LocalCrew(1, limit_s=5.0))
    assert row.result.error == "it took longer than 5 s"


def test_an_engine_that_raises_is_a_result_with_a_bundle(tmp_path, engines):
    sweep, path = sweep_of(seeds=2, engines=(f"{engines}:Crasher",)), tmp_path / "results.sqlite"
    _, rows, _ = fly_all(sweep, path, Here())
    assert [row.result.faults for row in rows] == [{"engines": "failed: ValueError: tick 10 is too much"}] * 2
    assert rows[0].result.outcome == "out of time"
    no_fault = next(one for one in rows[0].result.verdicts if one.id == "NO_FAULT")
    assert not no_fault.holds
    with Results.of_sweep(path, sweep) as results:
        bundles = list(bundle_crashes(sweep, results, never))
        assert list(bundle_crashes(sweep, results, never)) == []
        assert [tmp_path / row.bundle for row in results.rows()] == bundles
    (recording,) = recordings(bundles[0])
    assert verify(recorded_run(recording)).same


def test_a_run_is_flown_again_and_recorded(tmp_path, flown):
    path = flown()
    with Results.read(path) as results:
        row = results.rows()[1]
        run = run_of(results.spec, row.result.key, row.place)
        assert differences(row.result, fly(run, results.criteria)) == []
        assert differences(row.result, replace(row.result, score=1.0)) == ["score: 0.0 then, 1.0 now"]
    record(run, tmp_path / "run.mcap")
    (recording,) = recordings(tmp_path / "run.mcap")
    verdict = verify(recorded_run(recording))
    assert verdict.same


def test_another_sweeps_file_is_refused_and_stays(tmp_path, flown):
    path = flown()
    before = path.read_bytes()
    message = r"holds another sweep, avoid, 2 seeds, none: name another file"
    with pytest.raises(HarnessError, match=message), Results.of_sweep(path, sweep_of()):
        pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"text\n" * 300, b"", None])
def test_a_file_that_holds_no_results_is_refused(tmp_path, content):
    path = tmp_path / "results.sqlite"
    if content is None:
        sqlite3.connect(path).execute("CREATE TABLE other (name)").connection.close()
    else:
        path.write_bytes(content)
    with pytest.raises(HarnessError, match=r"results\.sqlite: "), Results.read(path):
        pass
    if content != b"":
        with pytest.raises(HarnessError, match=r"results\.sqlite: "), Results.of_sweep(path, sweep_of()):
            pass


def test_two_processes_do_not_fly_one_sweep(tmp_path):
    path, sweep = tmp_path / "results.sqlite", sweep_of()
    with Results.of_sweep(path, sweep):
        message = "another process flies this sweep"
        with pytest.raises(HarnessError, match=message), Results.of_sweep(path, sweep):
            pass


def test_an_engine_that_has_changed_is_not_taken_for_the_same(engines, flown):
    path = flown(engines=(f"{engines}:Burner",))
    engines.write_text(engines.read_text() + "\n")
    with Results.read(path) as results:
        row = results.rows()[0]
        with pytest.raises(HarnessError, match=r"engines\.py:Burner, or its scenario, has changed since"):
            run_of(results.spec, row.result.key, row.place)
