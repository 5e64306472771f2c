"""The real Nix on a stand-in for nixpkgs (docs/nix.md): `tox -e nix`."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAND_IN = Path(__file__).parent / "nixpkgs"
# Kept between runs: a wheel is fetched once.
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "qiki" / "nix"
SYSTEM = "x86_64-linux"
ASK = """
import json, pip, sys
print(json.dumps({
    "version": sys.version.split()[0],
    "python": sys._base_executable,
    "prefix": sys.base_prefix,
    "stdlib": json.__file__.removesuffix("/json/__init__.py"),
    "pip": pip.__file__.removesuffix("/__init__.py"),
}))
"""


def lacks(what):
    """Skip, but in CI, where it is a failure."""
    (pytest.fail if "CI" in os.environ else pytest.skip)(what)


def ask_python():
    """What the stand-in must know of the host's Python 3.13, by name or pyenv's; None if there is none with pip."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for candidate in ("python3.13", *sorted(pyenv.glob("3.13.*/bin/python3.13"), reverse=True)):
        try:
            asked = subprocess.run([candidate, "-c", ASK], capture_output=True, text=True, check=True, cwd="/")
        except (OSError, subprocess.CalledProcessError):
            continue
        return json.loads(asked.stdout)
    return None


@dataclass
class Nix:
    """Nix with a store of its own, on the stand-in.

    Attributes:
        host: what `ask_python` says
        stand_in: the stand-in, with what it must know of the host
    """

    host: dict[str, str]
    stand_in: Path

    @cached_property
    def environment(self):
        # Never /etc/ssl, nor anything else above a file that Nix itself puts into the sandbox: it would empty that file
        # in the host's own folder.
        visible = [path for path in ("/bin", "/usr", "/lib", "/lib64") if Path(path).exists()]
        if not self.host["prefix"].startswith("/usr/"):
            visible.append(self.host["prefix"])
        settings = {
            "substituters": "",
            "build-users-group": "",
            "flake-registry": "",
            "max-jobs": "2",
            "sandbox": "true",
            "sandbox-paths": " ".join(visible),
            "warn-dirty": "false",
        }
        return os.environ | {
            "NIX_CONFIG": "\n".join(f"{name} = {value}" for name, value in settings.items()),
            "NIX_REMOTE": "local",
            "NIX_STORE_DIR": str(CACHE / "store"),
            "NIX_STATE_DIR": str(CACHE / "var"),
            "NIX_LOG_DIR": str(CACHE / "log"),
        }

    def command(self, *words):
        """The words of a command on a flake; the flake's own nixpkgs is replaced."""
        instead = ("--override-input", "nixpkgs", f"path:{self.stand_in}", "--no-write-lock-file")
        verb = 2 if words[0] in {"flake", "derivation"} else 1
        return [str(ROOT / "scripts" / "nix"), *words[:verb], *instead, *words[verb:]]

    def run(self, *words, **options):
        """What it says on stdout; fails with what it said on stderr."""
        done = self.attempt(*words, **options)
        assert done.returncode == 0, f"nix {' '.join(words)}\n{done.stderr[-6000:]}"
        return done.stdout

    def attempt(self, *words, **options):
        return subprocess.run(
            self.command(*words), env=self.environment, capture_output=True, text=True, check=False, **options
        )

    def build(self, *installables):
        """The paths of what was built, each once."""
        words = ("build", "--no-link", "--print-out-paths", "--print-build-logs", "--keep-going")
        return [Path(path) for path in self.run(*words, *installables).splitlines()]

    def value(self, installable, *words):
        return json.loads(self.run("eval", "--json", installable, *words))


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def nix(tmp_path_factory):
    """Nix, ready to build."""
    if "QIKI_NIX_TESTS" not in os.environ:
        pytest.skip("takes minutes, and the network: tox -e nix")
    if not Path("/usr/bin/env").exists() or not Path("/bin/bash").exists():
        lacks("the stand-in takes the host's programs from /bin and /usr/bin, and here are none")
    host = ask_python()
    if host is None:
        lacks("no Python 3.13 with pip here, neither python3.13 nor one of pyenv")
    stand_in = tmp_path_factory.mktemp("nixpkgs") / "nixpkgs"
    shutil.copytree(STAND_IN, stand_in)
    (stand_in / "host.json").write_text(json.dumps(host))
    shutil.copy(certificates(), stand_in / "ca-bundle.crt")
    return Nix(host, stand_in)


def certificates():
    """The file that the host trusts."""
    usual = "/etc/ssl/certs/ca-certificates.crt"
    return next(filter(None, map(os.environ.get, ("NIX_SSL_CERT_FILE", "SSL_CERT_FILE", "PIP_CERT"))), usual)


def copy_checkout(folder):
    """What Git tracks or would track, as it is being worked on."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


class Checkout:
    """A copy of this checkout.

    Attributes:
        flake: what Nix calls it
    """

    def __init__(self, folder):
        self.folder = copy_checkout(folder)
        self.flake = f"path:{folder}"
        self._before = {}

    def edit(self, name, old, new):
        path = self.folder / name
        text = path.read_text()
        assert old in text
        self._before.setdefault(path, text)
        path.write_text(text.replace(old, new, 1))

    def mend(self):
        for path, text in self._before.items():
            path.write_text(text)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """To be read only: the tests share it."""
    return Checkout(tmp_path_factory.mktemp("checkout") / "qiki")


@pytest.fixture(scope="session")
def other_checkout(tmp_path_factory):
    return Checkout(tmp_path_factory.mktemp("other-checkout") / "qiki")


@pytest.fixture
def broken(other_checkout):
    """To be broken by `edit`; whole again for the next test."""
    yield other_checkout
    other_checkout.mend()
