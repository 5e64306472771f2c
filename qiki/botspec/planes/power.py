"""Power plane: bus, sources, stores and loads."""

from typing import Self

from pydantic import model_validator

from qiki.botspec.planes.plane import NonNegative, Percent, PlaneParameters, Positive, Share
from qiki.fields import field_error


class StorageParameters(PlaneParameters):
    """Capacity and limits of a store of energy."""

    capacity_wh: Positive
    start_pct: Percent
    charge_limit_w: NonNegative
    discharge_limit_w: NonNegative


class DockSupplyParameters(PlaneParameters):
    """The dock's side of the bridge."""

    voltage_v: Positive = 28.0
    power_limit_w: NonNegative = 250.0
    current_limit_a: NonNegative = 10.0
    soft_start_s: Positive = 2.0


class PowerParameters(PlaneParameters):
    """Bus, sources, stores and loads."""

    bus_empty_v: Positive = 22.0
    bus_span_v: NonNegative = 6.0
    max_bus_a: Positive = 8.0
    pdu_overheat_derating: Share = 0.5
    base_source_w: NonNegative = 120.0
    """Solar array: enough for cruising with the radar on, so that an idle vehicle does not discharge."""
    base_load_w: NonNegative = 60.0
    radar_load_w: NonNegative = 18.0
    transponder_load_w: NonNegative = 6.0
    nbl_max_w: NonNegative = 20.0
    """Power of the NBL while it is on, until another limit is set."""
    nbl_min_soc_pct: Percent = 35.0
    motion_load_w_per_mps: NonNegative = 40.0
    rcs_load_w: NonNegative = 80.0
    """One thruster at full thrust."""
    soc_shed_low_pct: Percent = 20.0
    soc_shed_high_pct: Percent = 30.0
    restore_margin_w: NonNegative = 10.0
    battery: StorageParameters = StorageParameters(
        capacity_wh=500.0, start_pct=80.0, charge_limit_w=120.0, discharge_limit_w=140.0
    )
    supercap: StorageParameters = StorageParameters(
        capacity_wh=5.0, start_pct=70.0, charge_limit_w=120.0, discharge_limit_w=200.0
    )
    dock: DockSupplyParameters = DockSupplyParameters()

    @model_validator(mode="after")
    def _thresholds_ascend(self) -> Self:
        if self.soc_shed_high_pct < self.soc_shed_low_pct:
            raise field_error(
                ("soc_shed_high_pct",),
                f"{self.soc_shed_high_pct:g} % is below soc_shed_low_pct, {self.soc_shed_low_pct:g} %",
            )
        return self
