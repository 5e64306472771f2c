/** The notices of tracked frames, by their places in QIKI_TRACKER_V1: read in chunks and kept. */

import { count, header, type Raw } from "../../broker/head.ts";
import { readTracked } from "../../broker/decode.ts";
import type { Past, StoredMessage } from "../../broker/past.ts";
import { TRACKED, TRACKER_STREAM } from "../../wire/topics.ts";

const CHUNK = 128;
const KEPT = 96;
const TRIES = 40;
const REASON = "x-qiki-reason";
const RADAR_SEQUENCE = "x-qiki-seq";

/** A frame's notice. */
export interface Notice {
  readonly run: string;
  readonly number: number;
  /** Event time, Unix milliseconds. */
  readonly time: number;
  /** Number of its track messages. */
  readonly tracks: number;
  /** Place of the frame in QIKI_RADAR_V1, as its tracker says; null without. In a played recording it is that of then. */
  readonly radarSequence: number | null;
  /** True if the tracker could not take the frame. */
  readonly buried: boolean;
}

/** A notice with its place. */
export interface StoredNotice extends Notice {
  readonly sequence: number;
  readonly stamp: string;
  readonly storedAt: number;
}

/** Return the notice in a message; null if it cannot be read. */
export function noticeOf(raw: Raw): Notice | null {
  const body = readTracked(raw);
  if (body === null) return null;
  const sequence = count(raw.head, RADAR_SEQUENCE);
  return {
    run: body.run_id,
    number: body.frame,
    time: Date.parse(body.timestamp),
    tracks: body.tracks,
    radarSequence: Number.isNaN(sequence) ? null : sequence,
    buried: header(raw.head, REASON) !== "",
  };
}

export function storedNotice(message: StoredMessage): StoredNotice | null {
  const notice = noticeOf(message);
  const { sequence, stamp, storedAt } = message;
  return notice && { ...notice, sequence, stamp, storedAt };
}

interface Chunk {
  /** Everything before it was read. */
  next: number;
  readonly notices: Map<number, StoredNotice>;
}

export class Notices {
  readonly #past: Past;
  readonly #chunks = new Map<number, Chunk>();
  readonly #reading = new Map<number, Promise<void>>();

  constructor(past: Past) {
    this.#past = past;
  }

  /** Forget all: the stream was made again. */
  clear(): void {
    this.#chunks.clear();
    this.#reading.clear();
  }

  /** Return the notice at a place; null if it is gone; undefined if it was not read yet. */
  known(sequence: number): StoredNotice | null | undefined {
    const chunk = this.#chunks.get(Math.floor(sequence / CHUNK));
    const notice = chunk?.notices.get(sequence);
    return notice ?? (chunk !== undefined && sequence < chunk.next ? null : undefined);
  }

  /** Read the notice at a place; null if there is none. */
  async at(sequence: number): Promise<StoredNotice | null> {
    if (this.known(sequence) === undefined) await this.#read(Math.floor(sequence / CHUNK));
    return this.known(sequence) ?? null;
  }

  /**
   * Return the place of a run's frame among places `low` to `high`; null if it is not there.
   *
   * Frames are numbered without a gap, so that most guesses hit. Notices of other runs, in between, are stepped over.
   */
  async find(run: string, frame: number, low: number, high: number): Promise<number | null> {
    let guess = low;
    for (let tries = 0; low <= high && tries < TRIES; tries++) {
      const notice = await this.at(guess);
      if (notice === null || notice.run !== run) {
        if (++guess > high) return null;
        continue;
      }
      if (notice.number === frame) return guess;
      if (notice.number < frame) low = guess + 1;
      else high = guess - 1;
      guess = Math.min(Math.max(guess + frame - notice.number, low), high);
    }
    return null;
  }

  #read(index: number): Promise<void> {
    const begun = this.#reading.get(index);
    if (begun !== undefined) return begun;
    const reading = this.#readChunk(index).finally(() => {
      if (this.#reading.get(index) === reading) this.#reading.delete(index);
    });
    this.#reading.set(index, reading);
    return reading;
  }

  async #readChunk(index: number): Promise<void> {
    const end = (index + 1) * CHUNK;
    const chunk = this.#chunks.get(index) ?? { next: Math.max(1, index * CHUNK), notices: new Map() };
    const query = { seq: chunk.next, next_by_subj: TRACKED, batch: end - chunk.next };
    const { messages } = await this.#past.get(TRACKER_STREAM, query);
    for (const message of messages) {
      const notice = message.sequence < end ? storedNotice(message) : null;
      if (notice !== null) chunk.notices.set(message.sequence, notice);
      chunk.next = Math.min(message.sequence + 1, end);
    }
    this.#keep(index, chunk);
  }

  #keep(index: number, chunk: Chunk): void {
    this.#chunks.delete(index);
    this.#chunks.set(index, chunk);
    const oldest = this.#chunks.keys().next();
    if (this.#chunks.size > KEPT && !oldest.done) this.#chunks.delete(oldest.value);
  }
}
