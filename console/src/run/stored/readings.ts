/** Telemetry of the last minutes for the plots, with the distance to the nearest track. */

import { readTelemetry } from "../../broker/decode.ts";
import type { Past, StoredMessage } from "../../broker/past.ts";
import type { RadarTrack, SimRun, TelemetrySnapshot } from "../../wire/payloads.ts";
import { STATE_STREAM, TELEMETRY } from "../../wire/topics.ts";
import { LOST } from "../live/trails.ts";
import type { Frame, Reading, Stored } from "../types.ts";
import { Window, type Part } from "./window.ts";

/** Simulated time that the readings go back [ms]. */
export const SPAN_MS = 600_000;
/** Readings at most. */
export const MOST = 1200;
const DEPTH = 2400;
const BATCH = 256;
const NEAREST_KEPT = 4000;
const DEFAULT_RATE_HZ = 10;

export type StoredTelemetry = Stored<TelemetrySnapshot>;

/** Read telemetry as a window of QIKI_STATE_V1. */
export function telemetryWindow(past: Past): Window<StoredTelemetry> {
  return new Window(DEPTH, async (from, to): Promise<Part<StoredTelemetry>> => {
    const items: StoredTelemetry[] = [];
    for (let seq = from; seq <= to; ) {
      const { messages, pending } = await past.get(STATE_STREAM, { seq, next_by_subj: TELEMETRY, batch: BATCH });
      items.push(...messages.map(telemetryOf).filter((one) => one !== null));
      const last = messages.at(-1);
      if (last === undefined || pending === 0) return { items, to: Math.max(to, last?.sequence ?? 0) };
      seq = last.sequence + 1;
    }
    return { items, to: Math.max(to, items.at(-1)?.sequence ?? 0) };
  });
}

export function telemetryOf(message: StoredMessage): StoredTelemetry | null {
  return storedAs(message, readTelemetry(message));
}

/** Put a value into the place of its message. */
export function storedAs<T>(message: StoredMessage, value: T | null): Stored<T> | null {
  return value === null ? null : { value, sequence: message.sequence, storedAt: message.storedAt };
}

/** Distances to the nearest live track, by run and second of simulated time: of all frames that were decoded. */
export class Nearest {
  readonly #ranges = new Map<string, number | null>();

  add(frame: Pick<Frame, "run" | "time" | "tracks">): void {
    const key = keyOf(frame.run, frame.time);
    this.#ranges.delete(key);
    this.#ranges.set(key, nearestOf(frame.tracks));
    const oldest = this.#ranges.keys().next();
    if (this.#ranges.size > NEAREST_KEPT && !oldest.done) this.#ranges.delete(oldest.value);
  }

  at(run: string, time: number): number | null {
    return this.#ranges.get(keyOf(run, time)) ?? this.#ranges.get(keyOf(run, time - 1000)) ?? null;
  }

  /** Return whether a frame of that second was seen. */
  has(run: string, time: number): boolean {
    return this.#ranges.has(keyOf(run, time));
  }
}

function keyOf(run: string, time: number): string {
  return `${run}/${Math.floor(time / 1000)}`;
}

/** Return the range of the nearest live track [m]; null without one. */
function nearestOf(tracks: readonly RadarTrack[]): number | null {
  const ranges = tracks.filter(({ status }) => status !== LOST).map(({ range_m }) => range_m);
  return ranges.length > 0 ? Math.min(...ranges) : null;
}

/** Return the readings of a run up to the newest telemetry, which is the last. */
export function readingsOf(
  telemetry: readonly StoredTelemetry[],
  run: string,
  begin: number,
  nearest: Nearest,
): Reading[] {
  const ofRun = telemetry.filter(({ value }) => value.sim_state.run_id === run);
  const newest = ofRun.at(-1)?.value.ts_unix_ms ?? 0;
  const byTime = new Map<number, TelemetrySnapshot>(); // Paused, the same comes again.
  for (const { value } of ofRun) if (value.ts_unix_ms >= newest - SPAN_MS) byTime.set(value.ts_unix_ms, value);
  return [...byTime.values()].slice(-MOST).map((value) => readingOf(value, begin, nearest));
}

export function readingOf(telemetry: TelemetrySnapshot, begin: number, nearest: Nearest): Reading {
  const { sim_state, ts_unix_ms } = telemetry;
  const range = nearest.at(sim_state.run_id, ts_unix_ms);
  return { seconds: (ts_unix_ms - begin) / 1000, telemetry, nearest: range };
}

/** Return the time from a run's frame to the next [ms]. */
export function periodOf(description: SimRun | null): number {
  const rate = description?.scenario["frame_rate_hz"];
  return 1000 / (typeof rate === "number" && rate > 0 ? rate : DEFAULT_RATE_HZ);
}

/** Return the event time of a run's first frame, Unix milliseconds, by any frame of it, or by its description. */
export function beginOf(frame: Pick<Frame, "time" | "number"> | null, description: SimRun | null): number {
  const period = periodOf(description);
  if (frame !== null) return frame.time - frame.number * period;
  return description === null ? NaN : Date.parse(description.timestamp) + period;
}
