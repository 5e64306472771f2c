"""The fuzzer's targets without the fuzzer: kept cases, the corpus, and random bytes."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FUZZ = Path(__file__).parents[2] / "fuzz"


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_targets", FUZZ / "targets.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


TARGETS = loaded().TARGETS
KEPT = [
    pytest.param(path.parent.name, path, id=f"{path.parent.name}-{path.name[:12]}")
    for folder in ("cases", "corpus")
    for path in sorted((FUZZ / folder).glob("*/*"))
]


@pytest.mark.parametrize(("name", "path"), KEPT)
def test_what_was_found_once_holds(name: str, path: Path):
    TARGETS[name].holds(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_random_bytes_give_a_value_or_the_declared_error(name: str, data: st.DataObject):
    target = TARGETS[name]
    begin = data.draw(st.sampled_from((b"", *target.seeds)))
    cut = data.draw(st.integers(0, len(begin)))
    target.holds(begin[:cut] + data.draw(st.binary(max_size=200)) + begin[cut:])


def test_an_error_that_is_not_declared_is_a_finding():
    with pytest.raises(ZeroDivisionError):
        loaded().Target(lambda _: 1 / 0, (ValueError,)).holds(b"")
