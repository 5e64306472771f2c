"""The queries of the dashboards: which metrics they ask which services for."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
from promql_parser import AggregateExpr, MatchOp, VectorSelector

GRAFANA = {"$__rate_interval": "1m"}
OF_THE_SCRAPE = frozenset({"job", "service", "instance"})
OF_PROMETHEUS = frozenset({"up"})
"""Metrics that Prometheus makes itself, one for each target."""


@dataclass(frozen=True)
class Query:
    """A metric that a panel asks for.

    Attributes:
        where: dashboard and panel
        labels: those that the query matches, or sums by, beside the scrape's own
        service: a regular expression; empty for all services
    """

    where: str
    metric: str
    labels: frozenset[str]
    service: str

    def services(self, known: Collection[str]) -> set[str]:
        """Return those of the known services that are asked."""
        return {name for name in known if not self.service or re.fullmatch(self.service, name)}


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the panels of a dashboard's JSON, without its rows."""
    yield from (panel for panel in board["panels"] if panel["type"] != "row")


def asked(folder: Path) -> list[Query]:
    """Return all queries of the dashboards in a folder.

    Raises:
        ValueError: a query is no PromQL; the text names dashboard and panel.
    """
    boards = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
    expressions = (
        (f"{name}: {panel['title']}", target["expr"])
        for name, board in boards.items()
        for panel in panels(board)
        for target in panel["targets"]
    )
    return [query for where, expression in expressions for query in read(where, expression)]


def read(where: str, expression: str) -> list[Query]:
    """Return the metrics of one expression."""
    for macro, value in GRAFANA.items():
        expression = expression.replace(macro, value)
    nodes = list[promql_parser.Expr]()
    try:
        promql_parser.walk(promql_parser.parse(expression), pre_visit=nodes.append)
    except ValueError as error:
        raise ValueError(f"{where}: {expression}: {error}") from None
    summed = (node.modifier.labels for node in nodes if isinstance(node, AggregateExpr) and node.modifier)
    groups = {label for labels in summed for label in labels}
    return [_query(where, node, groups) for node in nodes if isinstance(node, VectorSelector)]


def _query(where: str, selector: VectorSelector, groups: set[str]) -> Query:
    if not selector.name:
        raise ValueError(f"{where}: {selector}: name the metric")
    matchers = {one.name: one for one in selector.matchers.matchers}
    service = matchers.get("service")
    if service and service.op not in (MatchOp.Equal, MatchOp.Re):
        raise ValueError(f"{where}: {selector}: name the services that are asked, not the others")
    labels = frozenset(matchers.keys() | groups) - OF_THE_SCRAPE
    return Query(where, selector.name, labels, service.value if service else "")
