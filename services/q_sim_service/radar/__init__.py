"""The radar model: the radar equation, fluctuating echoes, errors that follow from them, false alarms."""

from q_sim_service.radar.detections import Detections
from q_sim_service.radar.model import Radar
from q_sim_service.radar.parameters import RadarParameters

__all__ = ["Detections", "Radar", "RadarParameters"]
