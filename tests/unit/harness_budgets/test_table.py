"""The table of budgets as a file."""

from pathlib import Path

import pytest

from qiki.contracts.topics import TOPICS
from qiki_harness.budgets.processes import SUPERVISOR
from qiki_harness.budgets.table import AtSpeed, Budgets, Flow, Growth, Imports, Starts, Use, load, rounded
from qiki_harness.compose import ComposeFile, RestartKind
from qiki_harness.errors import HarnessError

ROOT = Path(__file__).parents[3]
SMALL = Budgets(
    speed={
        "10": AtSpeed(
            calibration_ms=5.0,
            services={"q-sim-radar": Use(cpu_percent=2.44, private_mb=31.26), "nats": Use(cpu_percent=0, private_mb=1)},
            topics={"qiki.a.>": Flow(per_s=10.04, jitter_ms=0.001), "qiki.b": Flow(per_s=0.0)},
            disk={"audit": Growth(mb_per_min=0.004)},
        )
    },
    imports=Starts(calibration_ms=5.0, services={"nats": Imports(modules=3, import_ms=1.0, packages=("grpc", "a_b"))}),
)


def test_the_table_names_each_service_and_topic_that_there_is_and_no_other(said, tmp_path):
    compose = ComposeFile(ROOT / "docker-compose.phase1.yml")
    services = compose.project(compose.native_variables(tmp_path, {})).services
    stays = {name for name, service in services.items() if service.restart.kind is not RestartKind.NO}
    python = {name for name, service in services.items() if service.command[:2] == ("python", "-m")}

    assert said.imports.services.keys() == python
    for section in said.speed.values():
        assert section.services.keys() == stays | {SUPERVISOR}
        assert section.topics.keys() == {topic.subject for topic in TOPICS if not topic.answered}


def test_both_speeds_have_budgets(said):
    assert said.speed.keys() == {"1", "10"}


def test_what_is_written_is_read_again_rounded(tmp_path):
    file = tmp_path / "budgets.toml"
    file.write_text(SMALL.to_toml())

    again = load(file)

    section = again.speed["10"]
    assert section.services["q-sim-radar"] == Use(cpu_percent=2.4, private_mb=31.3)
    assert section.topics == {"qiki.a.>": Flow(per_s=10.0, jitter_ms=0.01), "qiki.b": Flow(per_s=0.0)}
    assert again.imports == SMALL.imports
    assert again.to_toml() == file.read_text()


@pytest.mark.parametrize(("value", "shown"), [(12.34, 12.3), (0.456, 0.46), (0.001, 0.01), (0.0, 0.0)])
def test_what_is_more_than_nothing_stays_so(value, shown):
    assert rounded(value) == shown


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("cpu_percent = 2.4", "cpu_percent = -1.0", r"speed\.10\.services\.q-sim-radar\.cpu_percent: "),
        ("cpu_percent = 2.4", "cpu = 2.4", r"speed\.10\.services\.q-sim-radar\.cpu"),
        ("calibration_ms = 5.0", "calibration_ms = 0.0", r"calibration_ms: "),
        ("[imports]", "[imports", r"budgets\.toml: "),
    ],
)
def test_a_wrong_table_is_one_error(tmp_path, before, after, problem):
    file = tmp_path / "budgets.toml"
    file.write_text(SMALL.to_toml().replace(before, after, 1))

    with pytest.raises(HarnessError, match=problem):
        load(file)


def test_no_table_is_an_error(tmp_path):
    with pytest.raises(HarnessError, match="No such file"):
        load(tmp_path / "budgets.toml")
