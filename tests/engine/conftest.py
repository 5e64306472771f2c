"""What these tests share: copies of the checkout, and one that is opened in its devcontainer."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from qiki_harness.containers import ContainerStack

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def copy_checkout():
    """Copies this checkout into a folder: a fresh clone, with what is being worked on."""

    def copy(folder):
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        listed = ["git", "ls-files", "--modified", "--others", "--exclude-standard", "-z"]
        changed = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
        for name in filter(None, changed):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
            else:
                (folder / name).unlink()
        # Nix sees what git tracks.
        subprocess.run(["git", "add", "--all"], cwd=folder, check=True)
        return folder

    return copy


class Workspace:
    """A checkout, opened in its devcontainer.

    Args:
        folder: the checkout
        stack: names and ports that nobody else has
    """

    def __init__(self, folder: Path, stack: ContainerStack):
        self.folder = folder
        self.stack = stack
        names = ("NATS_URL", "QSIM_GRPC", "QIKI_COMPOSE_PROJECT")
        own = stack.environment | {"COMPOSE_PROJECT_NAME": stack.project}
        self.environment = {name: value for name, value in own.items() if name not in names}
        self.environment["QIKI_DOCKER_SOCKET"] = "auto"  # for `qiki restart`

    def cli(self, command, *words):
        line = [str(ROOT / "scripts" / "devcontainer"), command, "--workspace-folder", str(self.folder), *words]
        done = subprocess.run(line, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def up(self):
        return json.loads(self.cli("up").strip().splitlines()[-1])

    def run(self, *words):
        return self.cli("exec", *words)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, copy_checkout):
    """A fresh checkout, opened."""
    if "QIKI_ENGINE_TESTS" not in os.environ:
        pytest.skip("takes an engine and npm: tox -e devcontainer")
    folder = copy_checkout(tmp_path_factory.mktemp("devcontainer") / "QIKI_DTMP")
    stack = ContainerStack.apart(folder / "docker-compose.phase1.yml", "devcontainer")
    opened = Workspace(folder, stack)
    try:
        opened.result = opened.up()
        yield opened
    finally:
        stack.down()
