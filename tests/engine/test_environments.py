"""Whichever way one comes in, the environment is the same: `tox -e environments`.

Python 3.13 everywhere; dev is held against dev and runtime against runtime, by the hashes in each wheel's own RECORD.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qiki_harness.containers import ContainerStack, find_engine
from qiki_harness.errors import EngineError

pytestmark = pytest.mark.timeout(1800)
QIKI = [sys.executable, "-c", "from qiki_harness.cli import main; main()"]
MANIFEST = ("manifest", "--json")
# What each lock's packages run in, beside the native environment that they are held against.
WAYS = [
    ("runtime", "compose"),
    ("runtime", "nix"),
    ("dev", "tox"),
    ("dev", "compose"),
    ("dev", "devcontainer"),
    ("dev", "nix"),
]
IMAGES = {"runtime": "registrar", "dev": "qiki-dev"}


def output(line, folder, **variables):
    # Nothing of the environment that this test runs in; tox within tox would take the outer one's folder.
    own = ("PYTHONPATH", "QIKI_TOX_RUNNER", "TOX_", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    done = subprocess.run(
        list(map(str, line)), cwd=folder, env=environment | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def lacking(reason):
    """Skips; in CI, where it may not lack, fails."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture(scope="module")
def python():
    """Python 3.13."""
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.13.*/bin/python"))
    for candidate in filter(None, (sys.executable, shutil.which("python3.13"), *pyenv)):
        version = [candidate, "-c", "import sys; print(sys.version_info[:2] == (3, 13))"]
        if subprocess.run(version, capture_output=True, text=True, check=False).stdout.strip() == "True":
            return Path(candidate)
    return lacking("takes Python 3.13")


@pytest.fixture(scope="module")
def manifests(request, tmp_path_factory):
    """Gives the file with the manifest of a way's environment; each is collected once."""
    if "QIKI_ENGINE_TESTS" not in os.environ:
        pytest.skip("takes an index, an engine, npm and nix: tox -e environments")
    folder = tmp_path_factory.mktemp("environments")

    def collect(way, level):
        file = folder / level / f"{way}.json"
        if not file.exists():
            text = request.getfixturevalue(f"{way}_way")(level)
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        return file

    return collect


@pytest.fixture(scope="module")
def native(tmp_path_factory, copy_checkout, python):
    """Sets up a copy of the checkout natively; gives its folder."""
    folder = tmp_path_factory.mktemp("native")

    def set_up(level):
        if not (folder / level).exists():
            output(["scripts/setup", level], copy_checkout(folder / level), PYTHON=str(python))
        return folder / level

    return set_up


@pytest.fixture(scope="module")
def native_way(native):
    return lambda level: output([".venv/bin/qiki", *MANIFEST], native(level))


@pytest.fixture(scope="module")
def tox_way(native, python):
    """What tox makes for itself, as CI uses it."""
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"

    def collect(level):
        # Not --notest, which leaves out the project itself.
        output([".venv/bin/tox", "-q", "-e", "unit-py313", "--", "--version"], native(level), PATH=path)
        return output([".tox/unit-py313/bin/qiki", *MANIFEST], native(level))

    return collect


@pytest.fixture(scope="module")
def engine():
    try:
        return find_engine()
    except EngineError as error:
        return lacking(str(error))


@pytest.fixture(scope="module")
def compose_way(tmp_path_factory, copy_checkout, engine):
    folder = copy_checkout(tmp_path_factory.mktemp("compose") / "QIKI_DTMP")
    with ContainerStack.apart(folder / "docker-compose.phase1.yml", "environments") as stack:
        stack.build()
        yield lambda level: stack.run(
            "run", "--rm", "--no-deps", "--no-TTY", "--entrypoint", "qiki", IMAGES[level], *MANIFEST
        )


@pytest.fixture(scope="module")
def devcontainer_way(request, engine):
    if not shutil.which("npm"):
        lacking("takes npm")
    opened = request.getfixturevalue("workspace")
    return lambda _level: opened.run("qiki", *MANIFEST)


@pytest.fixture(scope="module")
def nix_way(tmp_path_factory, copy_checkout):
    """What the flake builds; QIKI_NIX_RUNTIME and QIKI_NIX_DEV name environments that are built already."""
    folder = copy_checkout(tmp_path_factory.mktemp("nix") / "QIKI_DTMP")

    def collect(level):
        built = os.environ.get(f"QIKI_NIX_{level.upper()}") or build(level)
        return output([f"{built}/bin/qiki", *MANIFEST], folder, QIKI_CHECKOUT=str(folder))

    def build(level):
        if not shutil.which("nix"):
            pytest.skip(f"takes nix and nixpkgs, or QIKI_NIX_{level.upper()} with what they built")
        nix = ["nix", "--extra-experimental-features", "nix-command flakes", "build", "--no-link", "--print-out-paths"]
        return output([*nix, f".#{level}"], folder).strip()

    return collect


@pytest.mark.parametrize(("level", "way"), WAYS, ids=["-".join(pair) for pair in WAYS])
def test_it_is_what_the_native_one_is(capsys, manifests, level, way):
    native, other = manifests("native", level), manifests(way, level)
    relinked = ["--relinked"] if way == "nix" else []
    line = [*QIKI, "manifest", "diff", str(native), str(other), "--lock", level, *relinked]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with capsys.disabled():
        print(f"\n{level}: native and {way} are the same", *done.stdout.splitlines(), sep="\n  ")
