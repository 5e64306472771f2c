"""`qiki scenario draw`: the world of a seed, as a file."""

import pytest

from qiki.tasks import find_task
from qiki.world import load_scenario
from qiki_harness.cli.scenarios import draw


@pytest.mark.parametrize("task", ["avoid", "rendezvous", "inspect"])
def test_the_file_is_the_world_that_the_task_draws(task, tmp_path, capsys):
    draw(task, 7, 1.0)
    path = tmp_path / "world.yaml"
    path.write_text(capsys.readouterr().out)
    assert load_scenario(path) == find_task(task).world(7, 1.0)
