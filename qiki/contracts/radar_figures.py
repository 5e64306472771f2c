"""What a tracker has to know of a radar, as a header of its frames."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qiki.contracts.headers import RADAR

FINEST_RANGE_M, FINEST_ANGLE_RAD, FINEST_SPEED_MPS = 1e-3, 1e-7, 1e-4
"""No radar tells more than the rounding of its frames leaves; a filter that believed so would lose its digits."""

Metres = Annotated[float, Field(ge=FINEST_RANGE_M, le=1e7, allow_inf_nan=False)]
Radians = Annotated[float, Field(ge=FINEST_ANGLE_RAD, le=3.15, allow_inf_nan=False)]
Speed = Annotated[float, Field(ge=FINEST_SPEED_MPS, le=1e9, allow_inf_nan=False)]


class RadarFigures(BaseModel):
    """Reach, resolution, noise and false alarms of a radar."""

    model_config = ConfigDict(frozen=True)

    max_range_m: Metres
    """Far end of the volume that it watches."""
    doppler_span_mps: Speed
    """Width of the range rates that it tells."""
    false_alarm_probability: Annotated[float, Field(gt=0, le=0.1)]
    """In one resolution cell and look."""
    range_resolution_m: Metres
    """One resolution cell; the noise follows from it and the SNR. So the next two."""
    beam_width_rad: Radians
    doppler_resolution_mps: Speed
    range_floor_m: Metres
    """Standard deviation that no SNR betters; so the next two."""
    angle_floor_rad: Radians
    doppler_floor_mps: Speed

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
            fault = error.errors(include_url=False)[0]
            raise ValueError(f"{RADAR}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None

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
