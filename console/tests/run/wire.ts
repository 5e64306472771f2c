/** Messages of the wire, and streams in memory that answer as the broker does. */

import type { Raw } from "../../src/broker/head.ts";
import type { Batch, Past, Query, StoredMessage, StreamState } from "../../src/broker/past.ts";
import type { RadarTrack } from "../../src/wire/payloads.ts";
import { AUDIT, FRAMES, ORDERS, TELEMETRY, TRACKED, TRACKS } from "../../src/wire/topics.ts";

export const RUN_A = "aaaaaaaa-0000-4000-8000-000000000001";
export const RUN_B = "bbbbbbbb-0000-4000-8000-000000000002";
export const EPOCH = Date.parse("2026-01-01T00:00:00Z");
/** Storing time of frame 0. */
export const STORED = Date.parse("2026-12-01T12:00:00Z");

const ENCODER = new TextEncoder();

export function raw(subject: string, headers: Readonly<Record<string, string | number>>, body: unknown): Raw {
  const rows = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { subject, head: rows.length ? `NATS/1.0\r\n${rows.join("")}\r\n` : "", body: ENCODER.encode(text) };
}

export function iso(time: number): string {
  return new Date(time).toISOString();
}

export function frameTime(number: number): number {
  return EPOCH + 100 * (number + 1);
}

export function trackValue(id: string, number: number, change: Partial<RadarTrack> = {}): RadarTrack {
  return {
    track_id: id,
    status: 2,
    range_m: 100 + number,
    bearing_deg: 90,
    elev_deg: 0,
    vr_mps: 1,
    snr_db: 20,
    rcs_dbsm: 0,
    position: { x: 100 + number, y: 0, z: 0 },
    velocity: { x: 10, y: 0, z: 0 },
    position_covariance: [1, 0, 0, 1, 0, 1],
    velocity_covariance: null,
    timestamp: iso(frameTime(number)),
    ...change,
  };
}

export function track(
  run: string,
  number: number,
  id: string,
  change: Partial<RadarTrack> = {},
  more: Readonly<Record<string, string>> = {},
): Raw {
  const headers = { "Nats-Msg-Id": `${run}:${number}:${id}`, "x-qiki-run": run, "x-qiki-frame": number, ...more };
  return raw(TRACKS, headers, trackValue(id, number, change));
}

export function frame(run: string, number: number, plots = 1, own = "1.0 2.0 3.0"): Raw {
  const headers = {
    "Nats-Msg-Id": `${run}:${number}`,
    "x-qiki-run": run,
    "x-qiki-frame": number,
    "x-qiki-own-position": own,
    "x-qiki-own-velocity": "10.0 0.0 0.0",
  };
  const plot = { range_m: 1, bearing_deg: 2, elev_deg: 3, vr_mps: 4, snr_db: 5, rcs_dbsm: 6 };
  const detections = Array.from({ length: plots }, () => plot);
  return raw(FRAMES, headers, { frame_id: "", sensor_id: "", timestamp: iso(frameTime(number)), detections });
}

export function notice(run: string, number: number, tracks: number, radarSequence?: number): Raw {
  const headers = {
    "Nats-Msg-Id": `${run}:${number}:tracked`,
    "x-qiki-run": run,
    "x-qiki-frame": number,
    ...(radarSequence === undefined ? {} : { "x-qiki-seq": radarSequence }),
  };
  const body = { run_id: run, frame_id: "", frame: number, timestamp: iso(frameTime(number)), tracks };
  return raw(TRACKED, headers, body);
}

export function telemetry(run: string, time: number, change: Readonly<Record<string, unknown>> = {}): Raw {
  return raw(TELEMETRY, {}, {
    source: "q_sim_service",
    timestamp: iso(time),
    ts_unix_ms: time,
    sim_state: { running: true, paused: false, speed: 1, tick: 0, run_id: run, behind_s: 0 },
    position: { x: 0, y: 0, z: 0 },
    velocity: 0,
    heading: 0,
    attitude: { roll_rad: 0, pitch_rad: 0, yaw_rad: 0 },
    battery: 80,
    hull: { integrity: 100 },
    power: {
      soc_pct: 80,
      power_in_w: 1,
      power_out_w: 1,
      bus_v: 1,
      bus_a: 1,
      sources_w: { base: 1 },
      loads_w: {},
      supercap_soc_pct: 1,
      dock_connected: false,
      nbl_active: false,
      load_shedding: false,
      shed_loads: [],
      faults: [],
    },
    thermal: { nodes: [{ id: "core", temp_c: 20, t_max_c: 90, tripped: false }] },
    propulsion: { propellant_kg: 12, rcs_active: false },
    docking: { state: "undocked", port: null },
    comms: { xpdr_mode: 1, xpdr_allowed: true },
    sensors: {},
    ...change,
  });
}

