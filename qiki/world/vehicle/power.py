"""Power plane."""

from collections.abc import Mapping
from typing import NamedTuple

from qiki.botspec.planes import DockSupplyParameters, PowerParameters, StorageParameters
from qiki.state import State, Stateful
from qiki.world.vehicle.hysteresis import Hysteresis
from qiki.world.vehicle.loads import SHED_ORDER, Load, allocate

SECONDS_PER_HOUR = 3600.0
NBL = frozenset({Load.NBL})
LOAD_NAMES = tuple(load.value for load in SHED_ORDER)


class Storage(Stateful):
    """A store of energy without losses."""

    STATE = State(_energy_j=float, power_w=float)

    def __init__(self, parameters: StorageParameters) -> None:
        self._parameters = parameters
        self._capacity_j = parameters.capacity_wh * SECONDS_PER_HOUR
        self._energy_j = self._capacity_j * parameters.start_pct / 100.0
        self.power_w = 0.0  # flow of the last step: positive out, negative in

    @property
    def soc_pct(self) -> float:
        """State of charge [%]."""
        return 100.0 * self._energy_j / self._capacity_j

    def deliverable_w(self, dt_s: float) -> float:
        """Return the maximum power out during `dt_s` [W]."""
        return min(self._parameters.discharge_limit_w, self._energy_j / dt_s)

    def acceptable_w(self, dt_s: float) -> float:
        """Return the maximum power in during `dt_s` [W]."""
        return min(self._parameters.charge_limit_w, (self._capacity_j - self._energy_j) / dt_s)

    def move(self, power_w: float, dt_s: float) -> None:
        """Give `power_w` for `dt_s`, or take it when negative; the caller observes the limits."""
        self.power_w = power_w
        self._energy_j = min(max(self._energy_j - power_w * dt_s, 0.0), self._capacity_j)


class DockSupply(Stateful):
    """Power offered by the dock; the ramp starts again after each interruption."""

    STATE = State(_ramp=float)

    def __init__(self, parameters: DockSupplyParameters) -> None:
        self._parameters = parameters
        self._limit_w = min(parameters.power_limit_w, parameters.voltage_v * parameters.current_limit_a)
        self._ramp = 0.0

    def offer_w(self, dt_s: float, *, connected: bool) -> float:
        """Advance the ramp and return the power offered in this step [W]."""
        self._ramp = min(1.0, self._ramp + dt_s / self._parameters.soft_start_s) if connected else 0.0
        return self._ramp * self._limit_w

    def current_a(self, power_w: float) -> float:
        """Return the current through the bridge [A]."""
        return power_w / self._parameters.voltage_v


class Demand(NamedTuple):
    """Power that the vehicle wants in one step, and the limits set by heat and safe mode."""

    wanted_w: Mapping[Load, float]
    mcqpu_w: float
    dock_connected: bool
    barred: frozenset[Load] = frozenset()
    pdu_hot: bool = False
    battery_hot: bool = False
    supercap_hot: bool = False


class BusState(NamedTuple):
    """The bus after a step. The battery took `power_in_w - power_out_w`."""

    bus_v: float
    bus_a: float
    sources_w: Mapping[str, float]
    loads_w: Mapping[str, float]
    granted_w: Mapping[Load, float]
    shed: tuple[Load, ...]
    faults: tuple[str, ...]
    dock_connected: bool

    @property
    def power_in_w(self) -> float:
        """Sum of the sources."""
        return sum(self.sources_w.values())

    @property
    def power_out_w(self) -> float:
        """Sum of the loads."""
        return sum(self.loads_w.values())


