"""The table of budgets, which is a real run's figures."""

from pathlib import Path

import pytest

from qiki_harness.budgets.table import Budgets, load

TABLE = Path(__file__).parents[2] / "bench" / "budgets.toml"


@pytest.fixture(scope="session")
def said() -> Budgets:
    return load(TABLE)
