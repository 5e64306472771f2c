"""Sizes and times of the streams, from the environment."""

from pydantic import Field

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
