"""The radar model: the radar equation, fluctuating echoes, errors that follow from them, false alarms."""

from qiki.radar.model import Detections, Radar
from qiki.radar.parameters import RadarParameters

__all__ = ["Detections", "Radar", "RadarParameters"]
