/** A view without a broker, at a moment with eight tracks. */

import { signal } from "@preact/signals";
import { NOTHING, type Frame, type Happening, type Moment, type Order } from "../../src/run/types.ts";
import type { Answer, Clock, ClockState, LinkState, View } from "../../src/run/view.ts";
import type { RadarTrack, TelemetrySnapshot } from "../../src/wire/payloads.ts";

export const RUN = "deaea8d5-4725-4043-b461-3a2aa7f06db9";
export const AT = Date.UTC(2026, 11, 1, 4, 6);
const EPOCH = Date.UTC(2026, 0, 1);

export function track(index: number, more: Partial<RadarTrack> = {}): RadarTrack {
  return {
    track_id: `${index}0000000-0000-5000-8000-000000000000`,
    object_type: 1,
    iff: 3,
    status: 2,
    quality: 0.9,
    range_m: 100 * (index + 1),
    bearing_deg: 10 * index,
    elev_deg: 0,
    vr_mps: -index,
    snr_db: 20,
    rcs_dbsm: 1,
    position: { x: 100 * (index + 1), y: 0, z: 0 },
    velocity: { x: -index, y: 0, z: 0 },
    age_s: index,
    timestamp: "2026-01-01T00:00:01.000000Z",
    ...more,
  };
}

export const TRACKS: readonly RadarTrack[] = [
  track(0),
  track(1, { iff: 1, transponder_id: "SHP-ALBA", object_type: 2 }),
  track(2, { iff: 2, transponder_id: "SHP-VIPER", object_type: 2 }),
  track(3, { transponder_mode: 3, transponder_id: "SHP-ALBA" }),
  track(4, { status: 4 }),
  track(5, { iff: 1 }),
  track(6, { object_type: 4 }),
  track(7, { object_type: 0 }),
];

export function frame(more: Partial<Frame> = {}): Frame {
  return {
    run: RUN,
    number: 9,
    time: EPOCH + 1000,
    sequence: 10,
    storedAt: AT - 100,
    tracks: TRACKS,
    plots: [],
    ownPosition: [0, 0, 0],
    ownVelocity: [0, 0, 0],
    confidences: new Map([[TRACKS[1]?.track_id ?? "", 0.97]]),
    sequences: { frame: 100, tracks: new Map(TRACKS.map((one, index) => [one.track_id, 101 + index])) },
    ...more,
  };
}

export function telemetry(state: Partial<TelemetrySnapshot["sim_state"]> = {}): TelemetrySnapshot {
  return {
    source: "q_sim_service",
    timestamp: "2026-01-01T00:00:01.000000Z",
    ts_unix_ms: EPOCH + 1000,
    sim_state: { running: true, paused: false, speed: 1, tick: 20, run_id: RUN, behind_s: 0, ...state },
    position: { x: 0, y: 0, z: 0 },
    velocity: 0,
    heading: 0,
    attitude: { roll_rad: 0, pitch_rad: 0, yaw_rad: 0 },
    battery: 80,
    hull: { integrity: 100 },
    power: {
      soc_pct: 80,
      power_in_w: 120,
      power_out_w: 110,
      bus_v: 27,
      bus_a: 4,
      sources_w: {},
      loads_w: {},
      supercap_soc_pct: 70,
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
  };
}

export function moment(more: Partial<Moment> = {}): Moment {
  const stored = { sequence: 1, storedAt: AT - 500 };
  return { ...NOTHING, frame: frame(), seconds: 0.9, at: AT, telemetry: { ...stored, value: telemetry() }, ...more };
}

export function happening(kind: string, code: number, payload: Happening["payload"], more: Partial<Happening> = {}): Happening {
  return {
    id: `${kind} ${code}`,
    code,
    severity: "INFO",
    kind,
    subject: "qiki.events.v1.x",
    source: "urn:qiki:q-sim-service:world",
    time: EPOCH,
    sequence: 1,
    storedAt: AT,
    payload,
    ...more,
  };
}

export function order(number: number, more: Partial<Order> = {}): Order {
  return {
    run: RUN,
    tick: 20 * number,
    number,
    name: "xpdr.mode",
    parameters: { mode: 2 },
    origin: "control",
    sender: "operator_page",
    time: EPOCH + 1000 * number,
    sequence: 50 + number,
    storedAt: AT,
    ...more,
  };
}

interface Options {
  readonly operator?: boolean;
  readonly played?: boolean;
  readonly moment?: Moment;
  readonly clock?: Partial<ClockState>;
  readonly refuse?: Readonly<Record<string, string>>;
  readonly messages?: Readonly<Record<string, Awaited<ReturnType<View["message"]>>>>;
}

/** A view that keeps what it was asked for. */
export class FakeView implements View {
  readonly name = "";
  readonly played: boolean;
  readonly moment;
  readonly link;
  readonly answers = signal<readonly Answer[]>([]);
  readonly sent: (readonly [string, unknown])[] = [];
  readonly went: string[] = [];
  readonly state;
  readonly clock: Clock;

  constructor(private readonly options: Options = {}) {
    this.played = options.played ?? false;
    this.moment = signal(options.moment ?? moment());
    const who = options.operator ? "operator" : "viewer";
    this.link = signal<LinkState>({ state: "open", who, since: null, reason: "", until: null });
    const span = { oldest: 1, newest: 101, runs: [{ sequence: 1, run: RUN, scenario: "mixed-traffic" }], orders: [] };
    this.state = signal<ClockState>({ mode: "live", place: 101, rate: 1, reading: false, span, ...options.clock });
    const go = (way: string) => void this.went.push(way);
    this.clock = {
      state: this.state,
      live: () => go("live"),
      goTo: (place) => go(`place ${place}`),
      goToFrame: (run, number) => Promise.resolve(go(`frame ${number} of ${run.slice(0, 8)}`)).then(() => true),
      step: (frames) => go(`step ${frames}`),
      replay: (rate) => go(`replay ${rate}`),
      stop: () => go("stop"),
    };
  }

  command(name: string, parameters: Readonly<Record<string, unknown>>): Promise<Answer> {
    this.sent.push([name, parameters]);
    const reason = this.options.refuse?.[name] ?? "";
    const answer = { command: name, ok: !reason, reason, at: AT };
    this.answers.value = [answer, ...this.answers.value];
    return Promise.resolve(answer);
  }

  message(stream: string, sequence: number): ReturnType<View["message"]> {
    return Promise.resolve(this.options.messages?.[`${stream} ${sequence}`] ?? null);
  }
}
