"""The radar model: the radar equation, fluctuating echoes, errors that follow from them, false alarms."""

from qiki.radar.detections import Detections
from qiki.radar.model import Radar
from qiki.radar.parameters import RadarParameters

__all__ = ["Detections", "Radar", "RadarParameters"]
