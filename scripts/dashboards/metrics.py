"""The metrics of all services, and the places where Prometheus finds them, from the code and the compose file."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
OWN = "qiki_"
_DEFAULT = re.compile(r":-(\d+)\}")
# A process for each service: its registry has the metrics of its own modules alone.
_READ = """
import importlib, json, sys
from prometheus_client import REGISTRY
importlib.import_module(f"{sys.argv[1]}.app")
made = {id(one): one for name, one in REGISTRY._names_to_collectors.items() if name.startswith(sys.argv[2])}
found = [(one.describe()[0], one._labelnames) for one in made.values()]
print(json.dumps([(family.name, family.type, family.documentation, labels) for family, labels in found]))
"""


@dataclass(frozen=True)
class Scraped:
    """A service with metrics: its name in the compose file, its package, its port in containers."""

    name: str
    package: str
    port: int


@dataclass(frozen=True)
class Metric:
    """A metric as the code declares it."""

    name: str
    kind: str
    about: str
    labels: tuple[str, ...]


def scraped() -> list[Scraped]:
    """Return the services of the compose file that have a health server, by port."""
    services = yaml.safe_load((ROOT / "docker-compose.phase1.yml").read_text(encoding="utf-8"))["services"]
    return sorted(_scraped(services), key=lambda one: one.port)


def _scraped(services: dict[str, dict[str, dict[str, str]]]) -> Iterator[Scraped]:
    for name, entry in services.items():
        if port := entry["environment"].get("QIKI_HTTP_PORT"):
            number = _DEFAULT.search(port)
            assert number
            yield Scraped(name, entry["command"][-1], int(number[1]))


@cache
def declared(package: str) -> tuple[Metric, ...]:
    """Return the metrics that a service's modules declare, by name."""
    command = [sys.executable, "-c", _READ, package, OWN]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    found = (
        Metric(f"{name}_total" if kind == "counter" else name, kind, about, tuple(labels))
        for name, kind, about, labels in json.loads(done.stdout)
    )
    return tuple(sorted(found, key=lambda one: one.name))


def table() -> str:
    """Return the table of all metrics: first those of several services, then each service's."""
    services = [one.name for one in scraped()]
    holders = dict[Metric, list[str]]()
    for one in scraped():
        for metric in declared(one.package):
            holders.setdefault(metric, []).append(one.name)
    rows = sorted(holders.items(), key=lambda row: (-len(row[1]), services.index(row[1][0]), row[0].name))
    lines = (_row(metric, "all" if names == services else ", ".join(names)) for metric, names in rows)
    return "\n".join(["| metric | kind | service | meaning |", "| --- | --- | --- | --- |", *lines])


def _row(metric: Metric, services: str) -> str:
    labels = f"{{{','.join(metric.labels)}}}" if metric.labels else ""
    return f"| `{metric.name}{labels}` | {metric.kind} | {services} | {metric.about} |"


def targets() -> str:
    """Return the configuration of a Prometheus on the containers' network."""
    lines = (f'      - {{targets: ["{one.name}:{one.port}"], labels: {{service: {one.name}}}}}' for one in scraped())
    head = ["```yaml", "# prometheus.yml", "global: {scrape_interval: 5s}", "scrape_configs:", "  - job_name: qiki"]
    return "\n".join([*head, "    static_configs:", *lines, "```"])
