"""Communication plane: the vehicle's own transponder."""

from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from qiki.botspec.planes.plane import PlaneParameters
from qiki.contracts.enums import TransponderMode
from qiki.fields import member

ModeName = Annotated[
    TransponderMode,
    BeforeValidator(member(TransponderMode, ("ON", "OFF", "SILENT", "SPOOF"))),
    PlainSerializer(lambda mode: mode.name, return_type=str, when_used="json"),
]


class CommsParameters(PlaneParameters):
    """Initial mode of the transponder."""

    xpdr_mode: ModeName = TransponderMode.ON
