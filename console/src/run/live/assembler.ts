/**
 * Frames from live messages.
 *
 * A frame is complete once its notice came and as many tracks as the notice says, in any order. Messages are kept as
 * they came: only a frame that is going to be shown is decoded. A newer complete frame takes the place of an older one
 * that was not shown yet. Duplicates and frames behind the newest one are left out.
 */

import { confidenceOf, ownState, readPlots, readTrack } from "../../broker/decode.ts";
import { count, header, type Raw } from "../../broker/head.ts";
import type { RadarTrack } from "../../wire/payloads.ts";
import { FRAME, RUN } from "../../wire/topics.ts";
import { noticeOf, type Notice } from "../stored/notices.ts";
import type { Frame, Vector } from "../types.ts";

const MOST_FRAMES = 64;
const MOST_MESSAGES = 16_000;
/** Time without a frame of the run that is shown, after which any other is taken [ms]. */
const SILENCE_MS = 3000;

interface Parts {
  readonly run: string;
  readonly number: number;
  readonly tracks: Map<string, Raw>;
  frame: Raw | null;
  notice: Notice | null;
}

/** A complete frame, not decoded. */
export interface Assembled {
  readonly notice: Notice;
  readonly tracks: readonly Raw[];
  frame: Raw | null;
}

export class Assembler {
  readonly #parts = new Map<string, Parts>();
  readonly #now: () => number;
  #messages = 0;
  #ready: Assembled | null = null;
  #run = "";
  #number = -1;
  #completedAt = -Infinity;
  #world = "";
  /** Runs that the simulator has left: what the tracker still had in hand of them is not shown. */
  readonly #over = new Set<string>();

  /**
   * @param now - this machine's time [ms]
   */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Note which run the simulator is at. Its frames are shown.
   *
   * Frames of another radar are a run of their own. They are shown only while the simulator's do not come.
   */
  setWorld(run: string): void {
    if (run === this.#world) return;
    this.#over.add(this.#world);
    this.#over.delete(run);
    this.#world = run;
  }

  /** Forget all: the streams were made again. */
  clear(): void {
    this.#parts.clear();
    this.#over.clear();
    this.#messages = 0;
    this.#world = "";
    this.goOnFrom("", -1);
  }

  track(raw: Raw): void {
    const parts = this.#partsOf(header(raw.head, RUN), count(raw.head, FRAME));
    if (parts === null) return;
    const id = header(raw.head, "Nats-Msg-Id") || String(parts.tracks.size);
    this.#messages -= parts.tracks.size;
    parts.tracks.set(id, raw);
    this.#messages += parts.tracks.size;
    this.#complete(parts);
  }

  frame(raw: Raw): void {
    const run = header(raw.head, RUN);
    const number = count(raw.head, FRAME);
    const late = this.#ready?.notice;
    const parts = late?.run === run && late.number === number ? this.#ready : this.#partsOf(run, number);
    if (parts) parts.frame = raw;
  }

  notice(raw: Raw): void {
    const notice = noticeOf(raw);
    const parts = notice && this.#partsOf(notice.run, notice.number);
    if (!parts) return;
    parts.notice = notice;
    this.#complete(parts);
  }

  /** Return the newest complete frame, once; null without a new one. */
  take(): Assembled | null {
    const ready = this.#ready;
    this.#ready = null;
    return ready;
  }

  /** Take a frame for the newest one: only those behind it are wanted, in its run. */
  goOnFrom(run: string, number: number): void {
    this.#ready = null;
    this.#run = run;
    this.#number = number;
    this.#discard(run, number);
  }

  #complete(parts: Parts): void {
    const { notice, run, number, frame } = parts;
    if (notice === null || parts.tracks.size < notice.tracks || !this.#isWanted(run)) return;
    this.#ready = { notice, tracks: [...parts.tracks.values()], frame };
    this.#run = run;
    this.#number = number;
    this.#completedAt = this.#now();
    this.#discard(run, number);
  }

  #isWanted(run: string): boolean {
    if (this.#over.has(run)) return false;
    const isSilent = this.#run === "" || this.#now() - this.#completedAt > SILENCE_MS;
    return run === this.#run || run === this.#world || isSilent;
  }

  #partsOf(run: string, number: number): Parts | null {
    if (!run || !Number.isInteger(number) || (run === this.#run && number <= this.#number)) return null;
    const key = `${run}/${number}`;
    let parts = this.#parts.get(key);
    if (parts === undefined) {
      parts = { run, number, tracks: new Map(), frame: null, notice: null };
      this.#parts.set(key, parts);
      this.#bound();
    }
    return parts;
  }

  #discard(run: string, number: number): void {
    for (const [key, parts] of this.#parts) {
      if (parts.run === run && parts.number <= number) this.#remove(key, parts);
    }
  }

  /** Drop what came first, of frames that were never completed. */
  #bound(): void {
    for (const [key, parts] of this.#parts) {
      if (this.#parts.size <= MOST_FRAMES && this.#messages <= MOST_MESSAGES) return;
      this.#remove(key, parts);
    }
  }

  #remove(key: string, parts: Parts): void {
    this.#parts.delete(key);
    this.#messages -= parts.tracks.size;
  }
}

/** Decode a frame. Tracks that cannot be read are missing. */
export function frameOf(
  { notice, tracks, frame }: Assembled,
  place: { sequence: number; storedAt: number },
  sequences: Frame["sequences"],
  before: Frame | null,
): Frame {
  const own = frame ? ownState(frame.head) : moved(before, notice);
  const read: RadarTrack[] = [];
  const confidences = new Map<string, number>();
  for (const raw of tracks) {
    const track = readTrack(raw);
    if (track === null) continue;
    read.push(track);
    const confidence = track.object_type ? confidenceOf(raw.head) : null;
    if (confidence !== null) confidences.set(track.track_id, confidence);
  }
  return {
    run: notice.run,
    number: notice.number,
    time: notice.time,
    ...place,
    tracks: read,
    plots: frame ? readPlots(frame) : [],
    ownPosition: own.position,
    ownVelocity: own.velocity,
    sequences,
    confidences,
  };
}

/** Return where the vehicle is by the frame before, for a frame without its own message. */
function moved(before: Frame | null, notice: Notice): { position: Vector; velocity: Vector } {
  if (before === null || before.run !== notice.run) return { position: [0, 0, 0], velocity: [0, 0, 0] };
  const seconds = (notice.time - before.time) / 1000;
  const [x, y, z] = before.ownPosition;
  const [u, v, w] = before.ownVelocity;
  return { position: [x + u * seconds, y + v * seconds, z + w * seconds], velocity: [u, v, w] };
}
