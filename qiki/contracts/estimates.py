"""Estimates: the whole state of each track of a frame, for clients that predict."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from qiki.contracts.fields import Finite, FrameNumber, Payload, Several, Timestamp
from qiki.contracts.numbers import MAX_COUNT

MAX_ESTIMATES_BYTES = 1_000_000
"""Of one part."""

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
State = Annotated[tuple[Finite, ...], Field(min_length=9, max_length=9)]
StateCovariance = Annotated[tuple[Finite, ...], Field(min_length=45, max_length=45)]


class TrackEstimate(Payload):
    """Whole state of one track: position, velocity and acceleration, in world axes.

    Position and velocity are relative to the bot's, the acceleration is the contact's own. `covariance` is the upper
    triangle, row by row. The first of `mode_probabilities` is that of quiet flight, whose acceleration is 0; the others
    are those of manoeuvres. `existence` is the probability that the track is a real contact.
    """

    track_id: UUID
    state: State
    covariance: StateCovariance
    mode_probabilities: Annotated[tuple[Probability, ...], Field(min_length=1, max_length=64, fail_fast=True)]
    existence: Probability


class TrackEstimates(Payload):
    """Estimates of a frame's live tracks, in the order of their birth; a frame with many gives several parts."""

    run_id: str
    frame: FrameNumber
    timestamp: Timestamp
    part: int = Field(ge=1, le=MAX_COUNT)
    parts: int = Field(ge=1, le=MAX_COUNT)
    tracks: Several[TrackEstimate] = ()
