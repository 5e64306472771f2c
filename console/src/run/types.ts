/** The content of the page: one moment of a run. Everything drawn is a function of a `Moment`, live or past. */

import type {
  AgentState,
  RadarDetection,
  RadarTrack,
  ServiceHealth,
  SimRun,
  TelemetrySnapshot,
} from "../wire/payloads.ts";

/** East, north, up [m] or [m/s]. */
export type Vector = readonly [number, number, number];

/** A message's value, with its place in its stream. Times are Unix milliseconds by the broker's clock. */
export interface Stored<T> {
  readonly value: T;
  readonly sequence: number;
  readonly storedAt: number;
}

/** A radar frame whose tracks are complete. */
export interface Frame {
  readonly run: string;
  /** From 0 within its run, without a gap. */
  readonly number: number;
  /** Event time: simulated UTC, Unix milliseconds. */
  readonly time: number;
  /** Place of its notice in QIKI_TRACKER_V1: the place on the time bar. */
  readonly sequence: number;
  readonly storedAt: number;
  readonly tracks: readonly RadarTrack[];
  /** Detections of all bands, relative to the vehicle. Empty while the frame itself has not come. */
  readonly plots: readonly RadarDetection[];
  /** The vehicle in world axes [m], [m/s]. */
  readonly ownPosition: Vector;
  readonly ownVelocity: Vector;
  /** Sequences in QIKI_RADAR_V1 of what it is made of: the messages that a track rests on. */
  readonly sequences: { readonly frame: number | null; readonly tracks: ReadonlyMap<string, number> };
  /** Probabilities of the tracks' kinds, by track id; those without a kind have none. */
  readonly confidences: ReadonlyMap<string, number>;
}

export type Severity = "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL";

/** An event, or a record of the audit log. */
export interface Happening {
  readonly id: string;
  readonly code: number;
  readonly severity: Severity;
  /** `ce-type` without its prefix `qiki.events.v1.`, such as `Decision` or `RadarGuardAlert`. */
  readonly kind: string;
  readonly subject: string;
  readonly source: string;
  /** Event time, Unix milliseconds: simulated for events of the world, wall time for those of services. */
  readonly time: number;
  readonly sequence: number;
  readonly storedAt: number;
  /** As it came; a reader checks what it takes from it. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** An order that took effect in the simulation. */
export interface Order {
  readonly run: string;
  /** Ticks that were done before. */
  readonly tick: number;
  /** From 0 within its run, without a gap. */
  readonly number: number;
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The way on which it came: `control`, `grpc`, `scenario` or `fork`. */
  readonly origin: string;
  /** Empty: nobody, it is the scenario's. */
  readonly sender: string;
  /** Simulated UTC, Unix milliseconds. */
  readonly time: number;
  readonly sequence: number;
  readonly storedAt: number;
}

/** A place of a track in the past. World axes [m]; the trail is drawn relative to the vehicle's present place. */
export interface TrailPoint {
  readonly frame: number;
  readonly position: Vector;
}

/** A second of telemetry for the plots. */
export interface Reading {
  /** Simulated seconds since the run's first frame. */
  readonly seconds: number;
  readonly telemetry: TelemetrySnapshot;
  /** Distance to the nearest live track [m]; null without one. */
  readonly nearest: number | null;
}

/**
 * All that was known when a frame was the newest: everything stored before the notice of the next frame. The live
 * moment has everything that came.
 */
export interface Moment {
  readonly frame: Frame | null;
  /** Simulated seconds since the run's first frame. */
  readonly seconds: number;
  readonly telemetry: Stored<TelemetrySnapshot> | null;
  readonly agent: Stored<AgentState> | null;
  readonly description: Stored<SimRun> | null;
  readonly health: ReadonlyMap<string, Stored<ServiceHealth>>;
  /** Newest last, a few hundred at most, of any run: decisions, alerts, modes, refusals. Without audit records. */
  readonly events: readonly Happening[];
  /** Newest last, a few hundred at most, of the frame's run. */
  readonly orders: readonly Order[];
  readonly trails: ReadonlyMap<string, readonly TrailPoint[]>;
  /** Oldest first, some ten minutes of simulated time of this run. */
  readonly readings: readonly Reading[];
  /** The newest audit record, and whether the chain holds as far as the page has seen it. */
  readonly audit: { readonly sequence: number; readonly whole: boolean } | null;
  /** Broker's time of this moment, Unix milliseconds: ages are counted from it. Live: now. */
  readonly at: number;
}

export const NOTHING: Moment = {
  frame: null,
  seconds: 0,
  telemetry: null,
  agent: null,
  description: null,
  health: new Map(),
  events: [],
  orders: [],
  trails: new Map(),
  readings: [],
  audit: null,
  at: 0,
};
