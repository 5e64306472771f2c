"""gRPC channel and server options: a silently cut link is noticed within seconds, on both sides; bounded requests."""

MAX_REQUEST_BYTES = 64 * 1024
MAX_CALLS = 100  # of one connection at a time
PING_INTERVAL_MS = 2000
PING_TIMEOUT_MS = 4000
CONNECT_MS = 4000  # gRPC gives an attempt to connect as long, and no longer: over a slow link it takes several turns

_PINGS = [
    ("grpc.keepalive_time_ms", PING_INTERVAL_MS),
    ("grpc.keepalive_timeout_ms", PING_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
]
CLIENT_OPTIONS: list[tuple[str, int]] = [
    *_PINGS,
    ("grpc.enable_http_proxy", 0),  # the simulator is near; the shell's proxy is for hosts outside
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", CONNECT_MS),
    ("grpc.max_reconnect_backoff_ms", 100),
]
SERVER_OPTIONS: list[tuple[str, int]] = [
    *_PINGS,
    ("grpc.http2.min_ping_interval_without_data_ms", PING_INTERVAL_MS // 2),
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    ("grpc.max_concurrent_streams", MAX_CALLS),
    ("grpc.so_reuseport", 0),  # a second server on the port is an error, not a load balancer
]
