"""Engine lockout: ticks in which no engine may command the vehicle."""

from collections.abc import Iterable

from qiki.agent.decision.refusal import RefusalReason
from qiki.agent.engines.results import EngineResult
from qiki.agent.mode.vehicle_mode import WANTED
from qiki.contracts.enums import FSMState

CLOSED = {
    FSMState.BOOTING: RefusalReason("booting"),
    FSMState.ERROR_STATE: RefusalReason("safe mode"),
    FSMState.SHUTDOWN: RefusalReason("shutting down"),
}
"""States in which only proposals of the rules are accepted."""
MODE_PENDING = RefusalReason("the vehicle has not taken its mode yet")


def lockout_reason(
    state: FSMState, engine_results: Iterable[EngineResult], vehicle: FSMState | None
) -> RefusalReason | None:
    """Return why proposals of engines are refused now; None when they are not.

    Args:
        engine_results: of this tick; a fault is a cause of SAFE_MODE, which begins with the next tick
        vehicle: the mode that the vehicle is known to be in
    """
    if state in CLOSED:
        return CLOSED[state]
    for result in engine_results:
        if result.fault is not None:
            return RefusalReason(f"engine {result.name} is at fault")
    return None if vehicle is WANTED[state] else MODE_PENDING
