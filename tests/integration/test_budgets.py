"""`tox -e budgets` on a real stack: it sees all that is there, and a budget that is too small ends it with status 1."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qiki_harness.budgets.table import Budgets, load

TABLE = Path(__file__).parents[1] / "bench" / "budgets.toml"
GENEROUS = 1e6
SECONDS = "3"


@pytest.fixture
def whole() -> dict[str, Any]:
    """The table at one speed, with room for any machine and any load of it. Rates are kept."""
    whole = load(TABLE).model_dump(exclude_none=True)
    section = whole["speed"].pop("1")
    rows = (*section["services"].values(), *section["disk"].values(), *whole["imports"]["services"].values())
    for row in (*rows, *section["topics"].values()):
        row.update(dict.fromkeys(row.keys() - {"packages", "modules", "per_s"}, GENEROUS))
    for event in [topic for topic in section["topics"] if "events" in topic]:  # these come now and then
        del section["topics"][event]
    whole["speed"] = {"1": section}
    return whole


def run(folder: Path, whole: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    table = folder / "budgets.toml"
    table.write_text(Budgets.model_validate(whole).to_toml())
    command = [sys.executable, "-m", "qiki_harness.budgets", str(table), "--seconds", SECONDS]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_sees_all_that_is_there_and_what_takes_too_much(tmp_path: Path, whole: dict[str, Any]):
    """The table has no events here, names a service that is none, and allows the bridge next to nothing."""
    whole["speed"]["1"]["services"]["faststream-bridge"]["private_mb"] = 0.1
    whole["speed"]["1"]["services"]["q-sim-sonar"] = whole["speed"]["1"]["services"]["q-sim-radar"]

    done = run(tmp_path, whole)

    assert done.returncode == 1, done.stderr
    wrong = {line.strip() for line in done.stdout.split("of them wrong:")[1].splitlines() if line}
    expected = {
        "speed 1 services faststream-bridge private_mb too much",
        "speed 1 services q-sim-sonar cpu_percent is in the table only",
        "speed 1 services q-sim-sonar private_mb is in the table only",
        "speed 1 topics qiki.events.v1.> per_s is not in the table",
        "speed 1 topics qiki.events.v1.audit per_s is not in the table",
        "speed 1 topics qiki.events.v1.radar.guard per_s is not in the table",
    }
    assert expected <= wrong
    others = [line for line in wrong - expected if not line.endswith(" per_s too little")]  # a busy machine may lag
    assert others == []


def test_a_table_that_is_none_is_one_line(tmp_path: Path):
    command = [sys.executable, "-m", "qiki_harness.budgets", str(tmp_path / "none.toml")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [f"budgets: {tmp_path / 'none.toml'}: No such file or directory"]
