"""The rule engine: keeps the vehicle's mode in line with the agent's, and points out concerns.

Rules have no memory: they propose for as long as their condition holds. Repeated decisions are filtered later.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from qiki.agent.mode.vehicle_mode import WANTED
from qiki.agent.perception.evidence import newest
from qiki.agent.proposals import Proposal, set_mode
from qiki.agent.world import TELEMETRY, World
from qiki.botspec.planes.power import PowerParameters
from qiki.contracts.enums import DeviceStatus, FSMState, ProposalType
from qiki.contracts.events.agent import Evidence

NAME = "rules"
SAFETY_PRIORITY = 0.99
DIAGNOSTICS_CONFIDENCE = 0.6
HEAT_MARGIN_K = 10.0
WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Concern:
    """A condition that people should look at; `key` is the same for the same concern."""

    key: str
    text: str
    rests_on: tuple[Evidence, ...]


def propose(
    world: World,
    state: FSMState,
    vehicle: FSMState | None,
    power: PowerParameters,
    because: tuple[Evidence, ...] = (),
) -> tuple[Proposal, ...]:
    """Return the rules' proposals: the vehicle's mode first, then the concerns in the order of their rules.

    Args:
        vehicle: the mode that the vehicle is known to be in
        because: the evidence for the agent's SAFE_MODE
    """
    concerns = (concern for rule in CONCERNS for concern in rule(world, power))
    return (*_mode(state, vehicle, because or newest(world, TELEMETRY)), *map(_diagnosis, concerns))


def mode_of(proposal: Proposal) -> FSMState | None:
    """Return the mode that a proposal of the rules sets; None if it sets none."""
    return FSMState(int(proposal.actions[0].value)) if proposal.actions else None


def _mode(state: FSMState, vehicle: FSMState | None, rests_on: tuple[Evidence, ...]) -> Iterator[Proposal]:
    wanted = WANTED.get(state)
    if wanted is not None and wanted is not vehicle:
        yield Proposal(
            actions=(set_mode(wanted),),
            justification=f"the agent is in {state.name}: the vehicle has to be in {wanted.name}",
            type=ProposalType.SAFETY,
            priority=SAFETY_PRIORITY,
            rests_on=rests_on,
            key="vehicle-mode",
        )


def _diagnosis(concern: Concern) -> Proposal:
    return Proposal(
        actions=(),
        justification=concern.text,
        type=ProposalType.DIAGNOSTICS,
        confidence=DIAGNOSTICS_CONFIDENCE,
        rests_on=concern.rests_on,
        key=concern.key,
    )


def _guard_warnings(world: World, _: PowerParameters) -> Iterator[Concern]:
    for active in world.alerts:
        alert = active.alert
        if alert.severity == WARNING:
            yield Concern(f"guard:{alert.rule_id}:{alert.track_id}", alert.message, (active.evidence,))


def _low_power(world: World, power: PowerParameters) -> Iterator[Concern]:
    if world.own and world.own.power.soc_pct < power.soc_shed_high_pct:
        text = f"the battery is under {power.soc_shed_high_pct:g} %"
        yield Concern("power", text, newest(world, TELEMETRY))


def _heat(world: World, _: PowerParameters) -> Iterator[Concern]:
    for node in world.own.thermal.nodes if world.own else ():
        if not node.tripped and node.temp_c > node.t_max_c - HEAT_MARGIN_K:
            text = f"{node.id} is within {HEAT_MARGIN_K:g} K of its trip at {node.t_max_c:g} °C"
            yield Concern(f"heat:{node.id}", text, newest(world, TELEMETRY))


def _device_warnings(world: World, _: PowerParameters) -> Iterator[Concern]:
    """Yield one concern for all devices with the same message, as for thrusters without propellant."""
    devices: dict[str, list[str]] = {}
    for row in world.bios.post_results if world.bios else ():
        if row.status is DeviceStatus.WARNING:
            devices.setdefault(row.error_message, []).append(row.device_name)
    for message, names in devices.items():
        yield Concern(f"device:{message}", f"{', '.join(names)}: {message}", newest(world, TELEMETRY))


Rule = Callable[[World, PowerParameters], Iterable[Concern]]
CONCERNS: tuple[Rule, ...] = (_guard_warnings, _low_power, _heat, _device_warnings)
