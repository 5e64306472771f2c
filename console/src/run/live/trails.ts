/** Places of the tracks in the last seconds, in world axes: a sample of all tracks twice a simulated second. */

import type { Frame, TrailPoint, Vector } from "../types.ts";

const LENGTH_MS = 15_000;
const EVERY_MS = 450;
const KEPT = 128;

/** Track ids that are no longer seen have this status. */
export const LOST = 3;

interface Sample {
  readonly number: number;
  readonly time: number;
  readonly positions: ReadonlyMap<string, Vector>;
}

/** Samples of one run. */
export class Trails {
  #run = "";
  #samples: Sample[] = [];

  clear(): void {
    this.#samples = [];
  }

  /** Take a sample of a frame, unless there is one close to it. Another run clears all others. */
  add(frame: Frame): void {
    if (frame.run !== this.#run) this.clear();
    this.#run = frame.run;
    if (this.has(frame.time)) return;
    const index = this.#samples.findLastIndex((sample) => sample.number < frame.number) + 1;
    this.#samples.splice(index, 0, sampleOf(frame));
    if (this.#samples.length > KEPT) this.#samples.splice(index < KEPT / 2 ? -1 : 0, 1);
  }

  /** Return whether there is a sample close to an event time, Unix milliseconds. */
  has(time: number): boolean {
    return this.#samples.some((sample) => Math.abs(sample.time - time) < EVERY_MS);
  }

  /** Return the trails of a frame's tracks, up to that frame, oldest point first. */
  upTo(frame: Frame): ReadonlyMap<string, readonly TrailPoint[]> {
    const trails = new Map<string, TrailPoint[]>();
    if (frame.run !== this.#run) return trails;
    for (const track of frame.tracks) trails.set(track.track_id, []);
    for (const { number, time, positions } of this.#samples) {
      if (number > frame.number || time < frame.time - LENGTH_MS) continue;
      for (const [id, position] of positions) trails.get(id)?.push({ frame: number, position });
    }
    return trails;
  }
}

/** Event times before a frame's, Unix milliseconds, at which its trails have samples: so many, the newest first. */
export function sampleTimes(frame: Pick<Frame, "time">, most: number): number[] {
  const every = Math.max(500, LENGTH_MS / Math.max(1, most));
  const newest = Math.floor(frame.time / every) * every;
  const times: number[] = [];
  for (let time = newest; time > frame.time - LENGTH_MS && times.length < most; time -= every) times.push(time);
  return times;
}

function sampleOf(frame: Frame): Sample {
  const [x, y, z] = frame.ownPosition;
  const positions = new Map<string, Vector>();
  for (const { track_id, status, position } of frame.tracks) {
    if (position && status !== LOST) positions.set(track_id, [x + position.x, y + position.y, z + position.z]);
  }
  return { number: frame.number, time: frame.time, positions };
}
