/**
 * The clock: where the page is in time. No other module decides about it.
 *
 * A place is that of a frame's notice in QIKI_TRACKER_V1, and `live` is the newest. The moment of a place is everything
 * that was stored before the next frame's notice (`endOf`); the live one has everything that came.
 */

import { signal, type ReadonlySignal } from "@preact/signals";
import { milliseconds } from "../broker/past.ts";
import type { StoredNotice } from "./stored/notices.ts";
import type { Clock, ClockState, Span } from "./view.ts";

const MOST_AT_ONCE = 5000;

/** The stored frames, as far as the clock needs them. */
export interface Timeline {
  /** The notice at a place; null if it is gone; undefined if it was not read yet. */
  known(place: number): StoredNotice | null | undefined;
  /** Begin to read what is around a place. */
  load(place: number): void;
  /** Place of a run's frame; null if it is not stored. */
  find(run: string, frame: number): Promise<number | null>;
}

/**
 * Return the time before which everything belongs to a frame's moment, as the broker writes it; null: no end yet.
 *
 * The last frame of a run ends where the next run is described: that one's state is not this one's.
 */
export function endOf(
  notice: StoredNotice,
  next: StoredNotice | null,
  described: (run: string) => string | undefined,
): string | null {
  if (next === null) return null;
  const begin = next.run === notice.run ? undefined : described(next.run);
  if (begin === undefined) return next.stamp;
  const at = milliseconds(begin);
  return at > notice.storedAt && at < next.storedAt ? begin : next.stamp;
}

export class RunClock implements Clock {
  readonly #state = signal<ClockState>({ mode: "live", place: 0, rate: 1, span: null, reading: false });
  readonly #timeline: Timeline;
  readonly #now: () => number;
  #base: { wall: number; time: number } | null = null;

  /**
   * @param now - this machine's time [ms], for replays
   */
  constructor(timeline: Timeline, now: () => number) {
    this.#timeline = timeline;
    this.#now = now;
  }

  get state(): ReadonlySignal<ClockState> {
    return this.#state;
  }

  live(): void {
    this.#set({ mode: "live", place: this.#state.peek().span?.newest ?? 0, reading: false });
  }

  goTo(place: number): void {
    const { span } = this.#state.peek();
    if (span === null || !Number.isFinite(place)) return;
    this.#set({ mode: "past", place: within(Math.round(place), span), reading: true });
  }

  async goToFrame(run: string, frame: number): Promise<boolean> {
    const place = await this.#timeline.find(run, frame);
    if (place === null) return false;
    this.goTo(place);
    return true;
  }

  step(frames: number): void {
    this.goTo(this.#state.peek().place + frames);
  }

  replay(rate: number): void {
    if (!(rate > 0) || this.#state.peek().mode === "live") return;
    this.#base = null;
    this.#set({ mode: "replay", rate });
  }

  stop(): void {
    if (this.#state.peek().mode === "replay") this.#set({ mode: "past" });
  }

  /** Note what is stored now. A place that was discarded becomes the oldest one. */
  setSpan(span: Span | null): void {
    const { mode, place, reading } = this.#state.peek();
    if (span === null) this.#set({ mode: "live", span, place: 0, reading: false });
    else if (mode === "live") this.#set({ span, place: span.newest });
    else {
      const kept = within(place, span);
      this.#set({ span, place: kept, reading: reading || kept !== place });
    }
  }

  /** Note that a newer frame than all is there. */
  newest(place: number): void {
    const { span } = this.#state.peek();
    if (span !== null && place > span.newest) this.setSpan({ ...span, newest: place });
  }

  /** Note that the moment of a place is shown. */
  shown(place: number): void {
    if (this.#state.peek().place === place) this.#set({ reading: false });
  }

  /** Let a replay walk on to where it should be now. At the newest frame it becomes live. */
  tick(): void {
    const { mode, place, span } = this.#state.peek();
    if (mode !== "replay" || span === null) return;
    const here = this.#timeline.known(place);
    if (here === undefined) return this.#timeline.load(place);
    const target = this.#target(here);
    const to = this.#walk(place, span.newest, here, target);
    if (to > span.newest) this.live();
    else if (to !== place) this.#set({ place: to, reading: true });
  }

  /** Return the simulated time that a replay should be at. */
  #target(here: StoredNotice | null): number {
    this.#base ??= { wall: this.#now(), time: here?.time ?? 0 };
    return this.#base.time + (this.#now() - this.#base.wall) * this.#state.peek().rate;
  }

  #walk(place: number, newest: number, here: StoredNotice | null, target: number): number {
    for (let next = place + 1; next <= place + MOST_AT_ONCE; next++) {
      if (next > newest) return next;
      const notice = this.#timeline.known(next);
      if (notice === undefined) {
        this.#timeline.load(next);
        this.#base = null; // Go on from here once it is read, without a jump.
        return here === null ? place : here.sequence;
      }
      if (notice === null) continue;
      if (here === null || notice.run !== here.run) {
        this.#base = null;
        return next;
      }
      if (notice.time > target) return here.sequence;
      here = notice;
    }
    return here?.sequence ?? place;
  }

  #set(change: Partial<ClockState>): void {
    const before = this.#state.peek();
    const after = { ...before, ...change };
    const names = Object.keys(change) as (keyof ClockState)[];
    if (names.some((name) => before[name] !== after[name])) this.#state.value = after;
  }
}

function within(place: number, span: Span): number {
  return Math.min(Math.max(place, span.oldest), span.newest);
}
