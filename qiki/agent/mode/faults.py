"""Causes of SAFE_MODE: each check finds some, and each cause has a trigger and its evidence."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from qiki.agent.engine import EngineResult, FaultKind
from qiki.agent.mode.bios import STOPPING
from qiki.agent.world import TELEMETRY, TRACKS, World
from qiki.botspec.planes import Node, PowerParameters
from qiki.contracts.events import Evidence

CRITICAL = "critical"
UNHELD_BUS = ("BUS_UNDERVOLTAGE", "BATTERY_EMPTY")
VITAL_NODES = frozenset({Node.CORE, Node.PDU, Node.BATTERY})
ENGINE_TRIGGERS = {FaultKind.FAILED: "ENGINE_FAILED", FaultKind.OVERRUN: "ENGINE_OVERRUN"}


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for SAFE_MODE: a trigger of the state machine, and a detail in one line, always the same."""

    trigger: str
    detail: str
    rests_on: tuple[Evidence, ...] = ()

    @property
    def reason(self) -> str:
        """Trigger and detail, for people."""
        return f"{self.trigger}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Situation:
    """The input of the checks, with the engines' results of the last tick.

    While booting, inputs that never came and a self test that was never answered are no cause: the boot waits for them.
    """

    world: World
    power: PowerParameters
    engine_results: tuple[EngineResult, ...] = ()
    booting: bool = False
    bios_answered: bool = True


def find_causes(situation: Situation) -> tuple[Cause, ...]:
    """Return every present cause, the gravest kind first."""
    return tuple(cause for check in CHECKS for cause in check(situation))


def waits_for(world: World) -> tuple[str, ...]:
    """Return the inputs that a boot still lacks."""
    inputs = tuple(name for name, one in world.inputs.items() if not one.alive)
    return inputs if world.bios else (*inputs, "bios")


def _alerts(situation: Situation) -> Iterator[Cause]:
    for active in situation.world.alerts:
        if active.alert.severity == CRITICAL:
            detail = f"{active.alert.message} (track {active.alert.track_id})"
            yield Cause(active.alert.fsm_event, detail, (active.evidence,))


def _bios(situation: Situation) -> Iterator[Cause]:
    bios = situation.world.bios
    awaited = situation.booting and not situation.bios_answered
    if bios is None and not awaited:
        yield Cause("BIOS_LOST", "the self test is not answered")
    if bios is not None and not bios.all_systems_go:
        faulty = (row for row in bios.post_results if row.status in STOPPING)
        devices = (f"{row.device_name} {row.status.name}, {row.error_message}" for row in faulty)
        yield Cause("BIOS_ERROR", "; ".join(devices))


def _stale(situation: Situation) -> Iterator[Cause]:
    world = situation.world
    for name in (TRACKS, TELEMETRY):
        one = world.inputs[name]
        awaited = situation.booting and one.age_s is None
        if not one.alive and not awaited:
            silent = "never came" if one.age_s is None else "does not come in time"
            yield Cause("INPUT_STALE", f"{name} ({one.subject}) {silent}", world.newest(name))


def _engines(situation: Situation) -> Iterator[Cause]:
    for result in situation.engine_results:
        if result.fault is not None:
            yield Cause(ENGINE_TRIGGERS[result.fault.kind], f"{result.name}: {result.fault.text}")


def _power(situation: Situation) -> Iterator[Cause]:
    own, low_pct = situation.world.own, situation.power.soc_shed_low_pct
    if own is None:
        return
    unheld = [fault for fault in UNHELD_BUS if fault in own.power.faults]
    low = [f"battery under {low_pct:g} %"] if own.power.soc_pct < low_pct else []
    if unheld or low:
        yield Cause("POWER_CRITICAL", ", ".join(unheld + low), situation.world.newest(TELEMETRY))


def _thermal(situation: Situation) -> Iterator[Cause]:
    own = situation.world.own
    tripped = [node.id for node in own.thermal.nodes if node.tripped and node.id in VITAL_NODES] if own else []
    if tripped:
        yield Cause("THERMAL_TRIP", f"tripped: {', '.join(tripped)}", situation.world.newest(TELEMETRY))


Check = Callable[[Situation], Iterable[Cause]]
CHECKS: tuple[Check, ...] = (_alerts, _bios, _stale, _engines, _power, _thermal)
