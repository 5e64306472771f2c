"""Bands of the score of each shipped scenario: a change of the tracker beyond them fails a test.

`python -m qiki_harness.scoring.bands FILE` shows every figure beside its band; `--update` writes bands around what it
saw.
"""

import argparse
import sys
import tomllib
from collections.abc import Mapping
from math import inf
from pathlib import Path
from statistics import fmean

from pydantic import TypeAdapter, ValidationError

from qiki.contracts.fields import first_fault
from qiki.runtime.terminal import echo
from qiki.world.scenario import load_scenario, scenario_names
from qiki_harness.cli.output import table
from qiki_harness.errors import HarnessError
from qiki_harness.scoring.offline import fly
from qiki_harness.scoring.score import Score, score

SEEDS = (1, 2)
SECONDS = 40.0
ROOM = {  # about what was seen: a share of it, and at least so much
    "gospa_m": (0.1, 0.1),
    "probabilistic_gospa_m": (0.1, 0.1),
    "identity_switches": (0.0, 0.0),
    "within_95": (0.0, 0.015),
    "within_99_after_2_s": (0.0, 0.015),
    "within_99_after_5_s": (0.0, 0.015),
    "calibration_error": (0.2, 0.002),
}
HEAD = """\
# Bands of the score of each shipped scenario, the mean of two seeds over 40 s: a test fails beyond them, also where the
# tracker became better. `python -m qiki_harness.scoring.bands tests/bench/bands.toml --update` writes them again.
"""
Band = tuple[float, float]
Bands = dict[str, dict[str, Band]]
"""By scenario and figure: the least and the most that may be seen."""


def measure(name: str) -> dict[str, float]:
    """Return the figures of a scenario; those that it has none of, as coverage without contacts, are left out."""
    scenario = load_scenario(name)
    runs = [_figures(score(list(fly(scenario, seed, SECONDS)))[0]) for seed in SEEDS]
    return {figure: fmean(run[figure] for run in runs) for figure in ROOM if all(figure in run for run in runs)}


def faults(bands: Mapping[str, Band], seen: Mapping[str, float]) -> list[str]:
    """Return a line for each figure beyond its band, or in one of them only."""
    return [
        f"{figure}: {_shown(seen.get(figure))} (expected {_shown_band(bands.get(figure))})"
        for figure in ROOM
        if (figure in seen) != (figure in bands)
        or (figure in seen and not bands[figure][0] <= seen[figure] <= bands[figure][1])
    ]


def load(path: Path) -> Bands:
    """Return the bands of a file; raise HarnessError if it has none."""
    try:
        return TypeAdapter(Bands).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise HarnessError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HarnessError(f"{path}: {error}") from None
    except ValidationError as error:
        raise HarnessError(f"{path}: {first_fault(error)}") from None


def to_toml(seen: Mapping[str, Mapping[str, float]]) -> str:
    """Return the text of bands around what was seen, by scenario."""
    sections = [
        "".join([f"\n[{name}]\n", *(f"{figure} = {_around(figure, value)}\n" for figure, value in figures.items())])
        for name, figures in seen.items()
    ]
    return HEAD + "".join(sections)


def _figures(found: Score) -> dict[str, float]:
    now, soon, later, _ = found.coverage
    figures = {
        "gospa_m": found.gospa_m,
        "probabilistic_gospa_m": found.probabilistic_gospa_m,
        "identity_switches": float(found.identity_switches),
        "within_95": now.within_95,
        "within_99_after_2_s": soon.within_99,
        "within_99_after_5_s": later.within_99,
        "calibration_error": found.reliability.error,
    }
    return {name: value for name, value in figures.items() if value is not None}


def _around(figure: str, value: float) -> list[float]:
    share, least = ROOM[figure]
    room = max(share * value, least)
    most = 1.0 if figure.startswith("within") else inf
    return [round(max(0.0, value - room), 4), round(min(most, value + room), 4)]


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"


def _shown_band(band: Band | None) -> str:
    return "none" if band is None else f"{band[0]:g} to {band[1]:g}"


def main() -> int:
    """Measure all scenarios; show the figures, or write bands around them. Return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--update", action="store_true", help="write bands around what is seen")
    arguments = parser.parse_args()
    try:
        bands = {} if arguments.update else load(arguments.file)
        if arguments.update:
            arguments.file.open("a").close()  # it fails before the measurement, not after it
    except (HarnessError, OSError) as error:
        echo(f"bands: {error}", stream=sys.stderr)
        return 1
    seen = {name: measure(name) for name in scenario_names()}
    if arguments.update:
        arguments.file.write_text(to_toml(seen), encoding="utf-8")
        return 0
    names = sorted(seen.keys() | bands.keys())
    rows = [
        (name, figure, _shown(seen.get(name, {}).get(figure)), _shown_band(bands.get(name, {}).get(figure)))
        for name in names
        for figure in ROOM
    ]
    echo(*table(("SCENARIO", "FIGURE", "SEEN", "BAND"), rows))
    wrong = [f"{name}: {fault}" for name in names for fault in faults(bands.get(name, {}), seen.get(name, {}))]
    echo(*wrong, stream=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
