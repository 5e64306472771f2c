"""Identifiers made from a run and a counter: a repeated run gives the same ones."""

from uuid import NAMESPACE_URL, UUID, uuid5

RADAR_SENSOR_ID = uuid5(NAMESPACE_URL, "qiki:q_sim_service:radar:main")

BAND_SUFFIXES = {"RR_UNSPECIFIED": "", "RR_LR": ":LR", "RR_SR": ":SR"}


def run_frame_id(run_id: UUID, number: int) -> UUID:
    """Return the `frame_id` of the run's frame of that number."""
    return uuid5(run_id, str(number))


def track_id(run_id: UUID, counter: int) -> UUID:
    """Return the `track_id` of the run's n-th track."""
    return uuid5(run_id, f"track:{counter}")


def frame_message_id(run: str, frame: int, band: str) -> str:
    """Return the `Nats-Msg-Id` of a frame on one of its three subjects; of two alike JetStream drops one."""
    return f"{run}:{frame}{BAND_SUFFIXES[band]}"


def track_message_id(run: str, frame: int | str, track: str) -> str:
    """Return the `Nats-Msg-Id` of a track; a frame that is read again gives the same ones."""
    return f"{run}:{frame}:{track}"


def estimates_message_id(run: str, frame: int | str, part: int) -> str:
    """Return the `Nats-Msg-Id` of a part of a frame's estimates; a frame that is read again gives the same ones."""
    return f"{run}:{frame}:{part}"
