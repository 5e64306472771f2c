"""What a tracker has to know of a radar, as a header of its frames."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from qiki.contracts.fields import first_fault
from qiki.contracts.headers import RADAR


def _within(least: float, greatest: float) -> FieldInfo:
    """Bounds that keep a filter's arithmetic within its digits; no radar of use is beyond them."""
    bounds: FieldInfo = Field(ge=least, le=greatest, allow_inf_nan=False)
    return bounds


class RadarFigures(BaseModel):
    """Reach, resolution, noise and false alarms of a radar."""

    model_config = ConfigDict(frozen=True)

    max_range_m: Annotated[float, _within(0.01, 1e7)]
    """Far end of the volume that it watches."""
    doppler_span_mps: Annotated[float, _within(0.001, 1e9)]
    """Width of the range rates that it tells."""
    false_alarm_probability: Annotated[float, Field(gt=0, le=0.1)]
    """In one resolution cell and look."""
    range_resolution_m: Annotated[float, _within(0.01, 2e4)]
    """One resolution cell; the noise follows from it and the SNR. So the next two."""
    beam_width_rad: Annotated[float, _within(1e-6, 1.6)]
    doppler_resolution_mps: Annotated[float, _within(0.001, 2e4)]
    range_floor_m: Annotated[float, _within(0.01, 1e4)]
    """Standard deviation that no SNR betters; so the next two."""
    angle_floor_rad: Annotated[float, _within(1e-6, 0.2)]
    doppler_floor_mps: Annotated[float, _within(0.001, 1e3)]

    @classmethod
    def nearest(cls, **figures: float) -> Self:
        """These figures, each brought within its bounds."""
        bounds = cls.model_json_schema()["properties"]
        least = {name: bounds[name].get("minimum", value) for name, value in figures.items()}
        return cls(**{name: min(max(value, least[name]), bounds[name]["maximum"]) for name, value in figures.items()})

    def text(self) -> str:
        """The header's value, every number in its shortest exact form."""
        return urlencode(self.model_dump())

    @classmethod
    def of_text(cls, text: str) -> Self:
        """What `text` made.

        Raises:
            ValueError: a figure that is missing, no number, or out of bounds; in one line.
        """
        try:
            return cls.model_validate(dict(parse_qsl(text)))
        except ValidationError as error:
            raise ValueError(f"{RADAR}: {first_fault(error)}") from None

    @classmethod
    def read(cls, headers: Mapping[str, str] | None) -> "RadarFigures | None":
        """What a frame's headers say; None for a frame that says nothing of its radar.

        Raises:
            ValueError: as `of_text`.
        """
        return _figures(headers[RADAR]) if headers and RADAR in headers else None


@lru_cache(8)
def _figures(text: str) -> RadarFigures:
    """Every frame of a run says the same."""
    return RadarFigures.of_text(text)
