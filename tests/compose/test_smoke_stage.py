"""`tox -e smoke` on the compose stack: what it does when a part of the stack is broken."""

import subprocess
import sys

import pytest

STAGE = [sys.executable, "-m", "qiki_harness.containers.stage"]


@pytest.mark.timeout(600)
def test_a_broken_part_fails_it_and_shows_who_is_guilty(container_stack, monkeypatch):
    """Guard rules that cannot be read: the bridge does not come up."""
    for name in ("NATS_URL", "QSIM_GRPC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QIKI_GUARD_RULES", "/no/rules.yaml")
    done = subprocess.run(STAGE, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert "faststream-bridge | faststream-bridge: /no/rules.yaml" in said
    assert "the logs of 9 containers are in" in said
    assert "taken down" in said
    engine = container_stack.containers.engine
    left = [one.name for one in engine.containers.list(all=True) if "-smoke-" in one.name]
    assert left == []
    assert [volume.name for volume in engine.volumes.list() if "-smoke-" in volume.name] == []
