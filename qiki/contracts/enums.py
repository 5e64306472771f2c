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


class Unit(IntEnum):
    """Unit of a command's value or of a reading."""

    UNIT_UNSPECIFIED = 0
    METERS = 1
    DEGREES = 2
    PERCENT = 3
    VOLTS = 4
    AMPS = 5
    WATTS = 6
    MILLISECONDS = 7
    KELVIN = 8
    BAR = 9


class FSMState(IntEnum):
    """State of the agent's state machine (FSMStateEnum on the wire)."""

    FSM_STATE_UNSPECIFIED = 0
    BOOTING = 1
    IDLE = 2
    ACTIVE = 3
    ERROR_STATE = 4
    SHUTDOWN = 5


class FSMTransitionStatus(IntEnum):
    """What became of a transition."""

    FSM_TRANSITION_STATUS_UNSPECIFIED = 0
    SUCCESS = 1
    FAILED = 2
    PENDING = 3


class ProposalType(IntEnum):
    """What a proposal is for; the lower the number, the more it weighs."""

    PROPOSAL_TYPE_UNSPECIFIED = 0
    SAFETY = 1
    PLANNING = 2
    DIAGNOSTICS = 3
    EXPLORATION = 4


class ProposalStatus(IntEnum):
    """What became of a proposal."""

    PROPOSAL_STATUS_UNSPECIFIED = 0
    PENDING = 1
    ACCEPTED = 2
    REJECTED = 3
    EXECUTED = 4
    EXPIRED = 5


class DeviceStatus(IntEnum):
    """How a device is (DeviceStatus.Status on the wire)."""

    STATUS_UNSPECIFIED = 0
    OK = 1
    WARNING = 2
    ERROR = 3
    NOT_FOUND = 4


class DeviceType(IntEnum):
    """What a device is (DeviceStatus.DeviceType on the wire)."""

    DEVICE_TYPE_UNSPECIFIED = 0
    SENSOR = 1
    ACTUATOR = 2
    POWER_UNIT = 3
    COMMUNICATION = 4
    CONTROLLER = 5


class DeviceCode(IntEnum):
    """What is wrong with a device (DeviceStatus.StatusCode on the wire)."""

    STATUS_CODE_UNSPECIFIED = 0
    COMPONENT_NOT_FOUND = 1
    UNSTABLE_READINGS = 2
    TIMEOUT_RESPONSE = 3
    CRITICAL_BOOT_FAILURE = 4
