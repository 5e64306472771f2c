/** Reads what is behind a frame: the trails of its tracks, and the distances of the last minutes. */

import type { FrameReader } from "./framereader.ts";
import type { Notices, StoredNotice } from "./notices.ts";
import type { Nearest } from "./readings.ts";
import { sampleTimes, type Trails } from "../live/trails.ts";
import type { Frame, Reading } from "../types.ts";

/** Track messages that a look back may read. */
const TRAIL_MESSAGES = 1500;
const NEAREST_MESSAGES = 2000;
const TRAIL_SAMPLES = 30;
const AT_ONCE = 6;

export class Lookback {
  readonly #notices: Notices;
  readonly #reader: FrameReader;
  readonly #nearest: Nearest;

  constructor(notices: Notices, reader: FrameReader, nearest: Nearest) {
    this.#notices = notices;
    this.#reader = reader;
    this.#nearest = nearest;
  }

  /**
   * Read samples for the trails of a frame.
   *
   * @param period - from a frame to the next [ms]
   * @param isWanted - no further samples are read once it says no
   */
  async trails(trails: Trails, frame: Frame, period: number, isWanted: () => boolean): Promise<void> {
    const most = Math.floor(TRAIL_MESSAGES / Math.max(1, frame.tracks.length));
    const times = sampleTimes(frame, Math.min(TRAIL_SAMPLES, most)).filter((time) => !trails.has(time));
    await this.#each(times, frame, period, isWanted, (sample) => trails.add(sample));
  }

  /** Read the distances to the nearest track for readings that have none, some seconds apart. */
  async nearest(readings: readonly Reading[], frame: Frame, period: number, isWanted: () => boolean): Promise<void> {
    const most = Math.floor(NEAREST_MESSAGES / Math.max(1, frame.tracks.length));
    const times = readings
      .filter(({ telemetry }) => telemetry.ts_unix_ms < frame.time && telemetry.sim_state.run_id === frame.run)
      .map(({ telemetry }) => telemetry.ts_unix_ms);
    const step = Math.max(1, Math.ceil(times.length / Math.max(1, most)));
    const wanted = times.filter((time, index) => index % step === 0 && !this.#nearest.has(frame.run, time));
    await this.#each(wanted, frame, period, isWanted, () => undefined);
  }

  /** Read the frames at some times of a frame's run. */
  async #each(
    times: readonly number[],
    frame: Frame,
    period: number,
    isWanted: () => boolean,
    take: (sample: Frame) => void,
  ): Promise<void> {
    const queue = [...times];
    const work = async (): Promise<void> => {
      for (let time = queue.shift(); time !== undefined && isWanted(); time = queue.shift()) {
        const sample = await this.#frameAt(time, frame, period);
        if (sample === null) continue;
        this.#nearest.add(sample);
        take(sample);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  async #frameAt(time: number, frame: Frame, period: number): Promise<Frame | null> {
    const place = frame.sequence - Math.round((frame.time - time) / period);
    const notice = await this.#notices.at(place);
    if (notice === null || notice.run !== frame.run) return null;
    return await this.#reader.read(notice, this.#known(place - 1));
  }

  #known(place: number): StoredNotice | null {
    return this.#notices.known(place) ?? null;
  }
}
