"""locks/wheels.json and locks/*.txt, held against each other by other means than those that make it."""

import json
import re
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

LOCKS = Path(__file__).parents[3] / "locks"
TEXT = (LOCKS / "wheels.json").read_text()
WHEELS = json.loads(TEXT)
SYSTEMS = {
    "x86_64-linux": ("linux", "x86_64", r"manylinux(2014|_2_(\d|1\d|2\d|3[0-4]))_x86_64"),
    "aarch64-linux": ("linux", "aarch64", r"manylinux(2014|_2_(\d|1\d|2\d|3[0-4]))_aarch64"),
    "aarch64-darwin": ("darwin", "arm64", r"macosx_1[0-4]_\d+_(arm64|universal2)"),
}


def pinned(lock, platform, machine):
    """Version and hashes by name of what a lock has for a platform on Python 3.13."""
    environment = {"sys_platform": platform, "platform_machine": machine, "python_version": "3.13"}
    environment["platform_python_implementation"] = "CPython"
    found = {}
    for entry in re.split(r"\n(?=[a-z0-9])", (LOCKS / f"{lock}.txt").read_text())[1:]:
        requirement = Requirement(entry.split("\\")[0].strip())
        if requirement.marker is None or requirement.marker.evaluate({**default_environment(), **environment}):
            (pin,) = requirement.specifier
            hashes = set(re.findall("sha256:([0-9a-f]{64})", entry))
            found[canonicalize_name(requirement.name)] = (pin.version, hashes)
    return found


def test_it_is_for_the_reference_python_on_three_systems():
    assert WHEELS["python"] == "3.13"
    assert WHEELS["wheels"].keys() == SYSTEMS.keys()
    assert "://" not in TEXT


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("lock", ["build", "dev", "runtime"])
def test_a_system_has_the_wheels_that_a_lock_pins_and_no_others(system, lock):
    platform, machine, _ = SYSTEMS[system]
    pins = pinned(lock, platform, machine)
    wheels = {wheel["name"]: wheel for wheel in WHEELS["wheels"][system] if lock in wheel["locks"]}
    assert len(pins) > 5
    assert {name: wheel["version"] for name, wheel in wheels.items()} == {name: pin[0] for name, pin in pins.items()}
    assert [name for name, wheel in wheels.items() if wheel["sha256"] not in pins[name][1]] == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_dev_has_all_that_the_others_pin(system):
    """A wheelhouse is fetched by it alone."""
    assert [wheel["name"] for wheel in WHEELS["wheels"][system] if "dev" not in wheel["locks"]] == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_file_is_what_its_entry_says_and_fits_the_system(system):
    _, _, platforms = SYSTEMS[system]
    wheels = WHEELS["wheels"][system]
    names = [wheel["name"] for wheel in wheels]
    assert names == sorted(set(names))
    for wheel in wheels:
        name, version, _, tags = parse_wheel_filename(wheel["file"])
        assert (name, version) == (wheel["name"], Version(wheel["version"]))
        assert any(fits(tag, platforms) for tag in tags), wheel["file"]
        assert wheel["locks"]


def fits(tag, platforms):
    """Whether a tag is one of CPython 3.13's on one of the platforms."""
    if tag.platform == "any":
        return tag.abi == "none" and re.fullmatch(r"py3(\d|1[0-3])?", tag.interpreter)
    python = (
        (tag.interpreter == "cp313" and tag.abi in {"cp313", "none"})
        or (tag.abi == "abi3" and int(tag.interpreter.removeprefix("cp3")) <= 13)
        or (tag.abi == "none" and re.fullmatch(r"py3(\d|1[0-3])?", tag.interpreter))
    )
    return python and re.fullmatch(platforms, tag.platform)
