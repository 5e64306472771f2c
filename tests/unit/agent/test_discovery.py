"""Engines are found by their entry points; what cannot be run is one line that says why."""

import sys

import pytest

from qiki.agent.discovery import load_engines, switched_off
from qiki.errors import UserError

MODULE = """
class Idle:
    def __init__(self, bot):
        self.bot = bot

    def propose(self, world):
        return ()


def needs_a_lidar(bot):
    raise RuntimeError("no lidar,\\n  no engine")


def mute(bot):
    return object()
"""
ENTRY_POINTS = """[qiki.engines]
second = some_engines:Idle
first = some_engines:Idle
picky = some_engines:needs_a_lidar
mute = some_engines:mute
gone = some_engines:Vanished
"""


def install(folder, name, entry_points):
    """A distribution that gives engines of the module."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)


@pytest.fixture(autouse=True)
def installed(tmp_path, monkeypatch):
    install(tmp_path, "some_engines", ENTRY_POINTS)
    (tmp_path / "some_engines.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("some_engines", None)


def test_named_engines_are_made_for_the_bot_in_the_order_of_their_names(bot):
    engines = load_engines("second, first", bot)
    assert list(engines) == ["first", "second"]
    assert all(engine.bot is bot for engine in engines.values())


@pytest.mark.parametrize(
    ("chosen", "off"),
    [("all", []), ("none", ["first", "gone", "mute", "picky", "second"]), ("gone,mute,picky", ["first", "second"])],
)
def test_what_is_off_is_named_and_not_imported(chosen, off):
    assert switched_off(chosen) == off
    assert "some_engines" not in sys.modules


@pytest.mark.parametrize("chosen", ["none", "", " , "])
def test_none_is_none(chosen, bot):
    assert load_engines(chosen, bot) == {}


@pytest.mark.parametrize(
    ("chosen", "line"),
    [
        ("first,thrid", "AGENT_ENGINES: no engine 'thrid' is installed (expected some of: all, none, first, "),
        ("picky", "engine 'picky' (some_engines:needs_a_lidar) cannot be loaded: RuntimeError: no lidar, no engine"),
        ("mute", "engine 'mute' (some_engines:mute) has no method `propose`"),
        ("gone", "engine 'gone' (some_engines:Vanished) cannot be loaded: AttributeError: "),
        ("all", "engine 'gone' (some_engines:Vanished) cannot be loaded: AttributeError: "),
    ],
    ids=["unknown", "raises", "no-engine", "no-factory", "all-that-are-installed"],
)
def test_an_engine_that_cannot_run_is_one_line(chosen, line, bot):
    with pytest.raises(UserError) as refused:
        load_engines(chosen, bot)
    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)


def test_an_unknown_name_says_which_there_are(bot):
    with pytest.raises(UserError, match="first, gone, mute, picky, second"):
        load_engines("other", bot)


@pytest.mark.parametrize(
    ("name", "chosen"), [("rules", "first,rules"), ("rules", "all"), ("all", "all"), ("none", "first,none")]
)
def test_a_reserved_name_is_refused_with_its_distribution(name, chosen, tmp_path, bot):
    install(tmp_path, "bold_engines", f"[qiki.engines]\n{name} = some_engines:Idle\n")
    with pytest.raises(UserError) as refused:
        load_engines(chosen, bot)
    giver = "bold_engines (some_engines:Idle)"
    line = f"engine '{name}' of {giver}: the name is reserved (expected none of: all, none, rules)"
    assert str(refused.value) == line


def test_a_name_of_two_engines_is_refused_when_it_is_chosen(tmp_path, bot):
    install(tmp_path, "other_engines", "[qiki.engines]\nfirst = some_engines:needs_a_lidar\n")
    with pytest.raises(UserError) as refused:
        load_engines("second,first", bot)
    givers = "other_engines (some_engines:needs_a_lidar) and some_engines (some_engines:Idle)"
    assert str(refused.value) == f"engine 'first' is given by {givers} (expected one of them)"
    assert list(load_engines("second", bot)) == ["second"]
