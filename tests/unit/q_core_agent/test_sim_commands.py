"""What a conductor makes of acknowledgements and of telemetry."""

from types import SimpleNamespace

import pytest

from q_core_agent.sim_commands import Place, RefusedError, done, message, read_place, replaced
from qiki.contracts.headers import FRAME, RUN, TICK
from qiki.contracts.models import AckPayload, ControlAck, ErrorDetail, SimState

A, B, C = "run-a", "run-b", "run-c"


def state(run, tick):
    return SimState(running=False, paused=True, speed=1.0, tick=tick, run_id=run, behind_s=0.0)


def acknowledgement(headers, error=None):
    body = ControlAck(
        kind="sim.step",
        timestamp="2026-01-01T00:00:00Z",
        success=error is None,
        ok=error is None,
        payload=AckPayload(command_name="sim.step", status="applied"),
        error_detail=error and ErrorDetail(code="rejected", message=error),
    )
    return SimpleNamespace(data=body.to_json(), headers=headers)


def test_an_acknowledgement_tells_the_place():
    assert read_place(acknowledgement({RUN: A, TICK: "4", FRAME: "1"})) == Place(A, 4, 1)
    assert read_place(acknowledgement({RUN: A, TICK: "1"})) == Place(A, 1, None)


def test_a_refusal_says_why():
    with pytest.raises(RefusedError, match="the simulation is running"):
        read_place(acknowledgement({RUN: A, TICK: "4"}, "the simulation is running"))


@pytest.mark.parametrize("headers", [None, {RUN: A}], ids=["none", "no-tick"])
def test_one_that_does_not_tell_the_place_is_none(headers):
    with pytest.raises(LookupError):
        read_place(acknowledgement(headers))


def test_a_step_is_asked_for_by_a_command_of_the_agents():
    one, other = message("sim.step", {"ticks": 2}), message("sim.step", {"ticks": 2})
    assert (one.command_name, one.parameters, one.metadata.source) == ("sim.step", {"ticks": 2}, "q-core-agent")
    assert one.metadata.message_id != other.metadata.message_id


@pytest.mark.parametrize(
    ("place", "expected"),
    [(Place(A, 12, 5), True), (Place(A, 10, 4), False), (Place(B, 0, None), True)],
    ids=["done", "lost", "another-run"],
)
def test_whether_a_step_without_an_answer_was_done(place, expected):
    assert done(place, state(A, 10), 2) is expected


@pytest.mark.parametrize(
    ("told", "place", "expected"),
    [
        (state(A, 10), Place(A, 12, 5), False),
        (state(A, 12), Place(A, 12, 5), False),
        (state(B, 0), Place(A, 12, 5), True),
        (state(A, 0), Place(A, 12, 5), True),
        (state(A, 10), Place(B, 2, 0), False),
        (state(B, 0), Place(B, 2, 0), False),
        (state(C, 0), Place(B, 2, 0), True),
    ],
    ids=["old-news", "arrived", "new-run", "begun-anew", "reset-not-told-yet", "reset-told", "replaced-after-reset"],
)
def test_when_the_run_of_a_step_is_over(told, place, expected):
    assert replaced(told, place, state(A, 10)) is expected
