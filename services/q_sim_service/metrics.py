"""Metrics of the simulator."""

from prometheus_client import Counter, Gauge

TICKS = Counter("qiki_sim_ticks_total", "Ticks of the world")
FRAMES = Counter("qiki_sim_frames_total", "Radar frames measured")
BEHIND = Gauge("qiki_sim_behind_seconds", "Simulated time behind the speed that was set")
READERS = Gauge("qiki_sim_frame_readers", "Open streams of radar frames")
COMMANDS = Counter("qiki_sim_commands_total", "Control commands by result", ["command", "result"])
ACTUATOR_COMMANDS = Counter("qiki_sim_actuator_commands_total", "Actuator commands by result", ["result"])
DROPPED = Counter("qiki_sim_unsent_total", "Messages that were not sent to NATS", ["what"])
CALLS_REFUSED = Counter("qiki_sim_calls_refused_total", "gRPC calls of those who may not", ["method", "status"])
