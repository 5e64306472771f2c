"""Where scenarios are kept, and how they are read."""

from pathlib import Path

from qiki.errors import UserError
from qiki.world.scenario.model import Scenario
from qiki.yamlfile import load_yaml_model

PACKAGE = Path(__file__).parents[1]
FOLDERS = (PACKAGE / "scenarios", PACKAGE.parents[1] / "scenarios")
"""Beside the modules where the package is installed, at the project's root in a checkout."""
SUFFIX = ".yaml"


def default_folder() -> Path:
    """The folder of the shipped scenarios."""
    return next((folder for folder in FOLDERS if folder.is_dir()), FOLDERS[-1])


def scenario_names(folder: Path | None = None) -> list[str]:
    """Names of the scenarios in a folder, sorted."""
    return sorted(path.stem for path in (folder or default_folder()).glob(f"*{SUFFIX}"))


def load_scenario(name_or_path: str | Path, folder: Path | None = None) -> Scenario:
    """Read a scenario by its name, or by a path: whatever has a slash or ends in .yaml or .yml.

    Raises:
        UserError: there is none, or it is not one; one line.
    """
    path = Path(name_or_path)
    if "/" in str(name_or_path) or path.suffix in {SUFFIX, ".yml"}:
        return load_yaml_model(path, Scenario)
    return load_named_scenario(str(name_or_path), folder)


def load_named_scenario(name: str, folder: Path | None = None) -> Scenario:
    """Read one of a folder's scenarios; never a file elsewhere, so a name from the network may be passed.

    Raises:
        UserError: there is none of this name, or its file is broken; one line.
    """
    names = scenario_names(folder)
    if name not in names:
        known = ", ".join(names) or "none"
        raise UserError(f"no scenario is called {name!r} (expected one of: {known})")
    return load_yaml_model((folder or default_folder()) / f"{name}{SUFFIX}", Scenario)
