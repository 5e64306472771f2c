"""Enumerations that travel as integers."""

from enum import IntEnum


class ObjectType(IntEnum):
    """What a contact is."""

    OBJECT_TYPE_UNSPECIFIED = 0
    DRONE = 1
    SHIP = 2
    STATION = 3
    ASTEROID = 4
    DEBRIS = 5


class FriendFoe(IntEnum):
    """Whose side a contact is on, from the table of known identities."""

    FRIEND_FOE_UNSPECIFIED = 0
    FRIEND = 1
    FOE = 2
    UNKNOWN = 3


class RadarRangeBand(IntEnum):
    """Long range carries no identity, short range does."""

    RR_UNSPECIFIED = 0
    RR_LR = 1
    RR_SR = 2


class TransponderMode(IntEnum):
    """On a detection what the reply claims, on a track what the tracker found."""

    OFF = 0
    ON = 1
    SILENT = 2
    SPOOF = 3


class RadarTrackStatus(IntEnum):
    """Life of a track."""

    UNSPECIFIED = 0
    NEW = 1
    TRACKED = 2
    LOST = 3
    COASTING = 4


class CommandType(IntEnum):
    """What an actuator command asks for."""

    COMMAND_TYPE_UNSPECIFIED = 0
    SET_VELOCITY = 1
    ROTATE = 2
    ENABLE = 3
    DISABLE = 4
    SET_MODE = 5


class FSMState(IntEnum):
    """State of the agent's state machine (FSMStateEnum on the wire)."""

    FSM_STATE_UNSPECIFIED = 0
    BOOTING = 1
    IDLE = 2
    ACTIVE = 3
    ERROR_STATE = 4
    SHUTDOWN = 5
