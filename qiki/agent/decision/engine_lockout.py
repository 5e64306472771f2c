"""Whether the engines are heard in a tick."""

from collections.abc import Iterable

from qiki.agent.decision.refusal import Refusal
from qiki.agent.engines.results import EngineResult
from qiki.agent.mode.vehicle_mode import WANTED
from qiki.contracts.enums import FSMState

CLOSED = {
    FSMState.BOOTING: Refusal("booting"),
    FSMState.ERROR_STATE: Refusal("safe mode"),
    FSMState.SHUTDOWN: Refusal("shutting down"),
}
"""States in which only the rules are heard, and why."""
NOT_TOLD = Refusal("the vehicle has not taken its mode yet")


def lockout_reason(state: FSMState, turns: Iterable[EngineResult], vehicle: FSMState | None) -> Refusal | None:
    """Why no engine is heard now; None when they are.

    Args:
        turns: of this tick; a fault is a cause of SAFE_MODE, which begins with the next
        vehicle: the mode that it is known to be in
    """
    if state in CLOSED:
        return CLOSED[state]
    for turn in turns:
        if turn.fault is not None:
            return Refusal(f"engine {turn.name} is at fault")
    return None if vehicle is WANTED[state] else NOT_TOLD
