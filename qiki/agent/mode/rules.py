"""The rule engine: keeps the vehicle's mode in line with the agent's, and points out concerns.

Rules have no memory: they propose for as long as their condition holds. Repeated decisions are filtered later.
"""

from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType

from qiki.agent.proposals import Proposal, set_mode
from qiki.agent.world import TELEMETRY, World
from qiki.botspec.planes import PowerParameters
from qiki.contracts.enums import DeviceStatus, FSMState, ProposalType
from qiki.contracts.events import Evidence
from qiki.state import State, Stateful

NAME = "rules"
SAFETY_PRIORITY = 0.99
DIAGNOSTICS_CONFIDENCE = 0.6
HEAT_MARGIN_K = 10.0
WARNING = "warning"
WANTED = MappingProxyType(
    {FSMState.ERROR_STATE: FSMState.ERROR_STATE, FSMState.IDLE: FSMState.IDLE, FSMState.ACTIVE: FSMState.IDLE}
)
"""The mode that the vehicle must have, by the agent's state; while booting it is left as it is."""


class VehicleMode(Stateful):
    """The mode that the vehicle is known to have; None when it is not known.

    A vehicle of another run, or one that starts again from its first tick, has lost its mode.
    """

    STATE = State(known=FSMState | None, _run_id=str, _tick=int, _commanded_tick=int)

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


def propose(
    world: World, state: FSMState, vehicle: FSMState | None, power: PowerParameters, because: tuple[Evidence, ...] = ()
) -> tuple[Proposal, ...]:
    """Return the rules' proposals: the vehicle's mode first, then the concerns in the order of their rules.

    `vehicle` is the mode that the vehicle is known to be in, `because` the evidence for the agent's SAFE_MODE.
    """
    concerns = (concern for rule in CONCERNS for concern in rule(world, power))
    return (*_mode(state, vehicle, because or world.newest(TELEMETRY)), *concerns)


def mode_of(proposal: Proposal) -> FSMState | None:
    """Return the mode that a proposal of the rules sets; None if it sets none."""
    return FSMState(int(proposal.actions[0].value)) if proposal.actions else None


def _mode(state: FSMState, vehicle: FSMState | None, rests_on: tuple[Evidence, ...]) -> Iterator[Proposal]:
    wanted = WANTED.get(state)
    if wanted is not None and wanted is not vehicle:
        why = f"the agent is in {state.name}: the vehicle has to be in {wanted.name}"
        safety, priority = ProposalType.SAFETY, SAFETY_PRIORITY
        yield Proposal((set_mode(wanted),), why, safety, priority, rests_on=rests_on, key="vehicle-mode")


def _concern(key: str, text: str, rests_on: tuple[Evidence, ...]) -> Proposal:
    """Return a condition that people should look at; `key` is the same for the same concern."""
    kind, confidence = ProposalType.DIAGNOSTICS, DIAGNOSTICS_CONFIDENCE
    return Proposal((), text, kind, confidence=confidence, rests_on=rests_on, key=key)


def _guard_warnings(world: World, _: PowerParameters) -> Iterator[Proposal]:
    for active in world.alerts:
        alert = active.alert
        if alert.severity == WARNING:
            yield _concern(f"guard:{alert.rule_id}:{alert.track_id}", alert.message, (active.evidence,))


def _low_power(world: World, power: PowerParameters) -> Iterator[Proposal]:
    if world.own and world.own.power.soc_pct < power.soc_shed_high_pct:
        text = f"the battery is under {power.soc_shed_high_pct:g} %"
        yield _concern("power", text, world.newest(TELEMETRY))


def _heat(world: World, _: PowerParameters) -> Iterator[Proposal]:
    for node in world.own.thermal.nodes if world.own else ():
        if not node.tripped and node.temp_c > node.t_max_c - HEAT_MARGIN_K:
            text = f"{node.id} is within {HEAT_MARGIN_K:g} K of its trip at {node.t_max_c:g} °C"
            yield _concern(f"heat:{node.id}", text, world.newest(TELEMETRY))


def _device_warnings(world: World, _: PowerParameters) -> Iterator[Proposal]:
    """Yield one concern for all devices with the same message, as for thrusters without propellant."""
    devices: dict[str, list[str]] = {}
    for row in world.bios.post_results if world.bios else ():
        if row.status is DeviceStatus.WARNING:
            devices.setdefault(row.error_message, []).append(row.device_name)
    for message, names in devices.items():
        yield _concern(f"device:{message}", f"{', '.join(names)}: {message}", world.newest(TELEMETRY))


Rule = Callable[[World, PowerParameters], Iterable[Proposal]]
CONCERNS: tuple[Rule, ...] = (_guard_warnings, _low_power, _heat, _device_warnings)
