"""The vehicle's mode: the one it took, the one it reports, and when neither is known."""

from typing import Any

import pytest

from qiki.agent.mode.vehicle_mode import VehicleMode
from qiki.contracts.enums import FSMState

IDLE, ERROR = FSMState.IDLE, FSMState.ERROR_STATE


def test_it_is_what_it_took():
    vehicle = VehicleMode()
    assert vehicle.known is None
    vehicle.commanded(ERROR, True)
    assert vehicle.known is ERROR
    vehicle.commanded(IDLE, False)
    assert vehicle.known is ERROR
    vehicle.commanded(IDLE, None)
    assert vehicle.known is None


@pytest.mark.parametrize(
    ("run", "t_s", "known"), [(1, 11.0, True), (1, 10.0, True), (1, 0.05, False), (2, 11.0, False)]
)
def test_another_vehicle_knows_nothing(make: Any, run: int, t_s: float, known: bool):
    vehicle = VehicleMode()
    vehicle.update(make.world(run_id=make.run(1), own=make.telemetry(10.0)))
    vehicle.commanded(ERROR, True)
    vehicle.update(make.world(run_id=make.run(run), own=make.telemetry(t_s)))
    assert (vehicle.known is ERROR) is known


@pytest.mark.parametrize(
    ("commanded", "reported", "after_s", "known"),
    [
        (ERROR, True, 0.1, True),
        (ERROR, None, 0.1, True),
        (ERROR, False, 0.1, False),
        (IDLE, False, 0.1, True),
        (IDLE, True, 0.1, False),
        (IDLE, True, 0.0, True),
    ],
    ids=["obeyed", "not-known", "left-it", "left", "still-in-it", "no-tick-yet"],
)
def test_its_report_counts_once_it_can_have_taken_the_mode(
    make: Any, commanded: FSMState, reported: bool | None, after_s: float, known: bool
):
    vehicle = VehicleMode()
    vehicle.update(make.world(own=make.telemetry(10.0)))
    vehicle.commanded(commanded, True)
    vehicle.update(make.world(own=make.telemetry(10.0 + after_s)))
    vehicle.observed(reported)
    assert vehicle.known is (commanded if known else None)
