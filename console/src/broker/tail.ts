/**
 * Follows a stream to its end, by sequence.
 *
 * Live messages do not say where they are kept, and none come while the connection is lost. So they only wake the
 * reader, which asks for all behind the last one that it has: in order, once each, with sequence and time.
 */

import type { Past, StoredMessage, StreamState } from "./past.ts";

const BATCH = 256;
/** A live message may come a little before it is stored [ms]. */
const AGAIN_MS = [20, 60, 200];
/** More than so many messages behind, after a long absence: the older ones are passed over. */
const MOST_BEHIND = 3000;

export interface TailListener {
  /** Messages in their order. */
  take(messages: readonly StoredMessage[]): void;
  /** The stream was made again: what was taken is no longer stored. */
  restart(): void;
}

export class Tail {
  readonly #past: Past;
  readonly #stream: string;
  readonly #listener: TailListener;
  #next: number | null = null;
  #created = "";
  #busy = false;
  #expected = 0;

  constructor(past: Past, stream: string, listener: TailListener) {
    this.#past = past;
    this.#stream = stream;
    this.#listener = listener;
  }

  /** Begin, so many messages before the end; later calls only see whether the stream is the same, and go on. */
  async follow(back: number): Promise<void> {
    const state = await this.#past.info(this.#stream);
    if (state.created !== this.#created || this.#next === null) this.#begin(state, back);
    this.#next = Math.min(this.#next ?? 1, state.last + 1); // A killed broker may have lost the last ones.
    await this.#readAll();
  }

  /** Read on: a message is stored, or is about to be. */
  wake(): void {
    this.#expected++;
    if (this.#next !== null && !this.#busy) void this.#readExpected().catch(() => undefined);
  }

  #begin(state: StreamState, back: number): void {
    if (this.#next !== null) this.#listener.restart();
    this.#created = state.created;
    this.#next = Math.max(1, state.first, state.last + 1 - back);
  }

  async #readExpected(): Promise<void> {
    this.#busy = true;
    try {
      for (let tries = 0; this.#expected > 0 && tries < AGAIN_MS.length; ) {
        const before = this.#next;
        await this.#readAll();
        if (this.#expected <= 0) return;
        tries = this.#next === before ? tries + 1 : 0;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS[tries]));
      }
    } finally {
      this.#expected = 0;
      this.#busy = false;
    }
  }

  /** Read to the end. */
  async #readAll(): Promise<void> {
    for (let pending = 1; pending > 0; ) {
      const batch = await this.#past.get(this.#stream, { seq: this.#next ?? 1, batch: BATCH });
      const fresh = batch.messages.filter((message) => message.sequence >= (this.#next ?? 1));
      const last = fresh.at(-1);
      if (last === undefined) return;
      pending = batch.pending;
      this.#next = last.sequence + 1 + Math.max(0, pending - MOST_BEHIND);
      this.#expected = Math.max(0, this.#expected - fresh.length);
      this.#listener.take(fresh);
    }
  }
}
