"""The guide to training: its first example runs, and its tables tell the truth."""

import re
from pathlib import Path

from qiki.envs import IDS
from qiki.tasks import SHAPES, SIZE, find_task

GUIDE = (Path(__file__).parents[3] / "docs/training.md").read_text(encoding="utf-8")


def test_the_first_example_runs(capsys):
    code = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)[0]
    exec(compile(code, "docs/training.md", "exec"), {})
    assert re.fullmatch(r"\d+\.\d+ -?\d+\.\d+\n", capsys.readouterr().out)


def test_every_environment_is_there_with_its_steps():
    rows = dict(re.findall(r"^\| `(qiki/\w+-v0)` .* \| (\d+) \|$", GUIDE, re.MULTILINE))
    tracked = {name: choice for name, choice in IDS.items() if choice["perception"] == "tracks"}
    assert {name: int(steps) for name, steps in rows.items()} == {
        name: find_task(choice["task"]).steps for name, choice in tracked.items()
    }


def test_the_parts_have_their_shapes():
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d x]+) \|", GUIDE, re.MULTILINE))
    assert {name: tuple(map(int, shape.split(" x "))) for name, shape in rows.items()} == SHAPES
    assert f"{SIZE} numbers" in GUIDE
