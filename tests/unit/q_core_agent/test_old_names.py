"""An engine that imports the old names works, and a warning has the new ones."""

import importlib
import sys

import pytest

from qiki import agent


@pytest.mark.parametrize(
    ("module", "names"),
    [("proposals", ("Action", "Proposal", "fire", "cruise", "turn")), ("world", ("TELEMETRY", "SeenTrack", "World"))],
)
def test_an_old_name_gives_the_same_and_says_the_new(module, names, monkeypatch):
    monkeypatch.delitem(sys.modules, f"q_core_agent.{module}", raising=False)
    with pytest.warns(DeprecationWarning, match=f"q_core_agent.{module} has moved: import from qiki.agent"):
        old = importlib.import_module(f"q_core_agent.{module}")

    assert all(getattr(old, name) is getattr(agent, name) for name in names)
