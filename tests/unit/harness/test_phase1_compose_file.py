"""The project's own compose file, as the native runner reads it: the contract's names and ports."""

from pathlib import Path

import pytest

from qiki.runtime import probe
from qiki_harness.compose import ComposeFile, Project, RestartKind, StartCondition
from qiki_harness.compose.nodes import read

FILE = Path(__file__).parents[3] / "docker-compose.phase1.yml"
LONG_RUNNING = {
    "nats",
    "q-sim-service",
    "q-sim-radar",
    "faststream-bridge",
    "registrar",
    "operator-console",
    "qiki-dev",
}


@pytest.fixture(scope="module")
def compose() -> ComposeFile:
    return ComposeFile(FILE)


@pytest.fixture(scope="module")
def project(compose: ComposeFile) -> Project:
    ports = {port.variable: port.default for port in compose.ports}
    return compose.project(compose.native_variables(Path("/run/data"), ports), environ={})


def test_container_names_are_the_contracts():
    services = read(FILE).entries()["services"].entries()
    names = {name: service.entries()["container_name"].text() for name, service in services.items()}
    contract = {"nats": "qiki-nats-phase1", "registrar": "qiki-registrar-phase1", "operator-console": "qiki-console"}
    assert names == {name: contract.get(name, name) for name in names}
    assert LONG_RUNNING | {"nats-js-init"} <= set(names)


def test_ports_are_the_contracts(compose: ComposeFile):
    published = {port.default: port.service for port in compose.ports if port.published}
    assert published == {4222: "nats", 8222: "nats", 9222: "nats", 50051: "q-sim-service", 8088: "operator-console"}
    exposed = {port.service: port.default for port in compose.ports if not port.published}
    assert len({*exposed.values(), *published}) == len(exposed) + len(published), "two services have the same port"
    assert (
        exposed.items()
        >= {
            "q-sim-service": 9100,
            "q-sim-radar": 9101,
            "faststream-bridge": 9102,
            "registrar": 9103,
            "qiki-dev": 9104,
            "operator-console": 9105,
        }.items()
    )


def test_the_host_is_reached_on_loopback_only():
    for service in read(FILE).entries()["services"].entries().values():
        for port in service.entries()["ports"].items() if "ports" in service.entries() else ():
            assert port.text().startswith("127.0.0.1:")


def test_every_long_running_service_has_a_health_check_that_starts_fast(project: Project):
    for service in project.services.values():
        if service.restart.kind is RestartKind.NO:
            assert service.healthcheck is None
            continue
        assert service.healthcheck is not None
        assert service.healthcheck.start_interval_s <= 0.5
        assert service.healthcheck.start_period_s >= 10


def test_silence_shows_within_5_s_and_a_probe_that_starts_slowly_does_not(project: Project):
    for service in project.services.values():
        if check := service.healthcheck:
            assert check.retries == 1
            assert check.interval_s + probe.ANSWER_S <= 4
            assert check.timeout_s >= probe.WAIT_S + probe.ANSWER_S + 10


def test_streams_are_made_before_anybody_publishes(project: Project):
    for name in ("q-sim-radar", "faststream-bridge", "registrar", "operator-console", "qiki-dev"):
        conditions = {need.service: need.condition for need in project.services[name].dependencies}
        assert conditions["nats-js-init"] is StartCondition.COMPLETED


def test_natively_everything_is_on_loopback_and_in_the_run_folder(project: Project):
    for service in project.services.values():
        values = [*service.environment.values(), *service.command]
        assert not [
            value for value in values if "0.0.0.0" in value or value.startswith(("/data", "/keys", "/workspace"))
        ]
    assert project.addresses == {
        "NATS_URL": "nats://127.0.0.1:4222",
        "NATS_HTTP": "http://127.0.0.1:8222",
        "NATS_WS": "ws://127.0.0.1:9222",
        "QSIM_GRPC": "127.0.0.1:50051",
        "CONSOLE_HTTP": "http://127.0.0.1:8088",
        "BRIDGE_HTTP": "http://127.0.0.1:9102",
        "QIKI_KEYS_DIR": "/run/data/keys-operator",
        "TESTS_KEYS_DIR": "/run/data/keys-tests",
        "QIKI_TLS_CA": "/run/data/keys-ca/ca.pem",
    }
    assert project.services["nats"].command[-1] == "/run/data/jetstream"
    assert project.services["registrar"].environment["AUDIT_DIR"] == "/run/data/audit"
    assert {service.working_dir for service in project.services.values()} == {FILE.parent}


def test_no_service_gets_an_empty_setting(project: Project):
    for service in project.services.values():
        assert [key for key, value in service.environment.items() if not value] == []
