"""The run's dashboard: how fast does the world go, what does the tracker see, what does the agent do?"""

from panels import Board, Line, Panel, Row, Shape, quantile, rate, series, total

from qiki.contracts import events
from qiki.contracts.enums import FSMState
from qiki.contracts.identities import AGENT, BRIDGE, REGISTRAR, SIMULATOR
from qiki.contracts.ticks import TICK_S

MODES = {
    FSMState.BOOTING: ("booting", "blue"),
    FSMState.IDLE: ("idle", "green"),
    FSMState.ACTIVE: ("active", "yellow"),
    FSMState.ERROR_STATE: ("SAFE_MODE", "red"),
    FSMState.SHUTDOWN: ("shut down", "text"),
}

WORLD = Row(
    "World",
    (
        Panel(
            "Speed",
            "suffix:x",
            "Simulated seconds a second; 0 while the run is paused.",
            (Line(f"{rate('qiki_sim_ticks_total', SIMULATOR)} * {TICK_S:g}", "speed"),),
        ),
        Panel(
            "Behind",
            "s",
            "Simulated time that the world lacks to the speed that was set; it grows where the machine is too slow.",
            (Line(series("qiki_sim_behind_seconds", SIMULATOR), "behind"),),
        ),
        Panel(
            "Runs",
            "short",
            "Runs since the simulator's process began: its first one and each reset.",
            (Line(total("service", "qiki_events_total", SIMULATOR, name=events.RUN_STARTED.name), "runs"),),
            Shape.FIGURES,
            without="0",
        ),
        Panel(
            "Control commands",
            "short",
            "Commands on the bus since the simulator's process began, by their result.",
            (Line(total("command, result", "qiki_sim_commands_total", SIMULATOR), "{{command}} {{result}}"),),
            Shape.BARS,
            without="0",
        ),
        Panel(
            "Actuator commands",
            "short",
            "Commands to actuators since the simulator's process began, by their result.",
            (Line(total("result", "qiki_sim_actuator_commands_total", SIMULATOR), "{{result}}"),),
        ),
        Panel(
            "Refused",
            "short",
            "Calls of those who may not and malformed requests since the simulator's process began.",
            (
                Line(total("method, status", "qiki_sim_calls_refused_total", SIMULATOR), "{{method}} {{status}}"),
                Line(total("method", "qiki_grpc_malformed_total", SIMULATOR), "{{method}} malformed"),
            ),
            Shape.BARS,
            without="0",
        ),
    ),
)
RADAR = Row(
    "Tracks and alerts",
    (
        Panel(
            "Tracks",
            "short",
            "Tracks in the newest frame.",
            (Line(series("qiki_radar_active_tracks", BRIDGE), "tracks"),),
        ),
        Panel(
            "Alerts",
            "short",
            "Records of the audit log above INFO since the registrar began: guard alerts, refusals, faults, SAFE_MODE.",
            (
                Line(
                    total("severity", "qiki_registrar_records_total", REGISTRAR, severity="WARNING|ERROR|CRITICAL"),
                    "{{severity}}",
                ),
            ),
        ),
        Panel(
            "Events",
            "short",
            "Events that each service raised since it began, by the name of their code.",
            (Line(total("service, name", "qiki_events_total"), "{{service}} {{name}}"),),
            Shape.BARS,
        ),
    ),
)
MIND = Row(
    "Agent",
    (
        Panel(
            "Mode",
            "none",
            "State of the agent's state machine.",
            (Line(series("qiki_agent_state", AGENT), "mode"),),
            Shape.STATES,
            width=16,
            states=MODES,
        ),
        Panel(
            "Entered SAFE_MODE",
            "short",
            "Times that the agent entered SAFE_MODE since it began.",
            (Line(total("service", "qiki_events_total", AGENT, name=events.SAFE_MODE_ENTERED.name), "times"),),
            Shape.FIGURES,
            without="0",
        ),
        Panel(
            "Decisions",
            "short",
            "Proposals that the agent accepted and refused since it began.",
            (
                Line(total("service", "qiki_events_total", AGENT, name=events.PROPOSAL_ACCEPTED.name), "accepted"),
                Line(total("service", "qiki_events_total", AGENT, name=events.PROPOSAL_REFUSED.name), "refused"),
            ),
            without="0",
        ),
        Panel(
            "Ticks",
            "cps",
            "Ticks of the agent a second, and those of them that began later than the next one was due.",
            (
                Line(rate("qiki_agent_ticks_total", AGENT), "ticks"),
                Line(rate("qiki_agent_ticks_late_total", AGENT), "late"),
            ),
        ),
        Panel(
            "Phases of a tick",
            "s",
            "Duration of each phase, for all but one tick in a hundred.",
            (Line(quantile(0.99, "qiki_agent_phase_seconds", AGENT, by="phase"), "{{phase}}"),),
        ),
        Panel(
            "Engines",
            "s",
            "Duration of an engine's call, for all but one call in a hundred; empty without engines.",
            (Line(quantile(0.99, "qiki_agent_engine_seconds", AGENT, by="engine"), "{{engine}}"),),
        ),
        Panel(
            "Faults of engines",
            "short",
            "Faults and overruns of each engine since the agent began.",
            (Line(total("engine, kind", "qiki_agent_engine_faults_total", AGENT), "{{engine}} {{kind}}"),),
            Shape.BARS,
            without="0",
        ),
        Panel(
            "Inputs refused",
            "short",
            "Messages that the agent could not read since it began, by their subject.",
            (Line(total("subject", "qiki_agent_inputs_refused_total", AGENT), "{{subject}}"),),
            Shape.BARS,
            without="0",
        ),
        Panel(
            "Lockstep",
            "cps",
            "Steps a second that the agent conducts the simulator through, and those without an acknowledgement.",
            (
                Line(rate("qiki_agent_lockstep_steps_total", AGENT), "steps"),
                Line(rate("qiki_agent_lockstep_steps_lost_total", AGENT), "lost"),
            ),
            width=24,
        ),
    ),
)
RUN = Board(
    "qiki-run",
    "QIKI: the run",
    "Speed of the world, commands, tracks and alerts, and what the agent does.",
    (WORLD, RADAR, MIND),
)
