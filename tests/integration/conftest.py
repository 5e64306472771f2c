"""Worlds for the tests of this folder."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qiki.botspec import DEFAULT_SPEC
from qiki_harness.twin import start_twin


@pytest.fixture(scope="session")
def world_stack(tmp_path_factory):
    """A native stack of this process whose simulator is reset again and again; only its test commands the vehicle."""
    often = {"TELEMETRY_INTERVAL_SEC": "0.1"}
    folder = tmp_path_factory.mktemp("a folder of worlds")  # with blanks, as a user's may have
    twin = start_twin(folder, "empty", start=False, env=often, without=("qiki-dev",))
    yield twin
    twin.close()


@pytest.fixture
def world(world_stack):
    """Begins a world, stopped: a new run on a stack that is up already, for tests that kill nothing.

    What an earlier run left on its way may still come in: ask for `run=` or `after=`.
    """

    def begin(scenario, **options):
        world_stack.forget()  # before, so that a bundle has what the run follows from
        assert world_stack.command("sim.reset", scenario=scenario, **options).ok
        return world_stack

    yield begin
    world_stack.command("sim.stop")  # it would run on beside the tests that need no world


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a file system in memory, of so many MB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounts a file system: takes Linux and root")
    folder = tmp_path / "disk"

    def mount(size_mb: int) -> Path:
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(folder)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            folder.rmdir()
            pytest.skip(f"mounts a file system: {done.stderr.strip()}")
        return folder

    yield mount
    if folder.exists():
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def spec_file(tmp_path):
    """Writes a changed copy of the default specification."""

    def write(*changes):
        text = DEFAULT_SPEC.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "bot.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
