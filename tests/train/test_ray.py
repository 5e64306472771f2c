"""A sweep on a Ray cluster: the same digests, also where a node is killed."""

import pytest

from qiki_harness.errors import HarnessError
from qiki_harness.sweeps.work import WORKER_DIED, fly

ray = pytest.importorskip("ray", reason="Ray is not installed: tox -e train")
on_ray = pytest.importorskip("qiki_harness.sweeps.on_ray")
cluster_utils = pytest.importorskip("ray.cluster_utils")

pytestmark = pytest.mark.filterwarnings("ignore")  # of Ray's own

KILLER = """
import os


class Killer:
    def __init__(self, bot):
        pass

    def propose(self, world):
        os._exit(9)
"""


@pytest.fixture
def cluster():
    """A cluster of two nodes on this machine, of one processor each."""
    made = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    yield made
    ray.shutdown()
    made.shutdown()


def test_a_killed_node_costs_its_runs_a_second_flight_and_nothing_else(cluster, sweep_of):
    sweep = sweep_of()
    results = []
    for result in on_ray.RayCrew(cluster.address, 2).fly(sweep.runs, sweep.criteria):
        results.append(result)
        if len(results) == 1:
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
    assert len(results) == 6
    assert {one.key: one for one in results} == {run.key: fly(run, sweep.criteria) for run in sweep.runs}
    assert all(one.digest for one in results)


def test_a_cluster_of_another_version_is_refused_in_one_line(cluster, sweep_of, monkeypatch):
    sweep = sweep_of(seeds=1)
    monkeypatch.setattr(ray, "__version__", "1.0.0")
    with pytest.raises(HarnessError, match=r"cannot be used: .*Version mismatch") as caught:
        list(on_ray.RayCrew(cluster.address, 2).fly(sweep.runs, sweep.criteria))
    assert "\n" not in str(caught.value)


def test_a_node_with_another_version_of_the_platform_is_refused(cluster, sweep_of, monkeypatch):
    sweep = sweep_of(seeds=1)
    monkeypatch.setattr(on_ray, "PRODUCT", "9.9.9")
    with pytest.raises(HarnessError, match=r"a node has qiki-dtmp .* \(expected 9\.9\.9, as here\)"):
        list(on_ray.RayCrew(cluster.address, 2).fly(sweep.runs, sweep.criteria))


@pytest.mark.parametrize(
    ("address", "message"),
    [("127.0.0.1:9", "no Ray cluster answers at 127.0.0.1:9: Connection refused"), ("here", "expected HOST:PORT")],
)
def test_a_cluster_out_of_reach_is_one_line(sweep_of, address, message):
    sweep = sweep_of(seeds=1)
    with pytest.raises(HarnessError, match=message):
        list(on_ray.RayCrew(address, 2).fly(sweep.runs, sweep.criteria))


def test_a_run_that_kills_its_workers_is_a_result(sweep_of, tmp_path):
    engine = tmp_path / "killer.py"
    engine.write_text(KILLER)
    sweep = sweep_of(seeds=1, engines=(f"{engine}:Killer",))
    (result,) = on_ray.RayCrew(None, 1).fly(sweep.runs, sweep.criteria)
    assert (result.error, result.digest) == (WORKER_DIED, None)
