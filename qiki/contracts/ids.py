"""Identifiers that follow from a run and a counter, so that a run repeated names everything the same."""

from uuid import NAMESPACE_URL, UUID, uuid5

RADAR_SENSOR_ID = uuid5(NAMESPACE_URL, "qiki:q_sim_service:radar:main")

BAND_SUFFIXES = {"RR_UNSPECIFIED": "", "RR_LR": ":LR", "RR_SR": ":SR"}


def run_frame_id(run_id: UUID, number: int) -> UUID:
    """`frame_id` of the run's frame of that number."""
    return uuid5(run_id, str(number))


def track_id(run_id: UUID, counter: int) -> UUID:
    """`track_id` of the run's n-th track."""
    return uuid5(run_id, f"track:{counter}")


def frame_message_id(run: str, frame: int, band: str) -> str:
    """`Nats-Msg-Id` of a frame on one of its three subjects: JetStream would drop two of three alike."""
    return f"{run}:{frame}{BAND_SUFFIXES[band]}"


def track_message_id(run: str, frame: int | str, track: str) -> str:
    """`Nats-Msg-Id` of a track: the same again when the same frame is read again."""
    return f"{run}:{frame}:{track}"
