"""A run in one process: world, radar, tracker, guard and agent, tick by tick, with no bus."""

from qiki.flight.flight import Flight, Moment, RaisedEvent
from qiki.flight.frames import FlownFrame, scan_of
from qiki.flight.saved import FlightInputs, SavedFlight

__all__ = ["Flight", "FlightInputs", "FlownFrame", "Moment", "RaisedEvent", "SavedFlight", "scan_of"]
