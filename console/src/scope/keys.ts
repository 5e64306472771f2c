/** The keys of the plan view and the side view. */

import { chosenTrack } from "../run/choice.ts";
import type { Moment } from "../run/types.ts";
import { panned, zoomed, type Sight, type Size } from "./projection.ts";
import { fitted, initial, plan, sight } from "./sight.ts";
import { nearestFirst } from "./symbols.ts";

const STEP = 60;
const CLOSER = 1.35;

const KEYS: Readonly<Record<string, (now: Sight, size: Size, moment: Moment) => Sight>> = {
  "+": (now, size) => zoomed(now, CLOSER, size),
  "=": (now, size) => zoomed(now, CLOSER, size),
  "-": (now, size) => zoomed(now, 1 / CLOSER, size),
  ArrowLeft: (now) => panned(now, STEP, 0),
  ArrowRight: (now) => panned(now, -STEP, 0),
  ArrowUp: (now) => panned(now, 0, STEP),
  ArrowDown: (now) => panned(now, 0, -STEP),
  "0": (now, size) => initial(size, now.headingUp),
  f: (now, size, moment) => fitted(now, moment, size),
  h: (now) => ({ ...now, headingUp: !now.headingUp }),
};

/** Change the sight, once there is one. */
export function look(change: (now: Sight, size: Size) => Sight): void {
  const now = sight.peek();
  if (now.metresPerPixel) sight.value = change(now, plan.size);
}

/** Obey a key; false if it means nothing here. */
export function press(key: string, moment: Moment): boolean {
  const change = KEYS[key];
  if (change) look((now, size) => change(now, size, moment));
  else if (key === "n" || key === "p") choose(moment, key === "n" ? 1 : -1);
  else if (key === "Escape") chosenTrack.value = null;
  else return false;
  return true;
}

/** Choose the next or the previous track, in the order of their ranges. */
function choose(moment: Moment, step: 1 | -1): void {
  const ids = nearestFirst(moment).map((track) => track.track_id);
  const at = ids.indexOf(chosenTrack.peek() ?? "");
  const next = at < 0 ? (step > 0 ? 0 : ids.length - 1) : (at + step + ids.length) % ids.length;
  chosenTrack.value = ids[next] ?? null;
}
