"""The dashboards as JSON: fresh, complete, and every query is PromQL that asks services for metrics they declare."""

import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
MAKER = "scripts/dashboards"
FOLDER = ROOT / "docs/dashboards"
PAGE = ROOT / "docs/observability.md"
OWN = ("metrics", "page", "panels", "queries")
BOARDS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
OF_EVERY_PROCESS = {
    "process_cpu_seconds_total", "process_open_fds", "process_resident_memory_bytes", "process_start_time_seconds",
}  # fmt: skip


@pytest.fixture(scope="module")
def load():
    """Import a module of the maker, as its own modules do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / MAKER))
        for name in OWN:
            patch.delitem(sys.modules, name, raising=False)
        yield importlib.import_module
        for name in OWN:
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def queries(load):
    return load("queries")


@pytest.fixture(scope="module")
def declared(load):
    """The labels of every metric of each service; a histogram under the names of its series."""
    metrics = load("metrics")

    def series(metric):
        if metric.kind != "histogram":
            return {metric.name: set(metric.labels)}
        return {f"{metric.name}{suffix}": {*metric.labels, "le"} for suffix in ("_bucket", "_sum", "_count")}

    return {
        one.name: {name: labels for metric in metrics.declared(one.package) for name, labels in series(metric).items()}
        for one in metrics.scraped()
    }


@pytest.fixture
def copy(tmp_path):
    """A checkout of what the maker reads and writes."""
    pytest.importorskip("grafana_foundation_sdk", reason="Grafana's SDK is not installed: tox -e dashboards has it")
    for folder in (MAKER, "docs/dashboards"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("docs/observability.md", "docker-compose.phase1.yml"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def make(root, *options):
    command = [sys.executable, root / MAKER, *options]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def panels():
    return [
        pytest.param(panel, id=f"{name}-{panel['title']}")
        for name, board in BOARDS.items()
        for panel in board["panels"]
        if panel["type"] != "row"
    ]


def test_the_dashboards_are_fresh():
    pytest.importorskip("grafana_foundation_sdk", reason="Grafana's SDK is not installed: tox -e dashboards has it")
    done = make(ROOT, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_page_is_fresh(load):
    assert PAGE.read_text() == load("page").page(), "docs/observability.md is stale: run tox -e dashboards -- --update"


def test_what_is_stale_is_named_and_renewed(copy):
    board = copy / "docs/dashboards/qiki-run.json"
    board.write_text(board.read_text().replace("qiki_sim_ticks_total", "qiki_sim_steps_total"))
    (copy / "docs/dashboards/old.json").write_text('{"panels": []}')
    page = copy / "docs/observability.md"
    page.write_text(page.read_text().replace("| `qiki_sim_behind_seconds` |", "| `qiki_sim_late_seconds` |"))
    done = make(copy, "--check")
    assert done.returncode == 1
    names = "docs/observability.md, docs/dashboards/qiki-run.json, docs/dashboards/old.json"
    assert done.stderr == f"dashboards: stale: {names}; run python scripts/dashboards\n"
    assert make(copy).returncode == 0
    assert page.read_text() == PAGE.read_text()
    assert {path.name: path.read_text() for path in board.parent.iterdir()} == {
        path.name: path.read_text() for path in FOLDER.iterdir()
    }


def test_a_page_without_its_marks_is_named(copy):
    page = copy / "docs/observability.md"
    page.write_text(page.read_text().replace("<!-- end -->", ""))
    done = make(copy, "--check")
    assert (done.returncode, done.stderr) == (
        1,
        "dashboards: docs/observability.md: the mark of the part targets, or its end, is missing\n",
    )


@pytest.mark.parametrize("panel", panels())
def test_a_panel_says_what_it_shows(panel):
    assert panel["title"]
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert re.fullmatch(r"[A-Z][^.]{10,}\.", panel["description"]), "one sentence"
    assert all(target["expr"] and target["legendFormat"] for target in panel["targets"])
    assert panel["targets"]


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_has_an_address_and_fits_the_grid(name):
    board = BOARDS[name]
    assert board["uid"] == name
    numbers = [panel["id"] for panel in board["panels"]]
    assert sorted(set(numbers)) == numbers
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(set(places)) == len(places)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in board["panels"])


def test_every_query_asks_services_for_metrics_that_they_declare(queries, declared):
    found = queries.asked(FOLDER)
    assert len(found) > 50
    unknown = [
        f"{query.where}: {service or 'no service'} declares no {query.metric}"
        for query in found
        for service in query.services(declared) or {""}
        if query.metric not in declared.get(service, {}).keys() | OF_EVERY_PROCESS | queries.OF_PROMETHEUS
    ]
    assert unknown == []


def test_every_label_of_a_query_is_one_of_its_metric(queries, declared):
    known = {name: labels for metrics in declared.values() for name, labels in metrics.items()}
    unknown = [
        f"{query.where}: {query.metric} has no label {label}"
        for query in queries.asked(FOLDER)
        for label in query.labels - known.get(query.metric, set())
    ]
    assert unknown == []


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("rate(qiki_sim_ticks_total)", "expected type matrix"),
        ("sum by (service (up)", "board: panel: sum by (service (up): "),
        ('{job="qiki"}', "name the metric"),
        ('up{service!="registrar"}', "name the services that are asked"),
    ],
)
def test_a_query_that_cannot_be_read_is_named(queries, expression, words):
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        queries.read("board: panel", expression)
    assert str(caught.value).startswith("board: panel: ")


def test_a_query_names_metrics_labels_and_services(queries):
    expression = (
        'sum by (le) (rate(a_bucket{service="x"}[$__rate_interval])) / b{job="qiki",kind=~"p|q"} - c{service=~"x|y"}'
    )
    a, b, c = queries.read("here", expression)
    assert [(one.metric, one.labels) for one in (a, b, c)] == [
        ("a_bucket", {"le"}),
        ("b", {"le", "kind"}),
        ("c", {"le"}),
    ]
    assert [one.services({"x", "y", "z"}) for one in (a, b, c)] == [{"x"}, {"x", "y", "z"}, {"x", "y"}]


def test_the_configurations_of_the_page_set_the_labels_that_the_queries_match(load):
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)]
    native, containers = (block["scrape_configs"] for block in blocks if "scrape_configs" in block)
    assert [one["job_name"] for one in (*native, *containers)] == [load("panels").JOB] * 2
    found = {one["labels"]["service"]: one["targets"] for one in containers[0]["static_configs"]}
    assert found == {one.name: [f"{one.name}:{one.port}"] for one in load("metrics").scraped()}


def test_the_links_of_the_page_lead_somewhere():
    targets = {target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", PAGE.read_text())}
    assert [target for target in targets if target and not (PAGE.parent / target).exists()] == []
