/** Messages as values. What is not as its schema says is counted and left out: the bus takes anything. */

import type {
  AgentState,
  AuditRecord,
  ControlAck,
  RadarDetection,
  RadarFrame,
  RadarTrack,
  ServiceHealth,
  SimOrder,
  SimRun,
  TelemetrySnapshot,
  TrackedFrame,
} from "../wire/payloads.ts";
import type { Happening, Order, Severity, Vector } from "../run/types.ts";
import { CODE, OWN_POSITION, OWN_VELOCITY, SEVERITY, TYPE_CONFIDENCE } from "../wire/topics.ts";
import {
  boolean,
  isObject,
  list,
  mapping,
  nullable,
  number,
  numbers,
  object,
  optional,
  string,
  upTo,
  type Check,
} from "./checks.ts";
import { count, header, text, type Raw } from "./head.ts";
import type { StoredMessage } from "./past.ts";

const KIND = "qiki.events.v1.";
const SEVERITIES: readonly string[] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
const WHOLE = upTo(Number.MAX_SAFE_INTEGER);

const time: Check = (value) => typeof value === "string" && !Number.isNaN(Date.parse(value));
const vector = object({ x: number, y: number, z: number });
const identity = {
  transponder_on: optional(boolean),
  transponder_mode: optional(upTo(3)),
  transponder_id: optional(nullable(string)),
  range_band: optional(upTo(2)),
  id_present: optional(nullable(boolean)),
};
const measured = {
  range_m: number,
  bearing_deg: number,
  elev_deg: number,
  vr_mps: number,
  snr_db: number,
  rcs_dbsm: number,
};
const detection = object({ ...measured, ...identity });
const frame = object({ detections: optional(list(isObject)) });
const track = object({
  ...measured,
  ...identity,
  track_id: string,
  object_type: optional(upTo(5)),
  iff: optional(upTo(3)),
  quality: optional(number),
  status: upTo(4),
  position: optional(nullable(vector)),
  velocity: optional(nullable(vector)),
  position_covariance: optional(nullable(numbers(6))),
  velocity_covariance: optional(nullable(numbers(6))),
  age_s: optional(number),
  miss_count: optional(number),
  timestamp: string,
});
const tracked = object({ run_id: string, frame: WHOLE, timestamp: time, tracks: WHOLE });
const telemetry = object({
  timestamp: string,
  ts_unix_ms: number,
  sim_state: object({
    running: boolean,
    paused: boolean,
    speed: number,
    tick: number,
    run_id: string,
    behind_s: number,
  }),
  position: vector,
  velocity: number,
  heading: number,
  attitude: object({ roll_rad: number, pitch_rad: number, yaw_rad: number }),
  battery: number,
  hull: object({ integrity: number }),
  power: object({
    soc_pct: number,
    power_in_w: number,
    power_out_w: number,
    bus_v: number,
    bus_a: number,
    sources_w: mapping(number),
    loads_w: mapping(number),
    supercap_soc_pct: number,
    dock_connected: boolean,
    nbl_active: boolean,
    load_shedding: boolean,
    shed_loads: list(string),
    faults: list(string),
  }),
  thermal: object({ nodes: list(object({ id: string, temp_c: number, t_max_c: number, tripped: boolean })) }),
  propulsion: object({ propellant_kg: number, rcs_active: boolean }),
  docking: object({ state: string, port: nullable(string) }),
  comms: object({ xpdr_mode: upTo(3), xpdr_allowed: boolean }),
  sensors: isObject,
});
const transition = object({
  timestamp: string,
  from_state: upTo(5),
  to_state: upTo(5),
  trigger_event: string,
  status: upTo(3),
});
const agentState = object({
  timestamp: string,
  conduct: string,
  tick: number,
  run_id: string,
  fsm: object({
    timestamp: string,
    current_state: upTo(5),
    history: list(transition),
    context_data: optional(mapping(string)),
    state_metadata: optional(mapping(string)),
    attempt_count: number,
  }),
  causes: list(string),
  good_checks: number,
  inputs: mapping(
    object({ subject: string, sequence: nullable(number), age_s: nullable(number), alive: boolean }),
  ),
  bios_ok: nullable(boolean),
  engines: mapping(object({ proposals: number, duration_s: number, fault: nullable(string) })),
  tracks: number,
  alerts: number,
});
const simRun = object({
  run_id: string,
  timestamp: time,
  scenario: isObject,
  seed: number,
  parameters: isObject,
  sr_threshold_m: number,
  speed: number,
});
const simOrder = object({
  run_id: string,
  tick: WHOLE,
  number: WHOLE,
  order: string,
  parameters: isObject,
  origin: string,
  sender: optional(string),
});
const health = object({
  timestamp: string,
  service: string,
  ready: boolean,
  status: string,
  waiting_for: optional(mapping(string)),
});
const auditRecord = object({ sequence: WHOLE, previous_hash: string, hash: string });
const acknowledgement = object({ ok: boolean, error: optional(nullable(string)) });

