"""For any content of a file that people write its reader gives a value or one short error, soon."""

import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qiki.botspec import load_spec
from qiki.botspec.spec import DEFAULT_SPEC
from qiki.errors import UserError
from qiki.guard import DEFAULT_RULES
from qiki.guard.rules import GuardRules
from qiki.shipped import SCENARIOS
from qiki.world.scenario import load_scenario
from qiki.yamlfile import load_yaml_model
from qiki.yamltree import MAX_VALUES
from qiki_harness.cli.options import compose_file
from qiki_harness.compose import ComposeFile
from qiki_harness.compose.nodes import read_env_file


def load_compose(path: Path) -> object:
    compose = ComposeFile(path)
    ports = {port.variable: port.default for port in compose.ports}
    return compose.project({**compose.dotenv(), **compose.native_variables(path.parent, ports)}), compose.settings


READERS: dict[str, tuple[Callable[[Path], object], list[Path]]] = {
    "scenario.yaml": (load_scenario, sorted(SCENARIOS.glob("*.yaml"))),
    "spec.yaml": (load_spec, [DEFAULT_SPEC]),
    "rules.yaml": (partial(load_yaml_model, model=GuardRules), [DEFAULT_RULES]),
    "compose.yml": (load_compose, [compose_file()]),
    ".env": (read_env_file, []),
}
ENV = "QIKI_SEED=1\nQIKI_SPEED = '2.5' # so\nexport NATS_PORT=\"4222\"\nA=${B:-c}\n\n# no\n"
FRAGMENTS = [
    "[" * 70, "{a: " * 70, "- ", "? ", ": ", "&a ", "*a", "<<: *a", "!!int ", "!x ", "|", ">", "'", '"', "\t", "\r",
    "\n---\n", "...", "%YAML 9.9\n", "#", "${", "${A:-", "}", "$", "9" * 5000, "1e999", ".inf", ".nan", "-1", "0b_",
    "1:1:1", "9999-12-31", "0001-01-01T00:00:00+23:59", "2026-13-45", "null", "~", "true", "ON", "=", "\ufeff",
    "\x85", "\u2028", "\U0010ffff", "\x00", "\x1b[2J", "é", "a" * 70_000, "services", "command", "ports", "contacts",
    "rules", "components", "on-failure:9", "  " * 200,
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, text: str) -> bytes:
    """A valid text with pieces removed, repeated, replaced and put in."""
    content = text
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(content)))
        end = min(len(content), begin + draw(st.integers(0, 40)))
        piece = draw(st.sampled_from(["", content[begin:end] * 2, *FRAGMENTS]) | st.text(max_size=8))
        content = content[:begin] + piece + content[end:]
    return content.encode("utf-8", "surrogatepass")


def judge(read: Callable[[Path], object], path: Path, content: bytes) -> None:
    path.write_bytes(content)
    began_s = time.process_time()
    try:
        read(path)
    except UserError as error:
        text = str(error)
        assert "\n" not in text
        assert len(text) < 1500 + len(str(path))
        assert text.startswith(str(path))
    assert time.process_time() - began_s < 10


FUZZ = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", READERS)
@FUZZ
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(partial(str.encode, errors="surrogatepass")))
def test_arbitrary_bytes(tmp_path: Path, name: str, content: bytes):
    judge(READERS[name][0], tmp_path / name, content)


@pytest.mark.parametrize("name", READERS)
@FUZZ
@given(data=st.data())
def test_mutated_valid_files(tmp_path: Path, name: str, data: st.DataObject):
    read, files = READERS[name]
    text = data.draw(st.sampled_from([one.read_text(encoding="utf-8") for one in files] or [ENV]))
    judge(read, tmp_path / name, data.draw(mutated(text)))


scalars: st.SearchStrategy[Any] = st.sampled_from(FRAGMENTS) | st.integers() | st.floats() | st.booleans() | st.none()
trees = st.recursive(
    scalars,
    lambda deeper: st.lists(deeper, max_size=4) | st.dictionaries(st.sampled_from(FRAGMENTS), deeper, max_size=4),
)


@pytest.mark.parametrize("name", [name for name in READERS if name != ".env"])
@FUZZ
@given(
    tree=trees, key=st.sampled_from(["services", "contacts", "rules", "components", "x-addresses", "volumes", "name"])
)
def test_trees_of_odd_values(tmp_path: Path, name: str, tree: object, key: str):
    judge(READERS[name][0], tmp_path / name, f"{key}: {tree!r}".encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("name", [name for name in READERS if name != ".env"])
def test_as_many_faults_as_there_may_be_values(tmp_path: Path, name: str):
    keys = {"scenario.yaml": "contacts", "rules.yaml": "rules", "spec.yaml": "metadata", "compose.yml": "services"}
    (tmp_path / name).write_text(f"{keys[name]}:\n" + "- {}\n" * (MAX_VALUES - 4))
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began_s = time.process_time()
    with pytest.raises(UserError):
        READERS[name][0](tmp_path / name)
    assert time.process_time() - began_s < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 700_000
