"""Settings of q-sim-radar."""

from pydantic import Field

from qiki.runtime.settings import Address, ServiceSettings


class RadarSettings(ServiceSettings):
    """Beyond every service's: where the simulator is, and how much memory its frames may take while NATS is away."""

    qsim_grpc: Address = "127.0.0.1:50051"
    radar_backlog_bytes: int = Field(default=128 * 1024 * 1024, gt=0)
