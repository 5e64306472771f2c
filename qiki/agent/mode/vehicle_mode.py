"""The vehicle's mode: what it has to be, what it is known to be, and what the vehicle's own answers show of it."""

from types import MappingProxyType

from qiki.agent.world import World
from qiki.contracts.enums import FSMState

WANTED = MappingProxyType(
    {FSMState.ERROR_STATE: FSMState.ERROR_STATE, FSMState.IDLE: FSMState.IDLE, FSMState.ACTIVE: FSMState.IDLE}
)
"""The mode that the vehicle has to be in, by the agent's state; while booting it is left as it is."""


class VehicleMode:
    """The mode that the vehicle is known to be in; None when it is not known.

    A vehicle of another run, or one whose ticks begin anew, knows nothing of what it was told before.
    """

    def __init__(self) -> None:
        self.known: FSMState | None = None
        self._life = ("", 0)
        self._told_at = 0

    def look(self, world: World) -> None:
        """See whether it is the vehicle that was told."""
        ticks = world.own.sim_state.tick if world.own else 0
        run_id, before = self._life
        if run_id != world.run_id or ticks < before:
            self.known = None
        self._life = (world.run_id, ticks)

    def told(self, mode: FSMState, accepted: bool | None) -> None:
        """What became of telling it its mode; it may have obeyed though its answer was lost."""
        if accepted is not False:
            self.known = mode if accepted else None
            self._told_at = self._life[1]

    def seen(self, safe: bool | None) -> None:
        """What it shows in its self test; it takes a mode at its next tick, which may be long in coming."""
        obeyed = self._life[1] > self._told_at
        if self.known is not None and obeyed and safe is (self.known is not FSMState.ERROR_STATE):
            self.known = None
