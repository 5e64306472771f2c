"""Enumerations that travel as integers."""

from enum import IntEnum


class ObjectType(IntEnum):
    """Kind of a contact."""

    OBJECT_TYPE_UNSPECIFIED = 0
    DRONE = 1
    SHIP = 2
    STATION = 3
    ASTEROID = 4
    DEBRIS = 5


class FriendFoe(IntEnum):
    """Side of a contact, from the table of known identities."""

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
    """Transponder mode: claimed by the reply on a detection, inferred by the tracker on a track."""

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
    """Kind of an actuator command."""

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
    """Outcome of a transition."""

    FSM_TRANSITION_STATUS_UNSPECIFIED = 0
    SUCCESS = 1
    FAILED = 2
    PENDING = 3


class ProposalType(IntEnum):
    """Purpose of a proposal; lower numbers take precedence."""

    PROPOSAL_TYPE_UNSPECIFIED = 0
    SAFETY = 1
    PLANNING = 2
    DIAGNOSTICS = 3
    EXPLORATION = 4


class ProposalStatus(IntEnum):
    """State of a proposal."""

    PROPOSAL_STATUS_UNSPECIFIED = 0
    PENDING = 1
    ACCEPTED = 2
    REJECTED = 3
    EXECUTED = 4
    EXPIRED = 5


class DeviceStatus(IntEnum):
    """Condition of a device (DeviceStatus.Status on the wire)."""

    STATUS_UNSPECIFIED = 0
    OK = 1
    WARNING = 2
    ERROR = 3
    NOT_FOUND = 4


class DeviceType(IntEnum):
    """Kind of a device (DeviceStatus.DeviceType on the wire)."""

    DEVICE_TYPE_UNSPECIFIED = 0
    SENSOR = 1
    ACTUATOR = 2
    POWER_UNIT = 3
    COMMUNICATION = 4
    CONTROLLER = 5


class DeviceCode(IntEnum):
    """Fault of a device (DeviceStatus.StatusCode on the wire)."""

    STATUS_CODE_UNSPECIFIED = 0
    COMPONENT_NOT_FOUND = 1
    UNSTABLE_READINGS = 2
    TIMEOUT_RESPONSE = 3
    CRITICAL_BOOT_FAILURE = 4
