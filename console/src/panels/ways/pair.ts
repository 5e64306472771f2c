/** Two runs side by side: they show the same frame, and what differs in it is marked. */

import { effect, untracked } from "@preact/signals";
import type { Frame } from "../../run/types.ts";
import type { View } from "../../run/view.ts";
import type { RadarTrack } from "../../wire/payloads.ts";
import { clip } from "../values/format.ts";

/** Ids differ between runs with other ids; then a track is the one at the same place. */
const SAME_PLACE_M = 50;
const COMPARED = [
  "status",
  "iff",
  "object_type",
  "transponder_mode",
  "transponder_id",
  "range_m",
  "bearing_deg",
  "elev_deg",
  "vr_mps",
  "quality",
] as const satisfies readonly (keyof RadarTrack)[];

/** Return the names of runs without their folders, where these are not needed to tell them apart. */
export function shownNames(views: readonly View[]): readonly string[] {
  const short = views.map((view) => clip(view.name.split("/").at(-1) ?? "", 40));
  return new Set(short).size === views.length ? short : views.map((view) => clip(view.name, 80));
}

export interface Difference {
  /** Tracks that only one of them has. */
  readonly onlyA: ReadonlySet<string>;
  readonly onlyB: ReadonlySet<string>;
  /** Tracks of both whose values differ, by their id in A. */
  readonly changed: ReadonlySet<string>;
}

/** Return how two frames differ; null for frames of different numbers. */
export function difference(a: Frame | null, b: Frame | null): Difference | null {
  if (!a || !b || a.number !== b.number) return null;
  const left = new Map(b.tracks.map((track) => [track.track_id, track]));
  const onlyA = new Set<string>();
  const changed = new Set<string>();
  for (const track of a.tracks) {
    const twin = left.get(track.track_id) ?? (a.run === b.run ? undefined : nearest(track, left.values()));
    if (!twin) onlyA.add(track.track_id);
    else if (left.delete(twin.track_id) && COMPARED.some((name) => (track[name] ?? null) !== (twin[name] ?? null)))
      changed.add(track.track_id);
  }
  return { onlyA, onlyB: new Set(left.keys()), changed };
}

function nearest(track: RadarTrack, others: Iterable<RadarTrack>): RadarTrack | undefined {
  let best: RadarTrack | undefined;
  let least = SAME_PLACE_M;
  for (const other of others) {
    const far = distance(track, other);
    if (far < least) [best, least] = [other, far];
  }
  return best;
}

function distance({ position: a }: RadarTrack, { position: b }: RadarTrack): number {
  return a && b ? Math.hypot(a.x - b.x, a.y - b.y, a.z - b.z) : Infinity;
}

/** Let one view show the frame that another one shows. Returns the way to end it. */
export function follow(lead: View, other: View): () => void {
  return effect(() => {
    const { mode } = lead.clock.state.value;
    const frame = lead.moment.value.frame;
    untracked(() => (mode === "live" ? other.clock.live() : frame && showBeside(lead, other, frame)));
  });
}

function showBeside(lead: View, other: View, frame: Frame): void {
  const run = runBeside(lead, other, frame.run);
  if (run === undefined) return;
  void other.clock.goToFrame(run, frame.number).then((found) => {
    if (!found && lead.moment.peek().frame === frame) other.clock.goTo(lastPlace(other, run));
  });
}

/** Return the place of a run's last frame: a shorter run stays there. */
function lastPlace(view: View, run: string): number {
  const span = view.clock.state.peek().span;
  const next = span?.runs[span.runs.findIndex((one) => one.run === run) + 1];
  return next ? next.sequence - 1 : (span?.newest ?? 0);
}

/** Return the run of another view that stands where a run stands in the first one. */
function runBeside(lead: View, other: View, run: string): string | undefined {
  const index = lead.clock.state.peek().span?.runs.findIndex((one) => one.run === run) ?? -1;
  const runs = other.clock.state.peek().span?.runs ?? [];
  return (runs[index] ?? runs.at(-1))?.run;
}

/** Go to a frame of the newest run. */
export function goToNewestRun(view: View, frame: number): void {
  const run = view.clock.state.peek().span?.runs.at(-1);
  if (run) void view.clock.goToFrame(run.run, frame);
}
