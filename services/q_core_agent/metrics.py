"""Metrics of the agent."""

from prometheus_client import Counter, Gauge, Histogram

from qiki.agent.agent import PHASES

_BUCKETS_S = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)

TICKS = Counter("qiki_agent_ticks_total", "Ticks of the agent")
LATE = Counter("qiki_agent_ticks_late_total", "Ticks that began later than the next one was due")
STATE = Gauge("qiki_agent_state", "State of the agent's state machine, as its number in FSMStateEnum")
PHASE = Histogram("qiki_agent_phase_seconds", "Duration of a tick's phases", ["phase"], buckets=_BUCKETS_S)
PHASE_TIMERS = {name: PHASE.labels(name) for name in PHASES}
ENGINE = Histogram("qiki_agent_engine_seconds", "Duration of an engine's calls", ["engine"], buckets=_BUCKETS_S)
FAULTS = Counter("qiki_agent_engine_faults_total", "Faults of engines", ["engine", "kind"])
REFUSED = Counter("qiki_agent_inputs_refused_total", "Messages that could not be read", ["subject"])
STEPS = Counter("qiki_agent_lockstep_steps_total", "Steps that the simulator was conducted through")
STEPS_LOST = Counter("qiki_agent_lockstep_steps_lost_total", "Steps that were not acknowledged")
