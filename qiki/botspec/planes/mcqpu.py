"""On-board computer."""

from qiki.botspec.planes.plane import NonNegative, Percent, PlaneParameters, Positive


class McqpuParameters(PlaneParameters):
    """Load of the computer in percent of its capacity, and its power at full load."""

    full_load_w: NonNegative = 35.0
    idle_pct: Percent = 8.0
    motion_pct_per_mps: NonNegative = 28.0
    radar_pct: Percent = 18.0
    transponder_pct: Percent = 3.0
    time_constant_s: Positive = 2.0
