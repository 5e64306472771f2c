"""Sizes and times of the streams, from the environment."""

from pydantic import Field, ValidationInfo, field_validator

from qiki.runtime.settings import ServiceSettings


class InitSettings(ServiceSettings):
    """Defaults are the contract's."""

    init_timeout_sec: float = Field(default=30, gt=0)

    radar_max_bytes: int = Field(default=1 << 30, gt=0)
    radar_max_age_sec: float = Field(default=3600, gt=0)
    radar_duplicate_window_sec: float = Field(default=120, gt=0)
    radar_consumer_ack_wait_sec: float = Field(default=45, gt=0)
    radar_consumer_max_deliver: int = Field(default=7, gt=0)
    radar_consumer_max_ack_pending: int = Field(default=512, gt=0)

    events_max_bytes: int = Field(default=1 << 30, gt=0)
    events_max_age_sec: float = Field(default=7 * 86_400, gt=0)
    events_duplicate_window_sec: float = Field(default=120, gt=0)
    events_consumer_ack_wait_sec: float = Field(default=45, gt=0)
    events_consumer_max_deliver: int = Field(default=7, gt=0)
    events_consumer_max_ack_pending: int = Field(default=512, gt=0)

    @field_validator("radar_duplicate_window_sec", "events_duplicate_window_sec")
    @classmethod
    def _no_longer_than_messages_are_kept(cls, window_s: float, info: ValidationInfo) -> float:
        age = str(info.field_name).replace("duplicate_window", "max_age")
        age_s = info.data.get(age)  # none where it is wrong itself
        if age_s is not None and window_s > age_s:
            raise ValueError(f"expected at most {age.upper()}, which is {age_s:g}")
        return window_s
