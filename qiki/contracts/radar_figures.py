"""A radar's figures for the tracker, as a header of its frames."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from qiki.contracts.fields import first_fault
from qiki.contracts.headers import RADAR


def _within(least: float, greatest: float) -> FieldInfo:
    """Return bounds within which a filter's arithmetic keeps its digits; every useful radar is within them."""
    bounds: FieldInfo = Field(ge=least, le=greatest, allow_inf_nan=False)
    return bounds


class RadarFigures(BaseModel):
    """Reach, resolution, noise and false alarms of a radar."""

    model_config = ConfigDict(frozen=True)

    max_range_m: Annotated[float, _within(0.01, 1e7)]  # far end of the surveyed volume
    doppler_span_mps: Annotated[float, _within(0.001, 1e9)]  # width of the interval of range rates
    false_alarm_probability: Annotated[float, Field(gt=0, le=0.1)]  # for one resolution cell and look
    range_resolution_m: Annotated[float, _within(0.01, 2e4)]
    """One resolution cell, from which with the SNR the noise follows; as the next two."""
    beam_width_rad: Annotated[float, _within(1e-6, 1.6)]
    doppler_resolution_mps: Annotated[float, _within(0.001, 2e4)]
    range_floor_m: Annotated[float, _within(0.01, 1e4)]  # standard deviation at any SNR, at least; as the next two
    angle_floor_rad: Annotated[float, _within(1e-6, 0.2)]
    doppler_floor_mps: Annotated[float, _within(0.001, 1e3)]

    @classmethod
    def nearest(cls, **figures: float) -> Self:
        """Return these figures, each clipped to its bounds."""
        bounds = cls.model_json_schema()["properties"]
        least = {name: bounds[name].get("minimum", value) for name, value in figures.items()}
        return cls(**{name: min(max(value, least[name]), bounds[name]["maximum"]) for name, value in figures.items()})

    def text(self) -> str:
        """Return the header's value, every number in its shortest exact form."""
        return urlencode(self.model_dump())

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Read the header's value.

        Raises:
            ValueError: a figure is missing, no number, or out of bounds; in one line.
        """
        try:
            return cls.model_validate(dict(parse_qsl(text)))
        except ValidationError as error:
            raise ValueError(f"{RADAR}: {first_fault(error)}") from None

    @classmethod
    def read(cls, headers: Mapping[str, str] | None) -> "RadarFigures | None":
        """Return the figures in a frame's headers; None without the header.

        Raises:
            ValueError: as `of_text`.
        """
        return _figures(headers[RADAR]) if headers and RADAR in headers else None


_figures = lru_cache(8)(RadarFigures.of_text)  # every frame of a run has the same header
