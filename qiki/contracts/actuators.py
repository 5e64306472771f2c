"""Actuator commands in plain values; `qiki.contracts.protobuf` converts them for gRPC."""

from ctypes import c_float
from dataclasses import dataclass
from datetime import datetime

Triple = tuple[float, float, float]
VALUE_FIELDS = ((bool, "bool_value"), (int, "int_value"), (float, "float_value"), (tuple, "vector_value"))
"""The message's field for each type of value; a bool is an int too."""


@dataclass(frozen=True, slots=True)
class ActuatorCommand:
    """A command to one actuator.

    Floating-point fields hold float32, as the message does: a command means the same in one process and over gRPC.

    Attributes:
        actuator_id: UUID or role
        command_type: number of a `CommandType`; unknown ones are kept
        value: in `unit`; None: nothing to set
        unit: number of a `Unit`
        timeout_ms: duration of the command
        confidence: 0 to 1
        command_id: UUID in text form; may be empty
        timestamp: None: not given, or outside the years 1 to 9999
    """

    actuator_id: str
    command_type: int
    value: float | int | bool | Triple | None = None
    unit: int = 0
    timeout_ms: int = 0
    confidence: float = 0.0
    command_id: str = ""
    timestamp: datetime | None = None
    ack_required: bool = False
    retry_count: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "confidence", float32(self.confidence))
        if isinstance(self.value, float):
            object.__setattr__(self, "value", float32(self.value))
        elif isinstance(self.value, tuple):
            object.__setattr__(self, "value", tuple(map(float32, self.value)))

    @property
    def value_field(self) -> str:
        """Field of the message that holds the value; empty without a value."""
        return next((field for kind, field in VALUE_FIELDS if isinstance(self.value, kind)), "")


def float32(value: float) -> float:
    """Round to float32; infinite beyond its range."""
    return c_float(value).value
