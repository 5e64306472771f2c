"""Settings of q-sim-radar."""

from pydantic import Field

from qiki.runtime.settings import Address, ServiceSettings


class RadarSettings(ServiceSettings):
    """Beyond every service's: where the simulator is, and how many frames to hold while NATS is away."""

    qsim_grpc: Address = "127.0.0.1:50051"
    radar_backlog_frames: int = Field(default=3000, gt=0)
