"""The owner's specification, command by command: README and its Russian twin show it, and it works as written."""

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from qiki_harness.compose import ComposeFile
from qiki_harness.containers import find_engine

ROOT = Path(__file__).parents[2]
PROJECT = f"qiki-specification-{os.getpid()}"
COMPOSE = "docker compose -f docker-compose.phase1.yml"
NAMES = (
    "qiki-nats-phase1",
    "q-sim-service",
    "q-sim-radar",
    "faststream-bridge",
    "qiki-registrar-phase1",
    "qiki-console",
    "qiki-dev",
)
READMES = {"README.md": "## Containers", "docs/README.ru.md": "## Контейнеры"}

UP, PS, HEALTHZ, GRPC, RADAR, SMOKE, ALL, DOWN = SPECIFICATION = (
    f"{COMPOSE} up -d --build",
    f"{COMPOSE} ps",
    "curl -sf http://localhost:8222/healthz",
    f"""{COMPOSE} exec -T q-sim-service python - <<'PY'
import grpc
from generated.q_sim_api_pb2_grpc import QSimAPIServiceStub
from generated.q_sim_api_pb2 import HealthCheckRequest
channel = grpc.insecure_channel('localhost:50051')
stub = QSimAPIServiceStub(channel)
print(stub.HealthCheck(HealthCheckRequest(), timeout=3.0))
PY""",
    f"""{COMPOSE} exec -T qiki-dev \\
  pytest -q tests/integration/test_radar_flow.py tests/integration/test_radar_tracks_flow.py""",
    f"""{COMPOSE} exec -T qiki-dev \\
  bash /workspace/scripts/smoke_test.sh""",
    f"{COMPOSE} exec -T qiki-dev pytest -q tests",
    f"{COMPOSE} down",
)


@pytest.mark.parametrize(("readme", "heading"), READMES.items(), ids=READMES)
def test_the_readme_shows_the_specification(readme, heading):
    assert blocks((ROOT / readme).read_text(encoding="utf-8"), heading) == list(SPECIFICATION)


def blocks(text, heading):
    """The commands of a chapter."""
    chapter = text.split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```bash\n(.*?)\n```", chapter, re.DOTALL)


@pytest.fixture
def clone(tmp_path, copy_checkout):
    """A fresh clone, where nothing else has the specification's names and ports."""
    if "QIKI_ENGINE_TESTS" not in os.environ:
        pytest.skip("takes an engine: tox -e specification")
    there = [one.name for one in find_engine().containers.list(all=True)]
    assert not {*NAMES, "keys", "nats-js-init"} & set(there), "a stack has the names that this test needs"
    taken = [port.default for port in ComposeFile(ROOT / "docker-compose.phase1.yml").ports if port.published]
    for port in taken:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, f"port {port} is taken: end the stack that has it"
    folder = copy_checkout(tmp_path / "QIKI_DTMP")
    yield folder
    shell(folder, f"{COMPOSE} down --volumes --remove-orphans --rmi all")


def shell(folder, block):
    # As in a user's shell: none of what our own environment says of another stack.
    names = ("NATS_URL", "QSIM_GRPC", "BRIDGE_HTTP", "QIKI_COMPOSE_PROJECT")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    # Volumes and images of the test's own: only the containers' names and the ports are the usual ones.
    environment |= {"COMPOSE_PROJECT_NAME": PROJECT, "QIKI_IMAGE_TAG": PROJECT}
    done = subprocess.run(
        ["bash", "-c", block],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.mark.timeout(900)
def test_the_commands_of_the_specification_work_as_written(clone):
    in_order(clone, [UP, PS, HEALTHZ, GRPC, RADAR, SMOKE, DOWN])


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_all_of_them_do_the_run_of_all_tests_too(clone):
    said = in_order(clone, SPECIFICATION)[ALL]
    assert re.search(r"\d{4} passed", said), said[-2000:]


def in_order(clone, commands):
    """Run them; what each said."""
    said = {command: shell(clone, command) for command in commands}
    for name in NAMES:
        assert re.search(rf"^{name} .* Up ", said[PS], re.MULTILINE), said[PS]
    assert said[HEALTHZ].split() == ['{"status":"ok"}']
    assert 'status: "OK"' in said[GRPC]
    assert re.search(r"\d+ passed", said[RADAR])
    assert "10 of 10" in said[SMOKE], said[SMOKE]
    assert shell(clone, f"{COMPOSE} ps --all --quiet") == ""
    return said
