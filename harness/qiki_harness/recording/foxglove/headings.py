"""The directions that the vehicle has faced."""

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from foxglove_schemas_protobuf.Quaternion_pb2 import Quaternion

from qiki.contracts.headers import Message
from qiki.contracts.sim import SimRun
from qiki.contracts.telemetry import TelemetrySnapshot
from qiki_harness.recording.foxglove.poses import UNTURNED, facing

RUNS, SNAPSHOTS = 100, 10_000
"""Runs, and snapshots of each, that are kept: with one a second, those of some hours."""


@dataclass
class _Faced:
    times_ns: list[int] = field(default_factory=list)
    rotations: list[Quaternion] = field(default_factory=list)


class Headings:
    """Keeps how the vehicle was turned in each run: as its description says, then by telemetry.

    Telemetry has a stream of its own, whose past may come before that of the frames: it is looked up by event time.
    """

    def __init__(self) -> None:
        self._runs: dict[str, _Faced] = {}

    def add_run(self, message: Message, event_ns: int) -> None:
        """Add the description of a run."""
        run = SimRun.from_json(message.body)
        self._add(str(run.run_id), event_ns, math.radians(90.0 - run.scenario["bot"]["heading_deg"]))

    def add_telemetry(self, message: Message, event_ns: int) -> None:
        """Add a snapshot."""
        snapshot = TelemetrySnapshot.from_json(message.body)
        self._add(snapshot.sim_state.run_id, event_ns, snapshot.attitude.yaw_rad)

    def at(self, run_id: str, event_ns: int) -> Quaternion:
        """Return the rotation of the vehicle at a moment, by the newest that is known until then."""
        faced = self._runs.get(run_id, _Faced())
        place = bisect_right(faced.times_ns, event_ns)
        return faced.rotations[place - 1] if place else UNTURNED

    def _add(self, run_id: str, event_ns: int, yaw_rad: float) -> None:
        faced = self._runs.setdefault(run_id, _Faced())
        place = bisect_left(faced.times_ns, event_ns)
        if event_ns in faced.times_ns[place : place + 1]:  # time is held, or the run is described again
            return
        faced.times_ns.insert(place, event_ns)
        faced.rotations.insert(place, facing(yaw_rad))
        del faced.times_ns[:-SNAPSHOTS], faced.rotations[:-SNAPSHOTS]
        for oldest in list(self._runs)[:-RUNS]:
            del self._runs[oldest]
