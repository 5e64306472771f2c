/** The interface of one run to the parts of the page; `Model` (model.ts) implements it. */

import type { ReadonlySignal } from "@preact/signals";
import type { Moment, Order } from "./types.ts";

/** The way to the broker. */
export interface LinkState {
  readonly state: "connecting" | "open" | "lost";
  readonly who: "viewer" | "operator";
  /** Time of the loss, Unix milliseconds by this machine's clock. */
  readonly since: number | null;
  /** Why it cannot be opened, in the library's words; empty if it can. */
  readonly reason: string;
  /** End of the operator's right, Unix milliseconds; null for a viewer. */
  readonly until: number | null;
}

/** An order, and its place on the bar: the frame that was the newest when it took effect. */
export interface OrderPlace {
  readonly sequence: number;
  readonly order: Order;
}

/** The stored frames, as places in QIKI_TRACKER_V1. `runs`: where each run begins, oldest first. */
export interface Span {
  readonly oldest: number;
  readonly newest: number;
  readonly runs: readonly { readonly sequence: number; readonly run: string; readonly scenario: string }[];
  /** The newest orders of all runs that are stored. */
  readonly orders: readonly OrderPlace[];
}

/** The page's place in time. The one clock rule: a place on the bar is a frame's, and `live` is the newest. */
export interface ClockState {
  /** `live` follows; `past` stands; `replay` walks on from a past place by itself, at `rate` times simulated time. */
  readonly mode: "live" | "past" | "replay";
  /** The place that is asked for; the moment that is shown may be behind while it is read. */
  readonly place: number;
  readonly rate: number;
  readonly span: Span | null;
  /** True while the moment of `place` is being read. */
  readonly reading: boolean;
}

export interface Clock {
  readonly state: ReadonlySignal<ClockState>;
  live(): void;
  /** Show the frame at a place of the bar; beyond the ends: the first or last one. */
  goTo(place: number): void;
  /** Show a frame of a run, where it is still stored; else false. */
  goToFrame(run: string, frame: number): Promise<boolean>;
  /** Go so many frames on, or back. */
  step(frames: number): void;
  replay(rate: number): void;
  stop(): void;
}

/** The answer to a command. `ok`: done; otherwise the reason, of the simulator or of the way to it. */
export interface Answer {
  readonly command: string;
  readonly ok: boolean;
  readonly reason: string;
  readonly at: number;
}

export interface View {
  readonly name: string;
  readonly moment: ReadonlySignal<Moment>;
  readonly link: ReadonlySignal<LinkState>;
  readonly clock: Clock;
  /** A recording that is played, instead of a stack: it obeys pause, start and seek only. */
  readonly played: boolean;
  /** Send a command; resolves with its answer and never throws. For operators. */
  command(name: string, parameters: Readonly<Record<string, unknown>>): Promise<Answer>;
  /** The newest answers, newest first. */
  readonly answers: ReadonlySignal<readonly Answer[]>;
  /** Body and headers of one stored message, for who wants to see what a track rests on; null if it is gone. */
  message(stream: string, sequence: number): Promise<{ subject: string; time: number; headers: string[]; body: string } | null>;
}
