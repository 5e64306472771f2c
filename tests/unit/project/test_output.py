"""All output leaves through qiki.runtime.terminal."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ALLOWED = {
    "qiki/runtime/logs.py": "the handler of structured logs, whose renderers escape",
    "qiki/runtime/probe.py": "imports nothing of ours; the engine, or the runner, keeps what it prints as text",
    "services/nats/server.py": "copies the server's own log to where the server would write it",
    "harness/qiki_harness/keeper.py": "imports nothing of ours: prints its own command line",
    "harness/qiki_harness/stack/launch.py": "imports nothing of ours: prints the compose file's command into a log",
    "harness/qiki_harness/forks/server.py": "a fork that failed: its traceback, into the service's log",
    "harness/qiki_harness/stack/runfolder.py": "`say`, which escapes, into the supervisor's log",
    "harness/qiki_harness/stack/stackrun.py": "JSON for the starter",
}
WRITERS = {"write", "writelines", "buffer"}
LIBRARIES = {"secho", "Console", "StreamHandler", "rprint", "print_exc", "print_exception", "displayhook", "excepthook"}
MODULES = sorted(path for part in ("qiki", "services", "harness") for path in (ROOT / part).rglob("*.py"))


def ways_out(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            first = ast.unparse(node.args[0]) if node.args else ""
            if called == "print" or called.rpartition(".")[2] in LIBRARIES or called in {"typer.echo", "click.echo"}:
                yield node.lineno, called
            if called == "os.write" and first in {"1", "2", "_OUTPUT", "_ERRORS"}:
                yield node.lineno, f"{called}({first}"
        if isinstance(node, ast.Attribute) and node.attr in WRITERS:
            stream = ast.unparse(node.value)
            if stream.endswith(("stdout", "stderr")):
                yield node.lineno, f"{stream}.{node.attr}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_writes_around_the_terminal(module):
    found = list(ways_out(ast.parse(module.read_text(encoding="utf-8"))))
    assert bool(found) is (str(module.relative_to(ROOT)) in ALLOWED), f"{found}: print by qiki.runtime.terminal"
