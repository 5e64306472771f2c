"""The length of a tick, the world's step."""

TICK_MS = 50
TICK_S = TICK_MS / 1000.0
TICK_RATE_HZ = 1000.0 / TICK_MS
