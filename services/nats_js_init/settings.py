"""Overrides, from the environment, of the sizes and times in the table of streams (`qiki.contracts.topics`)."""

from dataclasses import replace
from typing import Any

from pydantic import ValidationInfo, create_model, field_validator

from qiki.contracts.topics import STREAMS, Stream
from qiki.runtime.settings import ServiceSettings, number, whole

SIZES = {
    "max_bytes": "max_bytes",
    "max_age_sec": "max_age_s",
    "duplicate_window_sec": "duplicate_window_s",
    "consumer_ack_wait_sec": "ack_wait_s",
    "consumer_max_deliver": "max_deliver",
    "consumer_max_ack_pending": "max_ack_pending",
}
"""Setting, without the stream's prefix, to attribute of `Stream`."""
DAY_S = 86_400
BOUNDS = {
    "max_bytes": (1 << 20, 1 << 44),
    "max_age_sec": (0.1, 3660 * DAY_S),
    "duplicate_window_sec": (0.1, 30 * DAY_S),
    "consumer_ack_wait_sec": (0.1, 30 * DAY_S),
    "consumer_max_deliver": (1, 1000),
    "consumer_max_ack_pending": (1, 100_000),
}
SIZED = tuple(stream for stream in STREAMS if stream.settings)


def _setting(default: float, low: float, high: float) -> Any:
    if isinstance(default, int):
        return int, whole(default, round(low), round(high))
    return float, number(default, low, high)


_Sizes = create_model(
    "_Sizes",
    __base__=ServiceSettings,
    **{
        f"{stream.settings}_{name}": _setting(getattr(stream, attribute), *BOUNDS[name])
        for stream in SIZED
        for name, attribute in SIZES.items()
    },
)


class InitSettings(_Sizes):
    """Settings of every service, and the sizes of the streams, with the table's values as defaults."""

    init_timeout_sec: float = number(30, 0.1, 3600)

    @field_validator(*(f"{stream.settings}_duplicate_window_sec" for stream in SIZED))
    @classmethod
    def _no_longer_than_messages_are_kept(cls, window_s: float, info: ValidationInfo) -> float:
        age = str(info.field_name).replace("duplicate_window", "max_age")
        age_s = info.data.get(age)  # none if it is wrong itself
        if age_s is not None and window_s > age_s:
            raise ValueError(f"expected at most {age.upper()}, which is {age_s:g}")
        return window_s

    def sized(self, stream: Stream) -> Stream:
        """Return the stream with these sizes."""
        sizes = SIZES if stream.settings else {}
        return replace(stream, **{field: getattr(self, f"{stream.settings}_{name}") for name, field in sizes.items()})
