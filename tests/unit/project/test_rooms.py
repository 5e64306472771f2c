"""The linter's contracts know every room of the library and every service: one that is new must choose its place."""

import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[3]
CONTRACTS = {
    contract["name"].partition(":")[0]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
ROOMS = {path.parent.name for path in (ROOT / "qiki").glob("*/__init__.py")}
MODULES = {path.stem for path in (ROOT / "qiki").glob("*.py")} - {"__init__"}
IMPURE = {"runtime"}


def test_every_room_has_its_place_in_the_order():
    layers = CONTRACTS["The order of the rooms"]["layers"]
    placed = set(chain.from_iterable(layer.split(" | ") for layer in layers))
    assert placed == ROOMS, "write the room into a layer of [tool.importlinter] in pyproject.toml"


def test_every_room_but_the_runtime_is_pure():
    pure = {name.removeprefix("qiki.") for name in CONTRACTS["The pure rooms"]["source_modules"]}
    assert pure == (ROOMS | MODULES) - IMPURE, "write it into the contract of the pure rooms in pyproject.toml"
