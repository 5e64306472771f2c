/** Geometry of one track: closest approach, uncertainty, and its range over time. */

import type { Reading, TrailPoint, Vector } from "../../run/types.ts";
import type { RadarTrack, Vector as Axes } from "../../wire/payloads.ts";

export interface Approach {
  /** Smallest distance [m], if both go on as now. */
  readonly distance: number;
  /** Until then [s]; not above 0: it is over. */
  readonly seconds: number;
}

/** Return the closest approach by the present relative velocity; null for a track without, or at rest. */
export function closestApproach(track: RadarTrack): Approach | null {
  const { position, velocity } = track;
  if (!position || !velocity) return null;
  const speed2 = dot(velocity, velocity);
  if (speed2 < 1e-6) return null;
  const seconds = -dot(position, velocity) / speed2;
  const at = (axis: "x" | "y" | "z") => position[axis] + velocity[axis] * seconds;
  return { distance: Math.hypot(at("x"), at("y"), at("z")), seconds };
}

function dot(a: Axes, b: Axes): number {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

/** Return the standard deviations of the three axes, from an upper triangle xx, xy, xz, yy, yz, zz. */
export function sigmas(covariance: readonly number[] | null | undefined): Vector | null {
  if (covariance?.length !== 6) return null;
  const root = (index: number) => Math.sqrt(Math.max(0, covariance[index] ?? 0));
  return [root(0), root(3), root(5)];
}

export interface RangeAt {
  readonly seconds: number;
  readonly range: number;
}

/** Return a track's range over time: its trail from where the vehicle was then, by its telemetry. */
export function rangeHistory(
  trail: readonly TrailPoint[],
  readings: readonly Reading[],
  rate: number,
  own: Vector,
): readonly RangeAt[] {
  return trail.map(({ frame, position }) => {
    const seconds = frame / rate;
    const from = ownAt(readings, seconds, own);
    const range = Math.hypot(position[0] - from[0], position[1] - from[1], position[2] - from[2]);
    return { seconds, range };
  });
}

/** Return the vehicle's place at a time, between two readings; behind the newest one its present place. */
function ownAt(readings: readonly Reading[], seconds: number, own: Vector): Vector {
  const after = readings.findIndex((reading) => reading.seconds >= seconds);
  const next = readings[after];
  if (!next) return own;
  const before = readings[after - 1] ?? next;
  const whole = next.seconds - before.seconds;
  const share = whole > 0 ? (seconds - before.seconds) / whole : 0;
  const from = before.telemetry.position;
  const to = next.telemetry.position;
  const between = (axis: "x" | "y" | "z") => from[axis] + (to[axis] - from[axis]) * share;
  return [between("x"), between("y"), between("z")];
}
