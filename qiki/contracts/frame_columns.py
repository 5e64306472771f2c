"""A radar frame with its detections as columns: what a tracker reads, in a third of the time that the model takes."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter, itemgetter
from typing import Annotated, Any, NamedTuple, NotRequired, Self
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from qiki.contracts.enums import RadarRangeBand, TransponderMode
from qiki.contracts.radar import RadarDetection, RadarFrame

LONG_RANGE = RadarRangeBand.RR_LR


class Plots(NamedTuple):
    """Detections: a column for each field of RadarDetection, in its order."""

    range_m: Sequence[float] = ()
    bearing_deg: Sequence[float] = ()
    elev_deg: Sequence[float] = ()
    vr_mps: Sequence[float] = ()
    snr_db: Sequence[float] = ()
    rcs_dbsm: Sequence[float] = ()
    transponder_on: Sequence[bool] = ()
    transponder_mode: Sequence[TransponderMode] = ()
    transponder_id: Sequence[str | None] = ()
    range_band: Sequence[RadarRangeBand] = ()
    id_present: Sequence[bool | None] = ()


DEFAULTS = {name: field.default for name, field in RadarDetection.model_fields.items() if not field.is_required()}
_of_model, _of_row = attrgetter(*Plots._fields), itemgetter(*Plots._fields)


@dataclass(frozen=True, slots=True)
class FrameColumns:
    """One scan."""

    frame_id: UUID
    sensor_id: UUID
    timestamp: datetime
    plots: Plots

    @classmethod
    def of_frame(cls, frame: RadarFrame) -> Self:
        """Return the columns of a frame."""
        plots = Plots(*zip(*map(_of_model, frame.detections), strict=True))
        return cls(frame.frame_id, frame.sensor_id, frame.timestamp, plots)

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """Read the body of a frame.

        Raises:
            pydantic.ValidationError: not JSON, or no RadarFrame; that of the model.
        """
        with suppress(ValidationError):
            frame = _reader().validate_json(body)
            plots = _columns(frame.get("detections", ()))
            if not _names_afar(plots):
                return cls(frame["frame_id"], frame["sensor_id"], frame["timestamp"], plots)
        return cls.of_frame(RadarFrame.from_json(body))


def _columns(rows: Sequence[dict[str, Any]]) -> Plots:
    try:
        return Plots(*zip(*map(_of_row, rows), strict=True))
    except KeyError:  # another radar's, which leaves out what it does not know
        return Plots(*zip(*(_of_row(DEFAULTS | row) for row in rows), strict=True))


def _names_afar(plots: Plots) -> bool:
    """Return whether a detection in long range has an identity, which the model refuses."""
    if LONG_RANGE not in plots.range_band:
        return False
    claims = zip(plots.range_band, plots.transponder_id, plots.id_present, strict=True)
    return any(band is LONG_RANGE and (name or present) for band, name, present in claims)


@cache
def _reader() -> Any:
    """Return a reader of the model's fields, with their types, into plain dictionaries."""
    fields = _fields(RadarFrame)
    del fields["ts_event"]  # the model replaces it by `timestamp`, unread
    rows: Any = list[_dictionary("Detection", _fields(RadarDetection))]  # type: ignore[misc]
    fields["detections"] = NotRequired[Annotated[(rows, *RadarFrame.model_fields["detections"].metadata)]]
    return TypeAdapter(_dictionary("Frame", fields)).validator


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    types = {name: Annotated[(one.annotation, *one.metadata, "")] for name, one in model.model_fields.items()}
    return {name: kind if model.model_fields[name].is_required() else NotRequired[kind] for name, kind in types.items()}


def _dictionary(name: str, fields: dict[str, Any]) -> Any:
    make: Any = TypedDict
    return make(name, fields)
