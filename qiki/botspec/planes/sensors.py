"""Sensor plane: the fitted sensors, their errors and failures."""

from enum import IntEnum
from typing import Annotated, Self
from uuid import UUID, uuid5

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from qiki.botspec.planes.plane import NonNegative, PlaneParameters, Positive
from qiki.contracts.ids import RADAR_SENSOR_ID
from qiki.fields import distinct, field_error, member


class SensorKind(IntEnum):
    """The sensors that a vehicle may carry, with their numbers on the wire (SensorType)."""

    LIDAR = 1
    IMU = 2
    GPS = 4
    THERMAL = 5
    RADAR = 6


SensorName = Annotated[
    SensorKind,
    BeforeValidator(member(SensorKind, tuple(SensorKind.__members__))),
    PlainSerializer(lambda kind: kind.name, return_type=str, when_used="json"),
]
_SENSOR_SPACE = UUID("0f5c1a5e-6b1e-5b0c-9d1f-3f0a3a1c7e21")


def sensor_id(kind: SensorKind) -> UUID:
    """Return the constant id of a sensor."""
    return RADAR_SENSOR_ID if kind is SensorKind.RADAR else uuid5(_SENSOR_SPACE, kind.name)


class SensorParameters(PlaneParameters):
    """Fitted sensors, their errors and failures."""

    fitted: Annotated[tuple[SensorName, ...], Field(min_length=1), AfterValidator(distinct)] = tuple(SensorKind)
    """In the order of their turns."""
    lidar_range_m: Positive = 200.0
    lidar_sigma_m: NonNegative = 0.03
    imu_sigma_deg: NonNegative = 0.02
    gps_sigma_m: NonNegative = 0.5
    thermal_sigma_k: NonNegative = 0.1
    mean_time_between_failures_s: dict[SensorName, Positive] = Field(default_factory=dict)
    """Other sensors do not fail."""
    repair_s: Positive = 30.0
    """Time after which a failed sensor works again."""

    @model_validator(mode="after")
    def _only_what_is_fitted_fails(self) -> Self:
        for kind in self.mean_time_between_failures_s:
            if kind not in self.fitted:
                raise field_error(("mean_time_between_failures_s", kind.name), "is not fitted (expected one of fitted)")
        return self
