"""Files of scenarios."""

from pathlib import Path

from qiki.errors import UserError
from qiki.world.scenario.model import Scenario
from qiki.yamlfile import load_yaml_model

SHIPPED = Path(__file__).parents[3] / "scenarios"
"""The shipped scenarios: beside the package `qiki`."""
SUFFIX = ".yaml"


def scenario_names(folder: Path = SHIPPED) -> list[str]:
    """Return the names of the scenarios in a folder, sorted."""
    return sorted(path.stem for path in folder.glob(f"*{SUFFIX}"))


def load_scenario(name_or_path: str | Path, folder: Path = SHIPPED) -> Scenario:
    """Read a scenario by its name, or by a path, which has a slash or ends in .yaml or .yml.

    Raises:
        UserError: there is no such scenario, or it is invalid; one line.
    """
    path = Path(name_or_path)
    if "/" in str(name_or_path) or path.suffix in {SUFFIX, ".yml"}:
        return load_yaml_model(path, Scenario)
    return load_named_scenario(str(name_or_path), folder)


def load_named_scenario(name: str, folder: Path = SHIPPED) -> Scenario:
    """Read a scenario of a folder, and no file elsewhere: the name may come from the network.

    Raises:
        UserError: there is no such scenario, or it is invalid; one line.
    """
    names = scenario_names(folder)
    if name not in names:
        known = ", ".join(names) or "none"
        raise UserError(f"no scenario is called {name!r} (expected one of: {known})")
    return load_yaml_model(folder / f"{name}{SUFFIX}", Scenario)
