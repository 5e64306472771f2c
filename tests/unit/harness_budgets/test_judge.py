"""The judgement, with the figures of a real run: those of the table."""

from collections.abc import Iterator
from typing import Any

import pytest

from qiki_harness.budgets.__main__ import report
from qiki_harness.budgets.judge import FACTOR, FIGURES, judge
from qiki_harness.budgets.table import Budgets

TRACKS = ("speed", "1", "topics", "qiki.radar.v1.tracks")
BRIDGE = ("speed", "1", "services", "faststream-bridge")
DEAD = ("speed", "1", "topics", "qiki.dlq.v1.>")


def changed(table: Budgets, path: tuple[str, ...], value: object) -> Budgets:
    """The table with one entry changed; None: without it."""
    whole = table.model_dump(exclude_none=True)
    *folders, last = path
    entry: Any = whole
    for folder in folders:
        entry = entry[folder]
    entry[last] = value
    if value is None:
        del entry[last]
    return Budgets.model_validate(whole)


def figures(entries: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float]]:
    for key, value in entries.items():
        if isinstance(value, dict):
            yield from figures(value, (*path, key))
        elif key in FIGURES:
            yield (*path, key), value


def problems(said: Budgets, seen: Budgets) -> dict[str, str]:
    return {" ".join(one.place): one.problem for one in judge(said, seen) if one.problem}


def test_a_run_that_takes_what_is_said_is_in_order(said):
    verdicts = judge(said, said)

    assert len(verdicts) > 100
    assert not [one for one in verdicts if one.problem]
    assert {one.place[-1] for one in verdicts} > FIGURES.keys()


def test_each_figure_alone_is_found_when_it_is_beyond_and_only_then(said):
    every = [(path, value) for path, value in figures(said.model_dump(exclude_none=True)) if DEAD[-1] not in path]
    assert len(every) > 80
    for path, value in every:
        slack = FIGURES[path[-1]].slack
        if path[-1] == "jitter_ms":
            slack = max(slack, 100 / said.speed[path[1]].topics[path[3]].per_s)
        most = max(value * FACTOR, value + slack)
        within, beyond = (int(most), int(most) + 1) if path[-1] == "modules" else (most * 0.99, most * 1.01)

        assert problems(said, changed(said, path, within)) == {}, path
        (place, problem), *more = problems(said, changed(said, path, beyond)).items()
        assert (problem, more) == ("too much", []), path
        assert place.split() == [*path], path


def test_a_budget_that_is_too_small_fails_the_run_that_was_in_order(said):
    small = changed(said, (*BRIDGE, "cpu_percent"), said.speed["1"].services["faststream-bridge"].cpu_percent / 3)

    assert problems(small, said) == {"speed 1 services faststream-bridge cpu_percent": "too much"}


def test_too_few_messages_are_found_and_less_of_anything_else_is_not(said):
    rate = said.speed["1"].topics["qiki.radar.v1.tracks"].per_s

    seen = changed(changed(said, (*TRACKS, "per_s"), rate / 2), (*BRIDGE, "cpu_percent"), 0.1)

    assert problems(said, seen) == {"speed 1 topics qiki.radar.v1.tracks per_s": "too little"}


def test_a_single_dead_letter_is_too_much_even_if_the_table_has_some(said):
    seen = changed(said, (*DEAD, "per_s"), 1 / 30)

    assert problems(said, seen) == {"speed 1 topics qiki.dlq.v1.> per_s": "too much"}
    assert problems(seen, seen) == problems(said, seen)


def test_a_slower_machine_may_take_longer_but_no_more_memory(said):
    slower = said
    for speed, section in said.speed.items():
        slower = changed(slower, ("speed", speed, "calibration_ms"), 4 * section.calibration_ms)
        for name, use in section.services.items():
            slower = changed(slower, ("speed", speed, "services", name, "cpu_percent"), 4 * use.cpu_percent)
        for name, flow in section.topics.items():
            if flow.jitter_ms is not None:
                slower = changed(slower, ("speed", speed, "topics", name, "jitter_ms"), 4 * flow.jitter_ms)

    assert problems(said, slower) == {}
    path = ("speed", "1", "services", "faststream-bridge", "private_mb")
    slower = changed(slower, path, 4 * said.speed["1"].services["faststream-bridge"].private_mb)
    assert problems(said, slower) == {"speed 1 services faststream-bridge private_mb": "too much"}


def test_a_faster_machine_is_held_to_its_own_speed(said):
    path = ("speed", "10", "calibration_ms")

    seen = changed(said, path, said.speed["10"].calibration_ms / 4)

    assert "speed 10 services faststream-bridge cpu_percent" in problems(said, seen)


@pytest.mark.parametrize("path", [BRIDGE, TRACKS, ("imports", "services", "registrar")])
def test_what_stands_in_one_of_them_only_is_wrong(said, path):
    less = changed(said, path, None)

    assert set(problems(less, said).values()) == {"is not in the table"}
    assert set(problems(said, less).values()) == {"is in the table only"}
    assert all(path[-1] in place for place in problems(less, said))


def test_a_heavy_package_that_is_not_named_is_wrong(said):
    path = ("imports", "services", "registrar", "packages")
    packages = said.imports.services["registrar"].packages

    seen = changed(said, path, (*packages, "numpy"))

    assert problems(said, seen) == {"imports services registrar packages numpy": "is not in the table"}


def test_the_report_shows_said_seen_and_allowed_side_by_side(said):
    seen = changed(said, (*BRIDGE, "private_mb"), 500.0)
    mb = said.speed["1"].services["faststream-bridge"].private_mb

    lines = "\n".join(report(judge(said, seen))).splitlines()

    (row,) = [line for line in lines if line.endswith("<- too much")]
    assert row.split()[:7] == ["speed", "1", "services", "faststream-bridge", "private_mb", f"{mb:.2f}", "500.00"]
    assert row.split()[7] == f"{max(1.8 * mb, mb + 4):.2f}"
    assert lines[-1] == "  speed 1 services faststream-bridge private_mb too much"
    assert not any("packages" in line for line in lines)