class PowerPlane(Stateful):
    """The bus.

    The budget is what the distribution unit carries and the sources and stores give, minus the fixed loads. It is
    shared among the loads by their order (`allocate`). A deficit is taken from the battery first, then from the
    supercapacitor; a surplus charges the supercapacitor first. Below the low state of charge the battery is spared:
    the loads get the power of the sources alone.
    """

    STATE = State(battery=Storage, supercap=Storage, dock=DockSupply, _charged=Hysteresis, _shed=tuple[Load, ...])

    def __init__(self, parameters: PowerParameters) -> None:
        self._parameters = parameters
        self.battery = Storage(parameters.battery)
        self.supercap = Storage(parameters.supercap)
        self.dock = DockSupply(parameters.dock)
        self._charged = Hysteresis(parameters.soc_shed_low_pct, parameters.soc_shed_high_pct, on=True)
        self._shed: tuple[Load, ...] = ()

    @property
    def bus_v(self) -> float:
        """Bus voltage, linear in the battery's state of charge [V]."""
        return self._parameters.bus_empty_v + self._parameters.bus_span_v * self.battery.soc_pct / 100.0

    def idle(self) -> BusState:
        """Return the bus before the first step, without any flow."""
        return BusState(
            bus_v=self.bus_v,
            bus_a=0.0,
            sources_w=dict.fromkeys(("base", "dock", "supercap_discharge"), 0.0),
            loads_w=dict.fromkeys(("base", "mcqpu", *SHED_ORDER, "supercap_charge"), 0.0),
            granted_w=dict.fromkeys(SHED_ORDER, 0.0),
            shed=(),
            faults=(),
            dock_connected=False,
        )

    def step(self, dt_s: float, demand: Demand) -> BusState:
        """Balance the bus for `dt_s` and move the stores."""
        offered_w = self._parameters.base_source_w + self.dock.offer_w(dt_s, connected=demand.dock_connected)
        supply_w = offered_w + self._stored_w(dt_s, demand)
        fixed_w = self._fixed_w(demand)
        charged = self._charged.update(self.battery.soc_pct)
        granted_w = self._grant(demand, supply_w if charged else offered_w)
        self._shed = tuple([load for load in SHED_ORDER if granted_w[load] < demand.wanted_w.get(load, 0.0)])
        served_w = min(fixed_w, supply_w) + sum(granted_w.values())
        drawn_w, supercap_w = self._settle(dt_s, served_w, offered_w, demand)
        base_w = min(drawn_w, self._parameters.base_source_w)
        mcqpu_w = min(demand.mcqpu_w, served_w)
        bus_v = self.bus_v
        return BusState(
            bus_v=bus_v,
            bus_a=served_w / bus_v,
            sources_w={"base": base_w, "dock": drawn_w - base_w, "supercap_discharge": max(supercap_w, 0.0)},
            loads_w={
                "base": min(self._parameters.base_load_w, served_w - mcqpu_w),
                "mcqpu": mcqpu_w,
                **dict(zip(LOAD_NAMES, granted_w.values(), strict=True)),
                "supercap_charge": max(-supercap_w, 0.0),
            },
            granted_w=granted_w,
            shed=self._shed,
            faults=self._faults(fixed_w, fixed_w + sum(self._allowed_w(demand).values()), supply_w, demand),
            dock_connected=demand.dock_connected,
        )

    def offer_w(self, dt_s: float, demand: Demand, load: Load, want_w: float) -> float:
        """Return what a load would get in the next step if it wanted `want_w`, without a dock; change nothing."""
        asked = demand._replace(wanted_w={**demand.wanted_w, load: want_w})
        charged = self._charged.at(self.battery.soc_pct)
        stored_w = self._stored_w(dt_s, asked) if charged else 0.0
        return self._grant(asked, self._parameters.base_source_w + stored_w)[load]

    def _grant(self, demand: Demand, supply_w: float) -> dict[Load, float]:
        """Share what a supply gives beyond the fixed loads, as far as the distribution unit carries it."""
        budget_w = min(self._pdu_limit_w(demand), supply_w) - self._fixed_w(demand)
        return allocate(budget_w, self._allowed_w(demand), self._shed, self._parameters.restore_margin_w)

    def _fixed_w(self, demand: Demand) -> float:
        return self._parameters.base_load_w + demand.mcqpu_w

    def _allowed_w(self, demand: Demand) -> Mapping[Load, float]:
        low = self.battery.soc_pct < self._parameters.nbl_min_soc_pct
        barred = demand.barred | NBL if low else demand.barred
        if not barred:
            return demand.wanted_w
        return {load: want for load, want in demand.wanted_w.items() if load not in barred}

    def _pdu_limit_w(self, demand: Demand) -> float:
        limit_w = self._parameters.max_bus_a * self.bus_v
        return limit_w * self._parameters.pdu_overheat_derating if demand.pdu_hot else limit_w

    def _stored_w(self, dt_s: float, demand: Demand) -> float:
        supercap_w = 0.0 if demand.supercap_hot else self.supercap.deliverable_w(dt_s)
        return self.battery.deliverable_w(dt_s) + supercap_w

    def _settle(self, dt_s: float, served_w: float, offered_w: float, demand: Demand) -> tuple[float, float]:
        """Move the stores: the battery covers a deficit, the supercapacitor its peaks.

        Return the power drawn from the sources, and out of the supercapacitor (negative: into it) [W].
        """
        deficit_w = served_w - offered_w
        if deficit_w > 0:
            battery_w = min(deficit_w, self.battery.deliverable_w(dt_s))
            supercap_w = deficit_w - battery_w
        else:
            supercap_w = 0.0 if demand.supercap_hot else -min(-deficit_w, self.supercap.acceptable_w(dt_s))
            spare_w = 0.0 if demand.battery_hot else -deficit_w + supercap_w
            battery_w = -min(spare_w, self.battery.acceptable_w(dt_s))
        self.battery.move(battery_w, dt_s)
        self.supercap.move(supercap_w, dt_s)
        return served_w - battery_w - supercap_w, supercap_w

    def _faults(self, fixed_w: float, asked_w: float, supply_w: float, demand: Demand) -> tuple[str, ...]:
        faults = []
        if asked_w > self._pdu_limit_w(demand):
            faults.append("PDU_OVERCURRENT")
        if asked_w > supply_w:
            faults.append("SUPPLY_LIMIT")
        if fixed_w > supply_w:
            faults.append("BUS_UNDERVOLTAGE")
        if not self._charged.on:
            faults.append("BATTERY_LOW")
        if self.battery.soc_pct <= 0.0:
            faults.append("BATTERY_EMPTY")
        return tuple(faults)
