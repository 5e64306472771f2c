"""Settings of q-sim-radar."""

from qiki.runtime.settings import Address, ServiceSettings, whole


class RadarSettings(ServiceSettings):
    """Beyond every service's: where the simulator is, and how much memory its frames may take while NATS is away."""

    qsim_grpc: Address = "127.0.0.1:50051"
    radar_backlog_bytes: int = whole(128 << 20, 1 << 20, 4 << 30)
