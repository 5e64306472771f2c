// Subjects, streams and headers of the wire (docs/wire.md).

export const FRAMES = "qiki.radar.v1.frames";
export const TRACKS = "qiki.radar.v1.tracks";
export const TRACKED = "qiki.tracker.v1.frames";
export const EVENTS = "qiki.events.v1.>";
export const AUDIT = "qiki.events.v1.audit";
export const TELEMETRY = "qiki.telemetry";
export const AGENT_STATE = "qiki.agent.v1.state";
export const RUNS = "qiki.sim.v1.runs";
export const ORDERS = "qiki.sim.v1.orders";
export const HEALTH = "qiki.health.v1.>";
export const COMMANDS = "qiki.commands.control";
export const RESPONSES = "qiki.responses.control";

export const RADAR_STREAM = "QIKI_RADAR_V1";
export const TRACKER_STREAM = "QIKI_TRACKER_V1";
export const EVENTS_STREAM = "QIKI_EVENTS_V1";
export const STATE_STREAM = "QIKI_STATE_V1";

export const RUN = "x-qiki-run";
export const FRAME = "x-qiki-frame";
export const OWN_POSITION = "x-qiki-own-position";
export const OWN_VELOCITY = "x-qiki-own-velocity";
export const CODE = "x-qiki-code";
export const SEVERITY = "x-qiki-severity";
export const TYPE_CONFIDENCE = "x-qiki-type-confidence";
