"""The dashboards' queries on a running stack: each service has every metric that is asked of it."""

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qiki_harness.http import open_url
from qiki_harness.twin import Twin, start_twin

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/dashboards"
PAGE = ROOT / "docs/observability.md"
ROW = re.compile(r"^\| `(?P<name>qiki_\w+)(?:\{[\w,]+\})?` \| \w+ \| (?P<services>[^|]+) \|", re.MULTILINE)
TYPE = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)
SERIES = {"histogram": ("_bucket", "_sum", "_count")}


@pytest.fixture(scope="module")
def queries():
    """Import the reader of queries, which is no package's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts/dashboards"))
        patch.delitem(sys.modules, "queries", raising=False)
        yield importlib.import_module("queries")
        sys.modules.pop("queries", None)


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Twin]:
    twin = start_twin(tmp_path_factory.mktemp("stack"), "mixed-traffic", speed=10)
    yield twin
    twin.close()


@pytest.fixture(scope="module")
def pages(stack: Twin) -> dict[str, str]:
    """The text of every service's metrics, once tracks flow."""
    stack.await_track()
    names = [name for name, service in stack.stack.info.services.items() if name != "nats" and has_page(service)]
    return {name: stack.metrics_page(name) for name in names}


def has_page(service) -> bool:
    return any(variable.endswith("_HTTP_PORT") for variable in service.ports)


def series(page: str) -> set[str]:
    """The names that a query may ask for."""
    return {f"{name}{suffix}" for name, kind in TYPE.findall(page) for suffix in SERIES.get(kind, ("",))}


def missing(found, pages, scraped) -> list[str]:
    """A line for each metric that is asked of a service, or of none, and is not there."""
    known = {name: series(page) for name, page in pages.items()}
    return [
        f"{query.where}: {service or 'no service'} has no {query.metric}"
        for query in found
        if query.metric not in scraped
        for service in sorted(query.services(known)) or [""]
        if query.metric not in known.get(service, set())
    ]


def test_every_query_finds_its_metric_on_its_service(queries, pages):
    found = queries.asked(FOLDER)
    assert {query.service for query in found} >= {"", "q-sim-service", "q-sim-radar", "registrar", "qiki-dev"}
    assert missing(found, pages, queries.OF_PROMETHEUS) == []


@pytest.mark.parametrize(
    ("expression", "line"),
    [
        ('qiki_sim_steps_total{service="q-sim-service"}', "q-sim-service has no qiki_sim_steps_total"),
        ('qiki_sim_ticks_total{service="registrar"}', "registrar has no qiki_sim_ticks_total"),
        (
            'rate(qiki_bridge_step_seconds{service="faststream-bridge"}[1m])',
            "faststream-bridge has no qiki_bridge_step_seconds",
        ),
        ('up{service="registrar"} - qiki_events_total{service="simulator"}', "no service has no qiki_events_total"),
    ],
)
def test_a_query_that_finds_nothing_is_named(queries, pages, expression, line):
    assert missing(queries.read("board: panel", expression), pages, queries.OF_PROMETHEUS) == [f"board: panel: {line}"]


def test_what_one_service_lacks_is_missing_where_all_are_asked(queries, pages):
    lines = missing(queries.read("here", 'qiki_agent_state{job="qiki"}'), pages, queries.OF_PROMETHEUS)
    assert lines == [f"here: {name} has no qiki_agent_state" for name in sorted(pages) if name != "qiki-dev"]


def test_the_table_of_metrics_has_what_the_services_have(pages):
    rows = {match["name"]: match["services"].split(", ") for match in ROW.finditer(PAGE.read_text())}
    written = {
        name: {metric for metric, services in rows.items() if services == ["all"] or name in services} for name in pages
    }
    assert written == {name: own_metrics(page) for name, page in pages.items()}


def own_metrics(page: str) -> set[str]:
    names = {name for name, _ in TYPE.findall(page)}
    return {name for name in names if name.startswith("qiki_") and not name.endswith("_created")}


def test_the_targets_of_a_native_stack_are_its_services(stack: Twin, pages):
    script = ROOT / "scripts/scrape_targets.py"
    command = [sys.executable, "-IS", script, stack.stack.folder.info_file]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = {one["labels"]["service"]: one["targets"] for one in json.loads(done.stdout)}
    assert found.keys() == pages.keys()
    for name, (address,) in found.items():
        with open_url(f"http://{address}/metrics", timeout=5) as answer:
            assert own_metrics(answer.read().decode()) == own_metrics(pages[name])
