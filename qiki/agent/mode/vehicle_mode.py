"""The vehicle's mode: the one it must have, and the one it is known to have."""

from types import MappingProxyType

from qiki.agent.world import World
from qiki.contracts.enums import FSMState

WANTED = MappingProxyType(
    {FSMState.ERROR_STATE: FSMState.ERROR_STATE, FSMState.IDLE: FSMState.IDLE, FSMState.ACTIVE: FSMState.IDLE}
)
"""The mode that the vehicle must have, by the agent's state; while booting it is left as it is."""


class VehicleMode:
    """The mode that the vehicle is known to have; None when it is not known.

    A vehicle of another run, or one that starts again from its first tick, has lost its mode.
    """

    def __init__(self) -> None:
        self.known: FSMState | None = None
        self._run_id = ""
        self._tick = self._commanded_tick = 0

    def update(self, world: World) -> None:
        """Forget the mode when the vehicle is another one."""
        tick = world.own.sim_state.tick if world.own else 0
        if self._run_id != world.run_id or tick < self._tick:
            self.known = None
        self._run_id, self._tick = world.run_id, tick

    def commanded(self, mode: FSMState, accepted: bool | None) -> None:
        """Take the outcome of a SET_MODE command; without an answer, the vehicle may have taken it."""
        if accepted is not False:
            self.known = mode if accepted else None
            self._commanded_tick = self._tick

    def observed(self, safe_mode: bool | None) -> None:
        """Compare with the vehicle's own answer, once a tick has passed: it takes a mode at its next tick."""
        taken = self._tick > self._commanded_tick
        if self.known is not None and taken and safe_mode is (self.known is not FSMState.ERROR_STATE):
            self.known = None