let left = 0;

/** Return how many messages could not be read since the page was opened. */
export function unreadable(): number {
  return left;
}

/** Return the value of a body; null, counted, if it is no JSON or does not pass. */
function read<T>(body: Uint8Array, check: Check): T | null {
  try {
    const value: unknown = JSON.parse(text(body));
    if (check(value)) return value as T;
  } catch {
    // Counted below, as what does not pass.
  }
  left++;
  return null;
}

type Bodied = Pick<Raw, "body">;

export const readTrack = (raw: Bodied): RadarTrack | null => read(raw.body, track);
export const readTracked = (raw: Bodied): TrackedFrame | null => read(raw.body, tracked);
export const readTelemetry = (raw: Bodied): TelemetrySnapshot | null => read(raw.body, telemetry);
export const readAgent = (raw: Bodied): AgentState | null => read(raw.body, agentState);
export const readRun = (raw: Bodied): SimRun | null => read(raw.body, simRun);
export const readHealth = (raw: Bodied): ServiceHealth | null => read(raw.body, health);
export const readAudit = (raw: Bodied): AuditRecord | null => read(raw.body, auditRecord);
export const readAnswer = (raw: Bodied): ControlAck | null => read(raw.body, acknowledgement);

/** Return the detections of a frame's message, without those that cannot be read. */
export function readPlots(raw: Bodied): RadarDetection[] {
  const plots = read<RadarFrame>(raw.body, frame)?.detections ?? [];
  const good = plots.filter(detection);
  left += plots.length - good.length;
  return good;
}

/** Return the vehicle's position and velocity in a frame's headers; the zero vector without them. */
export function ownState(head: string): { position: Vector; velocity: Vector } {
  return { position: triple(header(head, OWN_POSITION)), velocity: triple(header(head, OWN_VELOCITY)) };
}

function triple(value: string): Vector {
  const [x = NaN, y = NaN, z = NaN] = value.split(" ").map(Number);
  return Number.isFinite(x + y + z) && value ? [x, y, z] : [0, 0, 0];
}

/** Return an event; null, counted, if its body is no JSON object. */
export function readEvent(message: StoredMessage): Happening | null {
  const payload = read<Record<string, unknown>>(message.body, isObject);
  if (payload === null) return null;
  const { head, subject, sequence, storedAt } = message;
  const severity = header(head, SEVERITY);
  const time = Date.parse(header(head, "ce-time"));
  const kind = header(head, "ce-type") || subject;
  return {
    id: unescaped(header(head, "ce-id")) || String(sequence),
    code: count(head, CODE) || 0,
    severity: SEVERITIES.includes(severity) ? (severity as Severity) : "INFO",
    kind: kind.startsWith(KIND) ? kind.slice(KIND.length) : kind,
    subject,
    source: unescaped(header(head, "ce-source")),
    time: Number.isNaN(time) ? storedAt : time,
    sequence,
    storedAt,
    payload,
  };
}

/** Return an order; null, counted, if it cannot be read. */
export function readOrder({ body, head, sequence, storedAt }: StoredMessage): Order | null {
  const order = read<SimOrder>(body, simOrder);
  if (order === null) return null;
  const { run_id: run, tick, number, order: name, parameters, origin, sender = "" } = order;
  const time = Date.parse(header(head, "ce-time"));
  return { run, tick, number, name, parameters, origin, sender, time: Number.isNaN(time) ? storedAt : time, sequence, storedAt };
}

/** Return the probability of a track's kind in its headers; null without one. */
export function confidenceOf(head: string): number | null {
  const text = header(head, TYPE_CONFIDENCE);
  const value = Number(text);
  return text !== "" && value >= 0 && value <= 1 ? value : null;
}

/** Undo the percent encoding of CloudEvents' header values. */
function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
