"""Parameters of a vehicle."""

from qiki.botspec.planes.comms import CommsParameters
from qiki.botspec.planes.docking import DockingParameters
from qiki.botspec.planes.drive import DriveParameters
from qiki.botspec.planes.hull import HullParameters
from qiki.botspec.planes.mcqpu import McqpuParameters
from qiki.botspec.planes.plane import PlaneParameters
from qiki.botspec.planes.power import PowerParameters
from qiki.botspec.planes.propulsion import PropulsionParameters
from qiki.botspec.planes.sensors import SensorParameters
from qiki.botspec.planes.thermal import ThermalParameters


class BotParameters(PlaneParameters):
    """Parameters of all planes."""

    power: PowerParameters = PowerParameters()
    mcqpu: McqpuParameters = McqpuParameters()
    thermal: ThermalParameters = ThermalParameters()
    propulsion: PropulsionParameters = PropulsionParameters()
    drive: DriveParameters = DriveParameters()
    docking: DockingParameters = DockingParameters()
    comms: CommsParameters = CommsParameters()
    sensors: SensorParameters = SensorParameters()
    hull: HullParameters = HullParameters()
