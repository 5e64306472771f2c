"""Scoring: how well the tracker does against the truth. Arrays in, values out."""

from qiki_harness.scoring.consistency import Bin, Coverage, Reliability, Tails
from qiki_harness.scoring.metrics import Gospa, gospa, ospa
from qiki_harness.scoring.records import ScanRecord, Tracks, Truth
from qiki_harness.scoring.score import OverTime, Score, score
from qiki_harness.scoring.trajectories import TrajectoryMetric, trajectory_metric

__all__ = [
    "Bin",
    "Coverage",
    "Gospa",
    "OverTime",
    "Reliability",
    "ScanRecord",
    "Score",
    "Tails",
    "Tracks",
    "TrajectoryMetric",
    "Truth",
    "gospa",
    "ospa",
    "score",
    "trajectory_metric",
]
