"""The simulated world: the vehicle, the contacts, and the scenario that they come from."""

from qiki.world.errors import NoFrameError, NoSensorError, OrderError, SimulatorError
from qiki.world.scenario import Scenario, load_scenario, scenario_names
from qiki.world.simulator import Simulator
from qiki.world.world import MeasuredFrame, SimWorld, Tick

__all__ = [
    "MeasuredFrame",
    "NoFrameError",
    "NoSensorError",
    "OrderError",
    "Scenario",
    "SimWorld",
    "Simulator",
    "SimulatorError",
    "Tick",
    "load_scenario",
    "scenario_names",
]
