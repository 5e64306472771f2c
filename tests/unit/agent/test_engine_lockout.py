"""Whether the engines are heard, and if not, why."""

import pytest

from qiki.agent.decision.engine_lockout import lockout_reason
from qiki.agent.engines.results import EngineFault, EngineResult, FaultKind
from qiki.contracts.enums import FSMState

BOOTING, IDLE, ACTIVE, ERROR, SHUTDOWN = list(FSMState)[1:]
WELL = EngineResult("pilot")
LATE = EngineResult("puppet", fault=EngineFault(FaultKind.OVERRUN, "not back"))


@pytest.mark.parametrize(
    ("state", "turns", "vehicle", "reason"),
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
def test_deafness(state: FSMState, turns: tuple[EngineResult, ...], vehicle: FSMState | None, reason: str | None):
    found = lockout_reason(state, turns, vehicle)
    assert (found and found.text) == reason
