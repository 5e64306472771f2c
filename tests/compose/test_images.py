"""What is in the images, and what can be done in them."""

import io
import json
import re
import tarfile
from pathlib import Path

import pytest

from qiki_harness.supply.sbom import Materials

ROOT = Path(__file__).parents[2]
LARGEST_MB = 300
LARGEST_BROKER_MB = 25
SERVICES = ("nats", "q-sim-service", "q-sim-radar", "faststream-bridge", "registrar", "operator-console", "qiki-dev")
INSTALLED = "import json, importlib.metadata as m; print(json.dumps({d.name: d.version for d in m.distributions()}))"


def run(containers, service, *command):
    status, output = containers.execute(service, *command)
    assert status == 0, output
    return output


def pins(lock):
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", (ROOT / "locks" / lock).read_text(), re.MULTILINE)
    return {canonical(name): version for name, version in found}


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(("service", "lock"), [("registrar", "runtime.txt"), ("qiki-dev", "dev.txt")])
def test_an_image_holds_what_its_lock_pins_and_the_project(containers, service, lock):
    listed = json.loads(run(containers, service, "python", "-I", "-c", INSTALLED))
    installed = {canonical(name): version for name, version in listed.items()}
    assert installed.pop("qiki-dtmp")
    assert installed.items() <= pins(lock).items()
    missing = pins(lock).keys() - installed.keys()
    assert missing <= {"colorama", "pywin32", "exceptiongroup", "tomli"}, (
        "markers leave out no others on Linux with 3.13"
    )


@pytest.mark.parametrize(("service", "image"), [("registrar", "runtime"), ("qiki-dev", "dev")])
def test_an_image_holds_what_its_bill_of_materials_names(containers, service, image):
    listed = json.loads(run(containers, service, "python", "-I", "-c", INSTALLED))
    parts = json.loads(Materials(ROOT).bills()[f"qiki-dtmp-{image}.cdx.json"])["components"]
    named = {part["purl"] for part in parts if part["purl"].startswith("pkg:pypi/")}
    assert named == {f"pkg:pypi/{canonical(name)}@{version}" for name, version in listed.items()}
    for package in (part["name"] for part in parts if part["purl"].startswith("pkg:deb/")):
        assert run(containers, service, "dpkg-query", "--show", package)


def test_the_runtime_image_has_no_tools(containers):
    for tool in ("pip", "pip3", "gcc", "cc", "ld", "make", "git"):
        assert containers.execute("registrar", "sh", "-c", f"command -v {tool}")[0] != 0, tool
    for python in ("python", "/usr/bin/env -i /usr/local/bin/python3"):
        assert "No module named pip" in containers.execute("registrar", "sh", "-c", f"{python} -m pip")[1]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_no_powers(containers, service):
    status = containers.beside(service, "cat", "/proc/1/status")
    assert re.search(r"^Uid:\t4711\t4711\t4711\t4711$", status, re.MULTILINE)
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    host = containers.of_service(service).attrs["HostConfig"]
    assert host["ReadonlyRootfs"] is (service != "qiki-dev")
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert host["NanoCpus"] > 0
    assert re.search(r"(^|,)size=\d+[mg]", host["Tmpfs"]["/tmp"])


def test_what_is_read_only_cannot_be_written(containers):
    for place in ("/tmp/../x", "/opt/qiki/x", "/workspace/x", "/var/tmp/x"):
        assert "Read-only file system" in containers.execute("q-sim-service", "touch", place)[1]


def test_all_is_there_as_bytecode(containers):
    script = (
        "import pathlib, sysconfig; roots = ['/workspace/qiki', '/workspace/services', '/opt/qiki/lib'];"
        "roots.append(sysconfig.get_path('stdlib'));"
        "files = [f for r in roots for f in pathlib.Path(r).rglob('*.py')];"
        "from importlib.util import cache_from_source as c;"
        "print(len(files), sum(pathlib.Path(c(str(f))).exists() for f in files))"
    )
    files, compiled = map(int, run(containers, "registrar", "python", "-c", script).split())
    assert files > 1000
    assert compiled > 0.99 * files  # a few files of packages are templates, and no Python


def test_the_runtime_image_is_small(containers):
    """What it has above its base: the environment and the sources."""
    sizes = run(containers, "registrar", "du", "-sm", "/opt/qiki", "/workspace")
    assert sum(int(line.split()[0]) for line in sizes.splitlines()) < LARGEST_MB


def files(container):
    """The names of an image's files, without what the engine mounts."""
    exported = io.BytesIO(b"".join(container.export()))
    with tarfile.open(fileobj=exported) as archive:
        return {member.name for member in archive if member.isfile() and member.size}


def test_the_broker_s_image_has_the_server_its_launcher_and_nothing_else(containers):
    broker = containers.of_service("nats")
    engine_s = {"sbin/docker-init"}
    assert files(broker) - engine_s == {
        "bin/nats-server",
        "bin/nats-launcher",
        "licenses/LICENSE",
        "licenses/nats-server/LICENSE",
        "workspace/services/nats/nats.conf",
    }
    assert broker.image.attrs["Size"] < LARGEST_BROKER_MB * 1e6


NETWORKS = ("broker", "observation", "outside")
REACH = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)"
INSIDE = {"keys", "nats-js-init", "q-sim-radar", "faststream-bridge", "registrar"}


def test_who_has_no_business_outside_has_no_route_there(containers):
    for name, container in containers.all().items():
        networks = {network.removeprefix(f"{containers.project}_") for network in networks_of(container)}
        assert "broker" in networks
        assert ("outside" in networks) == (name not in INSIDE), name
        assert ("observation" in networks) == (name not in {"keys", "nats-js-init"}), name
    internal = {
        name: containers.engine.networks.get(f"{containers.project}_{name}").attrs["Internal"] for name in NETWORKS
    }
    assert internal == {"broker": True, "observation": True, "outside": False}
    gateway = containers.engine.networks.get(f"{containers.project}_outside").attrs["IPAM"]["Config"][0]["Gateway"]
    status, output = containers.execute("registrar", "python", "-c", REACH, gateway, "1")
    assert status != 0
    assert "Network is unreachable" in output


def networks_of(container):
    return container.attrs["NetworkSettings"]["Networks"]


@pytest.mark.parametrize("address", ["NATS_URL", "NATS_HTTP", "QSIM_GRPC", "BRIDGE_HTTP"])
def test_the_workspace_reaches_what_it_asks(containers, address):
    server = run(containers, "qiki-dev", "printenv", address).strip().rpartition("/")[2]
    run(containers, "qiki-dev", "python", "-c", REACH, *server.split(":"))


def test_only_loopback_is_published(containers):
    for container in containers.all().values():
        for bindings in (container.attrs["NetworkSettings"]["Ports"] or {}).values():
            assert {binding["HostIp"] for binding in bindings or ()} <= {"127.0.0.1"}
