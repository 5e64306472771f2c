/** Invented moments for the tests of the scope. */

import { NOTHING, type Moment, type TrailPoint, type Vector } from "../../src/run/types.ts";
import type { RadarDetection, RadarTrack, TelemetrySnapshot } from "../../src/wire/payloads.ts";
import { bearingOf } from "../../src/scope/projection.ts";
import { scopeEn } from "../../src/text/scope.ts";
import type { Text } from "../../src/scope/format.ts";

export const AT = Date.UTC(2031, 0, 1);

/** English texts. */
export const text: Text = (key, values = {}) =>
  ((scopeEn as Record<string, string>)[key] ?? key).replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

export const measure = (words: string): number => words.length * 6.6;

/** Return a tracked, unknown contact at a place [m], at rest. */
export function track(id: string, [x, y, z]: Vector, more: Partial<RadarTrack> = {}): RadarTrack {
  const range = Math.hypot(x, y, z);
  return {
    track_id: id,
    status: 2,
    iff: 3,
    range_m: range,
    bearing_deg: bearingOf(x, y),
    elev_deg: (Math.asin(z / (range || 1)) * 180) / Math.PI,
    vr_mps: 0,
    snr_db: 20,
    rcs_dbsm: 3,
    quality: 0.99,
    position: { x, y, z },
    velocity: { x: 0, y: 0, z: 0 },
    position_covariance: [100, 0, 0, 100, 0, 100],
    timestamp: "2031-01-01T00:00:00.000000Z",
    transponder_mode: 0,
    ...more,
  };
}

export function telemetry(more: Partial<TelemetrySnapshot> = {}): TelemetrySnapshot {
  return {
    source: "q_sim_service",
    timestamp: "2031-01-01T00:00:00.000000Z",
    ts_unix_ms: AT,
    sim_state: { running: true, paused: false, speed: 1, tick: 600, run_id: "run", behind_s: 0 },
    position: { x: 0, y: 0, z: 0 },
    velocity: 0,
    heading: 0,
    attitude: { roll_rad: 0, pitch_rad: 0, yaw_rad: Math.PI / 2 },
    battery: 80,
    hull: { integrity: 100 },
    power: {} as TelemetrySnapshot["power"],
    thermal: { nodes: [] },
    propulsion: { propellant_kg: 20, rcs_active: false },
    docking: { state: "free", port: null },
    comms: { xpdr_mode: 1, xpdr_allowed: true },
    sensors: {},
    ...more,
  };
}

/** Return a moment of some tracks; `more` replaces its parts. */
export function moment(tracks: readonly RadarTrack[], more: Partial<Moment> & { own?: Vector; speed?: Vector; plots?: readonly RadarDetection[] } = {}): Moment {
  const { own = [0, 0, 0], speed = [0, 0, 0], plots = [], ...parts } = more;
  return {
    ...NOTHING,
    frame: {
      run: "run",
      number: 300,
      time: AT,
      sequence: 301,
      storedAt: AT,
      tracks,
      plots,
      ownPosition: own,
      ownVelocity: speed,
      sequences: { frame: 1, tracks: new Map() },
      confidences: new Map(),
    },
    seconds: 30,
    telemetry: { value: telemetry(), sequence: 1, storedAt: AT },
    at: AT + 100,
    ...parts,
  };
}

/** Return numbers in [0, 1), the same ones for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Return a moment of many tracks with trails and plots, which has moved on by some seconds. */
export function crowd(count: number, seconds = 30, seed = 7): Moment {
  const next = random(seed);
  const trails = new Map<string, TrailPoint[]>();
  const own: Vector = [12 * seconds, 20 * seconds, 0];
  const number = 300 + Math.round(seconds * 10);
  const tracks = Array.from({ length: count }, (_, index) => {
    const [bearing, range, course, speed] = [next() * 2 * Math.PI, 300 + 6500 * next() ** 0.7, next() * 2 * Math.PI, 5 + 60 * next()];
    const start: Vector = [range * Math.sin(bearing), range * Math.cos(bearing), (next() - 0.4) * 600];
    const velocity: Vector = [speed * Math.sin(course), speed * Math.cos(course), (next() - 0.5) * 4];
    const bend = (next() - 0.5) * 0.02;
    const placeAt = (t: number): Vector => [start[0] + velocity[0] * t + bend * 20 * t * t, start[1] + velocity[1] * t, start[2] + velocity[2] * t];
    const id = `${(index * 2654435761 >>> 0).toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;
    trails.set(id, Array.from({ length: 30 }, (_, back) => ({ frame: number - 145 + 5 * back, position: placeAt(seconds - 14.5 + back / 2) })));
    const now = placeAt(seconds);
    const [side, state, false_] = [next(), next(), next()];
    const sigma = 2 + (range / 1000) ** 1.4 * 6 * (0.5 + next());
    const across = sigma * (2 + 4 * next());
    const [s, c] = [Math.sin(bearing), Math.cos(bearing)];
    return track(id, [now[0] - own[0], now[1] - own[1], now[2]], {
      iff: side < 0.3 ? 1 : side < 0.5 ? 2 : 3,
      status: state < 0.78 ? 2 : state < 0.86 ? 4 : state < 0.95 ? 1 : 3,
      transponder_mode: false_ < 0.05 ? 3 : side < 0.4 ? 1 : 0,
      transponder_id: false_ < 0.05 ? "SHP-ALBA" : side < 0.4 ? `SHP-${String(index).padStart(4, "0")}` : null,
      velocity: { x: velocity[0] + bend * 40 * seconds - 12, y: velocity[1] - 20, z: velocity[2] },
      position_covariance: [sigma ** 2 * s * s + across ** 2 * c * c, (sigma ** 2 - across ** 2) * s * c, 0, sigma ** 2 * c * c + across ** 2 * s * s, 0, across ** 2],
    });
  });
  const plots = tracks.flatMap((one): RadarDetection[] =>
    next() < 0.85 ? [{ range_m: one.range_m + (next() - 0.5) * 30, bearing_deg: one.bearing_deg + (next() - 0.5), elev_deg: one.elev_deg, vr_mps: 0, snr_db: 10, rcs_dbsm: 0 }] : [],
  );
  for (let index = 0; index < count / 5; index++)
    plots.push({ range_m: 9000 * Math.sqrt(next()), bearing_deg: next() * 360, elev_deg: 0, vr_mps: 0, snr_db: 10, rcs_dbsm: 0 });
  const base = moment(tracks, { own, speed: [12, 20, 0], plots, trails, seconds });
  const at = AT + seconds * 1000;
  return {
    ...base,
    frame: base.frame && { ...base.frame, number, storedAt: at },
    at: at + 50,
    telemetry: { value: telemetry({ heading: 31, propulsion: { propellant_kg: 18, rcs_active: true } }), sequence: 1, storedAt: at },
    readings: [
      { seconds: seconds - 1.2, nearest: null, telemetry: telemetry({ position: { x: own[0] - 14.3, y: own[1] - 23.9, z: 0 } }) },
      { seconds: seconds - 0.2, nearest: null, telemetry: telemetry({ position: { x: own[0] - 2.4, y: own[1] - 4, z: 0 } }) },
    ],
  };
}
