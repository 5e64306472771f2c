"""One factory makes every NATS client, so that each is patched."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FACTORY = ROOT / "qiki/runtime/nats.py"
CALLS = {"Client", "nats.connect", "nats.aio.client.Client"}
SOURCES = sorted(path for part in ("qiki", "services", "harness") for path in (ROOT / part).rglob("*.py"))


def made(source: str) -> Iterator[int]:
    """Lines that make a client of nats-py."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "Client",
            "nats.connect",
            "nats.aio.client.Client",
        }:
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "nats" and "connect" in {one.name for one in node.names}:
            yield node.lineno


def test_a_client_is_made_by_the_factory_alone():
    assert [path for path in SOURCES if list(made(path.read_text(encoding="utf-8")))] == [FACTORY]


@pytest.mark.parametrize(
    "line", ["client = Client()", "await nats.connect(url)", "from nats import connect", "nats.aio.client.Client()"]
)
def test_whatever_makes_one_is_found(line: str):
    assert list(made(f"async def main():\n    {line}")) == [2]
