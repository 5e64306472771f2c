/** The runs that are stored, and where each begins on the time bar. */

import { readRun } from "../../broker/decode.ts";
import type { Past, StoredMessage } from "../../broker/past.ts";
import type { SimRun } from "../../wire/payloads.ts";
import { RUNS, STATE_STREAM, TRACKED, TRACKER_STREAM } from "../../wire/topics.ts";
import { storedNotice, type Notices } from "./notices.ts";
import { storedAs } from "./readings.ts";
import type { Stored } from "../types.ts";
import type { Span } from "../view.ts";

const MOST = 64;
const TRIES = 10;
const LOOKED_AT = 64;

interface Run {
  readonly id: string;
  readonly description: Stored<SimRun> | null;
  /** Storing time of the first description that is stored. */
  readonly stamp: string;
  sequence: number | null;
  tries: number;
}

export class Runs {
  readonly #past: Past;
  readonly #notices: Notices;
  readonly #runs = new Map<string, Run>();

  constructor(past: Past, notices: Notices) {
    this.#past = past;
    this.#notices = notices;
  }

  clear(): void {
    this.#runs.clear();
  }

  /** Read the descriptions that are stored. */
  async read(): Promise<void> {
    const { messages } = await this.#past.get(STATE_STREAM, { seq: 1, next_by_subj: RUNS, batch: MOST });
    for (const message of messages) this.take(message);
  }

  /** Take a description; a run has one each 20 minutes. */
  take(message: StoredMessage): Stored<SimRun> | null {
    const description = storedAs(message, readRun(message));
    if (description === null) return null;
    const { run_id: id } = description.value;
    const before = this.#runs.get(id);
    if (before === undefined || before.description === null) {
      this.#runs.set(id, { id, description, stamp: message.stamp, sequence: before?.sequence ?? null, tries: 0 });
    }
    return description;
  }

  describe(id: string): Stored<SimRun> | null {
    return this.#runs.get(id)?.description ?? null;
  }

  /** Return when a run was described first; undefined where it was not. */
  describedAt(id: string): string | undefined {
    return this.#runs.get(id)?.stamp || undefined;
  }

  /** Note a frame of a run, which may have no description. */
  note(id: string, sequence: number): void {
    const run = this.#runs.get(id);
    if (run === undefined) this.#runs.set(id, { id, description: null, stamp: "", sequence, tries: 0 });
  }

  /** Find where runs begin. One that has no frame yet is looked for again, for a while. */
  async locate(oldest: number): Promise<void> {
    for (const run of this.#runs.values()) {
      if (run.sequence === null && run.tries++ < TRIES) run.sequence = await this.#beginOf(run, oldest);
    }
    const first = await this.#notices.at(oldest);
    if (first !== null) this.note(first.run, oldest);
  }

  /** Return the runs on the bar, oldest first. */
  list(oldest: number): Span["runs"] {
    const runs = [...this.#runs.values()]
      .filter((run): run is Run & { sequence: number } => run.sequence !== null)
      .sort((one, other) => one.sequence - other.sequence);
    return runs
      .filter((_, index) => (runs[index + 1]?.sequence ?? Infinity) > oldest)
      .map(({ id, sequence, description }) => ({
        sequence: Math.max(sequence, oldest),
        run: id,
        scenario: nameOf(description?.value),
      }));
  }

  async #beginOf(run: Run, oldest: number): Promise<number | null> {
    const query = { start_time: run.stamp, next_by_subj: TRACKED, batch: LOOKED_AT };
    const { messages } = await this.#past.get(TRACKER_STREAM, query);
    const sequence = messages.map(storedNotice).find((notice) => notice?.run === run.id)?.sequence;
    if (sequence === undefined) return null;
    const before = sequence > oldest ? await this.#notices.at(sequence - 1) : null;
    return before?.run === run.id ? oldest : sequence; // Its first description is gone, as its first frame.
  }
}

function nameOf(description: SimRun | undefined): string {
  const name = description?.scenario["name"];
  return typeof name === "string" ? name : "";
}
