/** The state of the plan view and the side view: one for all runs that are shown, so that they can be compared. */

import { computed, signal } from "@preact/signals";
import type { Moment } from "../run/types.ts";
import type { Size, Sight } from "./projection.ts";
import { around, DEFAULT_RADIUS, resized } from "./projection.ts";
import { positionOf } from "./symbols.ts";

/** The sight; 0 metres per pixel before a plan view has its size. */
export const sight = signal<Sight>({ metresPerPixel: 0, right: 0, up: 0, headingUp: false });

/** True while the vehicle's heading is up, also where it is not known. */
export const headingUp = computed(() => sight.value.headingUp);

/** The size of the plan view [px], and its name: the side view below it takes its radius from there. */
export const plan: { size: Size; name: string | null } = { size: { width: 600, height: 600 }, name: null };

/** Note the size of a plan view; the first one's keeps its radius in sight when it changes. */
export function resize(name: string, size: Size): void {
  if (!sight.peek().metresPerPixel) {
    plan.size = size;
    plan.name = name;
    sight.value = initial();
  }
  if (plan.name !== name || (plan.size.width === size.width && plan.size.height === size.height)) return;
  sight.value = resized(sight.peek(), plan.size, size);
  plan.size = size;
}

/** Return the sight that every view begins with. */
export function initial(size = plan.size, headingUp = false): Sight {
  return around({ metresPerPixel: 0, right: 0, up: 0, headingUp }, DEFAULT_RADIUS, size);
}

/** Return the sight that has all live tracks in it. */
export function fitted(before: Sight, moment: Moment, size: Size): Sight {
  const ranges = (moment.frame?.tracks ?? [])
    .filter((track) => track.status !== 3)
    .map((track) => Math.hypot(positionOf(track)[0], positionOf(track)[1]));
  return ranges.length ? around(before, Math.max(...ranges) * 1.12, size) : initial(size, before.headingUp);
}

/** Return the direction that is up: that of the vehicle where it is asked for and known, else north. */
export function turnOf(now: Sight, moment: Moment): number {
  return now.headingUp ? (moment.telemetry?.value.heading ?? 0) : 0;
}
