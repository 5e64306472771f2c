"""When the proposals of engines are refused, and why."""

import pytest

from qiki.agent.decision.engine_lockout import lockout_reason
from qiki.agent.engines.results import EngineFault, EngineResult, FaultKind
from qiki.contracts.enums import FSMState

BOOTING, IDLE, ACTIVE, ERROR, SHUTDOWN = list(FSMState)[1:]
WELL = EngineResult("pilot")
LATE = EngineResult("puppet", fault=EngineFault(FaultKind.OVERRUN, "not back"))


@pytest.mark.parametrize(
    ("state", "results", "vehicle", "reason"),
    [
        (IDLE, (), IDLE, None),
        (ACTIVE, (WELL,), IDLE, None),
        (BOOTING, (), None, "booting"),
        (ERROR, (LATE,), ERROR, "safe mode"),
        (SHUTDOWN, (), IDLE, "shutting down"),
        (ACTIVE, (WELL, LATE), IDLE, "engine puppet is at fault"),
        (IDLE, (WELL,), ERROR, "the vehicle has not taken its mode yet"),
        (ACTIVE, (WELL,), None, "the vehicle has not taken its mode yet"),
    ],
)
def test_lockout(state: FSMState, results: tuple[EngineResult, ...], vehicle: FSMState | None, reason: str | None):
    found = lockout_reason(state, results, vehicle)
    assert (found and found.text) == reason