export function description(run: string, name = "crossing"): Raw {
  return raw("qiki.sim.v1.runs", { "x-qiki-run": run }, {
    run_id: run,
    timestamp: iso(EPOCH),
    scenario: { name, frame_rate_hz: 10 },
    seed: 1,
    parameters: {},
    sr_threshold_m: 5000,
    speed: 1,
  });
}

export function order(run: string, number: number, tick: number, change: Readonly<Record<string, unknown>> = {}): Raw {
  const headers = { "Nats-Msg-Id": `${run}:order:${number}`, "ce-time": iso(EPOCH + 50 * tick), "x-qiki-run": run };
  const body = { run_id: run, tick, number, order: "xpdr.mode", parameters: { mode: "ON" }, origin: "control" };
  return raw(ORDERS, headers, { ...body, ...change });
}

export function event(kind: string, time: number, payload: unknown = {}, severity = "INFO"): Raw {
  const headers = {
    "ce-id": `${kind}%20${time}`,
    "ce-type": `qiki.events.v1.${kind}`,
    "ce-source": "urn:qiki:test",
    "ce-time": iso(time),
    "x-qiki-code": 802,
    "x-qiki-severity": severity,
  };
  return raw(`qiki.events.v1.${kind.toLowerCase()}`, headers, payload);
}

export function record(sequence: number, hash = `h${sequence}`, previous = `h${sequence - 1}`): Raw {
  return raw(AUDIT, {}, { sequence, hash, previous_hash: previous });
}

export function stored(message: Raw, sequence: number, storedAt: number): StoredMessage {
  return { ...message, sequence, storedAt, stamp: iso(storedAt) };
}

/** Streams in memory, with the queries that the page makes. */
export class Streams {
  readonly messages = new Map<string, StoredMessage[]>();
  readonly queries: { stream: string; query: Query }[] = [];
  created = "once";
  /** Waits before each answer; a test may hold it. */
  gate: Promise<void> = Promise.resolve();

  put(stream: string, message: Raw, storedAt: number): StoredMessage {
    const all = this.messages.get(stream) ?? [];
    const one = stored(message, (all.at(-1)?.sequence ?? 0) + 1, storedAt);
    this.messages.set(stream, [...all, one]);
    return one;
  }

  /** Answer instead of a broker. */
  answerFor(past: Past): void {
    Object.assign(past, {
      get: this.get.bind(this),
      one: this.one.bind(this),
      info: this.info.bind(this),
    });
  }

  get past(): Past {
    return this as unknown as Past;
  }

  async get(stream: string, query: Query): Promise<Batch> {
    this.queries.push({ stream, query });
    await this.gate;
    return answer(this.messages.get(stream) ?? [], query);
  }

  async one(stream: string, query: Query): Promise<StoredMessage | null> {
    return (await this.get(stream, query)).messages[0] ?? null;
  }

  info(stream: string): Promise<StreamState> {
    const all = this.messages.get(stream) ?? [];
    const subjects = [...new Set(all.map(({ subject }) => subject))];
    const first = all[0]?.sequence ?? 1;
    const last = all.at(-1)?.sequence ?? 0;
    return Promise.resolve({ created: this.created, first, last, subjects, offset: 0 });
  }
}

function answer(all: readonly StoredMessage[], query: Query): Batch {
  const { seq, start_time, next_by_subj, last_by_subj, multi_last, up_to_time, batch } = query;
  const until = up_to_time === undefined ? Infinity : Date.parse(up_to_time);
  const before = all.filter(({ storedAt }) => storedAt < until);
  if (multi_last !== undefined) {
    const last = new Map<string, StoredMessage>();
    const wanted = before.filter(({ subject }) => multi_last.some((pattern) => matches(pattern, subject)));
    for (const one of wanted) last.set(one.subject, one);
    const messages = [...last.values()].sort((one, other) => one.sequence - other.sequence);
    return { messages, pending: 0, upTo: messages.length > 0 ? (before.at(-1)?.sequence ?? 0) : 0 };
  }
  if (last_by_subj !== undefined) {
    return { messages: all.filter(({ subject }) => subject === last_by_subj).slice(-1), pending: 0, upTo: 0 };
  }
  if (batch === undefined) return { messages: all.filter(({ sequence }) => sequence === seq), pending: 0, upTo: 0 };
  const from = start_time === undefined ? -Infinity : Date.parse(start_time);
  const found = all.filter(
    (one) =>
      one.sequence >= (seq ?? 1) && one.storedAt >= from && (!next_by_subj || matches(next_by_subj, one.subject)),
  );
  return { messages: found.slice(0, batch), pending: Math.max(0, found.length - batch), upTo: 0 };
}

function matches(pattern: string, subject: string): boolean {
  return pattern.endsWith(">") ? subject.startsWith(pattern.slice(0, -1)) : pattern === subject;
}
