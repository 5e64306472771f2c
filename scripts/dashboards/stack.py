"""The stack's dashboard: are the services well, and does all that is measured arrive?"""

from panels import Board, Line, Panel, Row, Shape, quantile, rate, series, total

from faststream_bridge.settings import BridgeSettings
from qiki.contracts import events, topics
from qiki.contracts.identities import AGENT, BRIDGE, RADAR, REGISTRAR, SIMULATOR

LATE_S = BridgeSettings.model_fields["radar_lag_threshold_sec"].default
OURS = {"consumer": f"{topics.FRAMES_DURABLE}|{topics.REGISTRAR_DURABLE}"}
CONNECTIONS = total("service", "qiki_events_total", name=events.NATS_CONNECTED.name)
SIGNED, HEAD = "qiki_registrar_signed_sequence", "qiki_registrar_head_sequence"

HEALTH = Row(
    "Health",
    (
        Panel(
            "Services",
            "none",
            "Prometheus reaches the metrics of the service.",
            (Line(series("up"), "{{service}}"),),
            Shape.FIGURES,
            width=12,
            states={1: ("up", "green"), 0: ("down", "red")},
        ),
        Panel(
            "Connections to NATS",
            "none",
            "The service is connected to the broker; one that was lost is tried again for ever.",
            (Line(f"min by (service) ({series('qiki_nats_connected')})", "{{service}}"),),
            Shape.FIGURES,
            width=12,
            states={1: ("connected", "green"), 0: ("lost", "red")},
        ),
        Panel(
            "Uptime",
            "s",
            "Time since the process began; a fall to zero is a restart.",
            (Line(f"time() - {series('process_start_time_seconds')}", "{{service}}"),),
            width=12,
        ),
        Panel(
            "Reconnects",
            "short",
            "Connections to the broker that were restored since the process began.",
            (Line(f"{CONNECTIONS} - count by (service) ({series('qiki_nats_connected')})", "{{service}}"),),
            width=12,
        ),
    ),
)
FLOW = Row(
    "Flow",
    (
        Panel(
            "Frames",
            "cps",
            "Radar frames a second; the three lines are one where nothing waits and nothing is lost.",
            (
                Line(rate("qiki_sim_frames_total", SIMULATOR), "measured"),
                Line(rate("qiki_radar_frames_published_total", RADAR), "published"),
                Line(rate("qiki_bridge_frames_total", BRIDGE, outcome="tracked"), "tracked"),
            ),
        ),
        Panel(
            "Publish lag",
            "short",
            "Frames that were measured and wait for the broker to store them.",
            (Line(series("qiki_radar_backlog_frames", RADAR), "frames"),),
        ),
        Panel(
            "Frames that are not tracked",
            "short",
            "Frames since the process began that were lost, not allowed by the contract, unreadable, or too old.",
            (
                Line(series("qiki_radar_frames_lost_total", RADAR), "lost"),
                Line(series("qiki_radar_frames_refused_total", RADAR), "not allowed"),
                Line(total("outcome", "qiki_bridge_frames_total", BRIDGE, outcome="poison|old"), "{{outcome}}"),
            ),
        ),
        Panel(
            "Lag of bridge and registrar",
            "s",
            "Age of the oldest message that is not acknowledged; above the line the bridge raises an event.",
            (Line(series("qiki_jetstream_consumer_oldest_seconds", BRIDGE, **OURS), "{{consumer}}"),),
            limit=LATE_S,
        ),
        Panel(
            "Messages not delivered yet",
            "short",
            "Messages that wait for the durables of bridge and registrar.",
            (Line(series("qiki_jetstream_consumer_lag", BRIDGE, **OURS), "{{consumer}}"),),
        ),
        Panel(
            "Age of the lag figures",
            "s",
            "Time since the bridge last asked the broker; while it grows the two panels beside show old figures.",
            (Line(f"time() - {series('qiki_jetstream_lag_asked_timestamp_seconds', BRIDGE)}", "age"),),
        ),
        Panel(
            "Time to track a frame",
            "s",
            "Time from a frame to its tracks, for half of the frames and for all but one in a hundred.",
            (
                Line(quantile(0.5, "qiki_bridge_step_seconds", BRIDGE), "median"),
                Line(quantile(0.99, "qiki_bridge_step_seconds", BRIDGE), "99 %"),
            ),
        ),
        Panel(
            "Sent again",
            "mps",
            "Messages a second that were sent again after a gap or a lost connection.",
            (Line(f"sum by (service, reason) ({rate('qiki_publish_resent_total')})", "{{service}} {{reason}}"),),
        ),
        Panel(
            "Stored already",
            "mps",
            "Messages a second that the broker had already, as it recognised their ids.",
            (Line(f"sum by (service) ({rate('qiki_publish_duplicates_total')})", "{{service}}"),),
        ),
    ),
)
TROUBLE = Row(
    "Lost and refused",
    (
        Panel(
            "Dead letters",
            "short",
            "Messages of a stream that the service could not read, since it began.",
            (
                Line(
                    total("service, stream", "qiki_dead_letters_total", BRIDGE, REGISTRAR, AGENT),
                    "{{service}} {{stream}}",
                ),
            ),
            Shape.FIGURES,
            width=6,
            without="0",
        ),
        Panel(
            "Never stored",
            "short",
            "Messages since the process began that the broker refuses for good, or whose ids were another's.",
            (
                Line(total("service", "qiki_publish_refused_total"), "{{service}} refused"),
                Line(total("service", "qiki_publish_ids_taken_total"), "{{service}} id taken"),
            ),
            width=6,
        ),
        Panel(
            "Events dropped",
            "short",
            "Events since the process began that could not be kept while the broker was away.",
            (Line(total("service, severity", "qiki_events_dropped_total"), "{{service}} {{severity}}"),),
            Shape.FIGURES,
            width=6,
            without="0",
        ),
        Panel(
            "Failed writes",
            "short",
            "Files since the process began that the disk or the folder refused.",
            (
                Line(total("service, what", "qiki_bridge_failed_writes_total", BRIDGE), "{{service}} {{what}}"),
                Line(total("service", "qiki_registrar_failed_writes_total", REGISTRAR), "{{service}}"),
            ),
            Shape.FIGURES,
            width=6,
            without="0",
        ),
    ),
)
AUDIT = Row(
    "Audit log",
    (
        Panel(
            "Messages read by the registrar",
            "mps",
            "Messages a second of the registrar's durable: events, its own records that come back, and broken ones.",
            (Line(f"sum by (outcome) ({rate('qiki_registrar_events_total', REGISTRAR)})", "{{outcome}}"),),
        ),
        Panel(
            "Messages before the registrar",
            "short",
            "Messages that were not delivered to the registrar when it last read.",
            (Line(series("qiki_registrar_pending_messages", REGISTRAR), "messages"),),
        ),
        Panel(
            "Records not signed yet",
            "short",
            "Records behind the newest signed head; all of them where the registrar has no signing key.",
            (Line(f"{series(HEAD, REGISTRAR)} - {series(SIGNED, REGISTRAR)}", "records"),),
        ),
    ),
)
PROCESSES = Row(
    "Processes",
    (
        Panel(
            "CPU",
            "percentunit",
            "Part of one core that the process takes.",
            (Line(rate("process_cpu_seconds_total"), "{{service}}"),),
        ),
        Panel(
            "Memory",
            "bytes",
            "Resident memory of the process; natively much of it is shared with the others.",
            (Line(series("process_resident_memory_bytes"), "{{service}}"),),
        ),
        Panel(
            "Open files",
            "short",
            "File descriptors that the process has open.",
            (Line(series("process_open_fds"), "{{service}}"),),
        ),
    ),
)
STACK = Board(
    "qiki-stack",
    "QIKI: the stack",
    "Health of the services, and the flow of frames from the simulator to the tracks and of events to the audit log.",
    (HEALTH, FLOW, TROUBLE, AUDIT, PROCESSES),
)
