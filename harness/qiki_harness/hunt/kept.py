"""Files of a hunt: the world as a scenario, and a test that flies it."""

import json
import os
import re
from pathlib import Path

import yaml

from qiki.files import write_atomically
from qiki.tasks.criteria import Criterion
from qiki.world.scenario import Scenario, load_scenario
from qiki_harness.errors import HarnessError
from qiki_harness.hunt.flights import Flown
from qiki_harness.hunt.worlds import plain
from qiki_harness.sweeps.source import EngineSource

_TEST = '''\
"""A run that `qiki hunt` found: {description}."""

from pathlib import Path

from qiki_harness.sweeps.plan import SweepSpec, plan
from qiki_harness.sweeps.work import fly

HERE = Path(__file__).parent
SENTENCE = {sentence}
FAILS = True
"""False from the day on which the engine is mended."""


def test_{function}():
    spec = SweepSpec(
        task={task},
        scenarios=(str(HERE / {file}),),
        seeds=({seed},),
        engines=({engine},),
        seconds={seconds},
        criteria={criteria},
    )
    sweep = plan(spec)
    verdict = next(one for one in fly(sweep.runs[0], sweep.criteria).verdicts if one.id == {criterion})
    assert verdict.holds is not FAILS, verdict.sentence
    if FAILS:
        assert verdict.sentence == SENTENCE
'''


def named(found: Flown, criterion: Criterion) -> Scenario:
    """Return the world of a run under the name of what it shows."""
    engine = found.run.source.name or "none"
    name = re.sub(r"[^a-z0-9]+", "-", f"{found.run.task}-{criterion.id}-{engine}".lower()).strip("-")[:60]
    description = f"Found by a hunt, fails: {criterion.description}"[:120]
    return found.world.model_copy(update={"name": name, "description": description})


def keep(found: Flown, criterion: Criterion, folder: Path, criteria: Path | None) -> tuple[Path, Path]:
    """Write the scenario and its test into a folder, and return their paths.

    Raises:
        HarnessError: they cannot be written.
    """
    world = found.world
    name = world.name
    path, test = folder / f"{name}.yaml", folder / f"test_{name.replace('-', '_')}.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, _yaml(world).encode())
        write_atomically(test, _test(found, criterion, path, criteria).encode())
    except OSError as error:
        raise HarnessError(f"{folder}: cannot be written: {error.strerror}") from None
    if load_scenario(path) != world:
        raise HarnessError(f"{path}: is not the world that was flown")
    return path, test


def _yaml(world: Scenario) -> str:
    text: str = yaml.safe_dump(plain(world), sort_keys=False, width=110, default_flow_style=None, allow_unicode=True)
    return text


def _test(found: Flown, criterion: Criterion, path: Path, criteria: Path | None) -> str:
    assert found.verdict is not None
    return _TEST.format(
        description=criterion.description,
        function=re.sub(r"[^a-z0-9]+", "_", criterion.description.lower()).strip("_"),
        task=_quoted(found.run.task),
        file=_quoted(path.name),
        seed=found.world.seed,
        engine=_engine(found.run.source, path.parent),
        seconds=found.run.seconds,
        criteria="None" if criteria is None else _beside(criteria, path.parent),
        criterion=_quoted(criterion.id),
        sentence=_quoted(found.verdict.sentence),
    )


def _engine(source: EngineSource, folder: Path) -> str:
    """Return the expression of an engine in a test; a file is named from the test's folder."""
    if source.kind in {"none", "installed"}:
        return _quoted(source.label)
    file, colon, attribute = source.label.partition(":")
    return f"{_beside(Path(file), folder)} + {_quoted(colon + attribute)}" if colon else _beside(Path(file), folder)


def _beside(file: Path, folder: Path) -> str:
    return f"str(HERE / {_quoted(os.path.relpath(file, folder))})"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
