"""Field types of scenario files."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from qiki.contracts.enums import FriendFoe, ObjectType, TransponderMode
from qiki.fields import Number, member

Seconds = Annotated[Number, Field(ge=0, le=1e7)]
Metres = Annotated[Number, Field(ge=-1e7, le=1e7)]
Speed = Annotated[Number, Field(gt=0, le=1e5)]
Velocity = Annotated[Number, Field(ge=-1e5, le=1e5)]
Point = tuple[Metres, Metres, Metres]  # x, y, z [m] in world axes: east, north, up
VelocityVector = tuple[Velocity, Velocity, Velocity]  # x, y, z [m/s] in world axes

ObjectTypeName = Annotated[
    ObjectType, BeforeValidator(member(ObjectType, ("DRONE", "SHIP", "STATION", "ASTEROID", "DEBRIS")))
]
SideName = Annotated[FriendFoe, BeforeValidator(member(FriendFoe, ("FRIEND", "FOE", "UNKNOWN")))]
KnownSideName = Annotated[FriendFoe, BeforeValidator(member(FriendFoe, ("FRIEND", "FOE")))]
ModeName = Annotated[TransponderMode, BeforeValidator(member(TransponderMode, ("ON", "OFF", "SILENT", "SPOOF")))]
HonestModeName = Annotated[TransponderMode, BeforeValidator(member(TransponderMode, ("ON", "OFF", "SILENT")))]
