"""Files that come with the library: the guard rules, and the scenarios. To find them takes none of the rooms."""

from pathlib import Path

_HERE = Path(__file__).parent
_HOMES = [parent / "scenarios" for parent in _HERE.parents[:2]]
DEFAULT_RULES = _HERE / "guard" / "rules.yaml"
SCENARIOS = next(filter(Path.is_dir, _HOMES), _HOMES[0])  # beside `qiki` in a checkout, above the packages elsewhere
SUFFIX = ".yaml"


def scenario_names(folder: Path = SCENARIOS) -> list[str]:
    """Return the names of the scenarios in a folder, sorted."""
    return sorted(path.stem for path in folder.glob(f"*{SUFFIX}"))
