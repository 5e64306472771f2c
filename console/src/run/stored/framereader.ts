/** Stored frames, read whole: the frame's own message, and its tracks. */

import { count, header } from "../../broker/head.ts";
import type { Past, StoredMessage } from "../../broker/past.ts";
import { FRAME, FRAMES, RADAR_STREAM, RUN, TRACKS } from "../../wire/topics.ts";
import { frameOf } from "../live/assembler.ts";
import type { StoredNotice } from "./notices.ts";
import type { Frame } from "../types.ts";

const KEPT = 64;
/** Times before the notice before, from which on messages are looked for where the notice does not say their places. */
const EARLIER_MS = [0, 50, 2000, 30_000];
const MOST_BATCHES = 12;
const SPARE = 4;

/** A place in QIKI_RADAR_V1 to read from. */
type From = { readonly seq: number } | { readonly start_time: string };

export class FrameReader {
  readonly #past: Past;
  readonly #frames = new Map<number, Promise<Frame>>();
  /** Places of now less those that the notices name: a recording is played into other places. */
  #shift = 0;

  constructor(past: Past) {
    this.#past = past;
  }

  clear(): void {
    this.#frames.clear();
  }

  /** Read a notice's frame. Tracks that are gone are missing. */
  read(notice: StoredNotice, before: StoredNotice | null): Promise<Frame> {
    const known = this.#frames.get(notice.sequence);
    if (known !== undefined) return known;
    const reading = this.#read(notice, before);
    this.#frames.set(notice.sequence, reading);
    reading.catch(() => this.#frames.delete(notice.sequence));
    const oldest = this.#frames.keys().next();
    if (this.#frames.size > KEPT && !oldest.done) this.#frames.delete(oldest.value);
    return reading;
  }

  async #read(notice: StoredNotice, before: StoredNotice | null): Promise<Frame> {
    const [frame, tracks] = await this.#messages(notice, before);
    const sequences = new Map<string, number>();
    for (const message of tracks) sequences.set(trackIdOf(message), message.sequence);
    const { sequence, storedAt } = notice;
    const of = { frame: frame?.sequence ?? null, tracks: sequences };
    return frameOf({ notice, tracks, frame }, { sequence, storedAt }, of, null);
  }

  /** Return a frame's message, null if it is gone, and those of its tracks. */
  async #messages(notice: StoredNotice, before: StoredNotice | null): Promise<[StoredMessage | null, StoredMessage[]]> {
    const guess = notice.radarSequence === null ? null : notice.radarSequence + this.#shift;
    if (guess !== null && guess > 0) {
      const both = await Promise.all([this.#frameAt(notice, guess), this.#tracks(notice, { seq: guess + 1 })]);
      if (both[0] !== null && both[1].length >= notice.tracks) return both;
    }
    for (const earlier of EARLIER_MS) {
      const from = startOf(notice, before, earlier);
      const both = await Promise.all([this.#search(notice, from), this.#tracks(notice, from)]);
      const found = both[1].length >= notice.tracks && (both[0] !== null || notice.buried);
      if (found || earlier === EARLIER_MS.at(-1)) return this.#placed(notice, both);
    }
    return [null, []];
  }

  #placed(
    notice: StoredNotice,
    found: [StoredMessage | null, StoredMessage[]],
  ): [StoredMessage | null, StoredMessage[]] {
    if (found[0] !== null && notice.radarSequence !== null) this.#shift = found[0].sequence - notice.radarSequence;
    return found;
  }

  async #frameAt(notice: StoredNotice, seq: number): Promise<StoredMessage | null> {
    const message = await this.#past.one(RADAR_STREAM, { seq });
    return message !== null && message.subject === FRAMES && isOf(notice, message) ? message : null;
  }

  async #search(notice: StoredNotice, from: From): Promise<StoredMessage | null> {
    const found = await this.#scan(FRAMES, from, 8, (message) => isOf(notice, message), () => true);
    return found[0] ?? null;
  }

  #tracks(notice: StoredNotice, from: From): Promise<StoredMessage[]> {
    if (notice.tracks === 0) return Promise.resolve([]);
    const ids = new Set<string>();
    const take = (message: StoredMessage): boolean => {
      const id = header(message.head, "Nats-Msg-Id");
      if (!isOf(notice, message) || ids.has(id)) return false;
      ids.add(id);
      return true;
    };
    const isDone = (): boolean => ids.size >= notice.tracks;
    return this.#scan(TRACKS, from, notice.tracks + SPARE, take, isDone, (message) => isBehind(notice, message));
  }

  /** Read messages of a subject until enough are taken, or one is beyond the frame. */
  async #scan(
    subject: string,
    from: From,
    batch: number,
    take: (message: StoredMessage) => boolean,
    isDone: () => boolean,
    isBeyond: (message: StoredMessage) => boolean = () => false,
  ): Promise<StoredMessage[]> {
    const taken: StoredMessage[] = [];
    for (let batches = 0; batches < MOST_BATCHES; batches++) {
      const { messages, pending } = await this.#past.get(RADAR_STREAM, { ...from, next_by_subj: subject, batch });
      taken.push(...messages.filter(take));
      const last = messages.at(-1);
      if (last === undefined || pending === 0 || (taken.length > 0 && isDone()) || isBeyond(last)) break;
      from = { seq: last.sequence + 1 };
      batch *= 2;
    }
    return taken;
  }
}

function startOf(notice: StoredNotice, before: StoredNotice | null, earlier: number): From {
  const at = before?.storedAt ?? notice.storedAt - 1000;
  return { start_time: new Date(at - earlier).toISOString() };
}

function isOf(notice: StoredNotice, { head }: StoredMessage): boolean {
  return header(head, RUN) === notice.run && count(head, FRAME) === notice.number;
}

function isBehind(notice: StoredNotice, { head }: StoredMessage): boolean {
  return header(head, RUN) === notice.run && count(head, FRAME) > notice.number;
}

/** Return the track's id, which a track's message id ends with. */
function trackIdOf({ head }: StoredMessage): string {
  return header(head, "Nats-Msg-Id").split(":").at(-1) ?? "";
}
