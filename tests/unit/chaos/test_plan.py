"""The plan depends on its seed, its length and its kinds alone, and is one that can be carried out."""

import pytest

from qiki_harness.chaos.faults import FAULTS
from qiki_harness.chaos.plan import KINDS, LINKS, SERVICES, TAIL_S, VOLUMES, WINDOW_S, make_plan

MINUTES = 6.0
SEEDS = range(20)


def test_the_same_seed_gives_the_same_plan():
    assert make_plan(7, MINUTES) == make_plan(7, MINUTES)
    assert make_plan(7, MINUTES).rounds != make_plan(8, MINUTES).rounds


@pytest.mark.parametrize("seed", SEEDS)
def test_every_kind_comes(seed):
    assert {fault.kind for fault in make_plan(seed, MINUTES).faults} == set(KINDS) == set(FAULTS)


def test_only_the_kinds_that_are_wanted_come():
    assert {fault.kind for fault in make_plan(1, MINUTES, ["cut", "kill"]).faults} == {"cut", "kill"}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_faults_of_a_round_are_over_before_the_next_and_the_last_before_the_end(seed):
    plan, free_s = make_plan(seed, MINUTES), 0.0
    for faults in plan.rounds:
        assert min(fault.at_s for fault in faults) == faults[0].at_s > free_s
        free_s = max(fault.at_s + fault.duration_s for fault in faults)
    assert free_s <= 60 * MINUTES - TAIL_S


@pytest.mark.parametrize("seed", SEEDS)
def test_only_the_broker_is_away_for_longer_than_the_duplicate_window(seed):
    for fault in make_plan(seed, MINUTES).faults:
        assert (fault.duration_s > WINDOW_S) == (fault.kind == "away")
        given = fault.parameters
        assert given.get("service", "clients") in {*SERVICES, "clients"}
        assert given.get("volume", "audit") in VOLUMES
        assert "link" not in given or (given["service"], given["link"]) in LINKS


def test_a_plan_that_is_too_short_has_no_fault():
    assert make_plan(1, 0.1).faults == ()


def test_a_fault_shows_itself_in_a_line():
    (kill, *_) = make_plan(1, MINUTES, ["kill"]).faults
    assert f"service={kill.parameters['service']}" in str(kill)
