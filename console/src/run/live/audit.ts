/** The chain of the audit log, as far as the page has seen its records. */

import type { AuditRecord } from "../../wire/payloads.ts";

const KEPT = 4096;

/**
 * Compares the links of records: each names the hash of the one before. The hashes themselves are not computed here;
 * `qiki events verify` does that.
 */
export class AuditChain {
  readonly #seen = new Map<number, { hash: string; previous: string }>();
  readonly #broken = new Set<number>();

  /** Take a record, in any order. The same number with another hash breaks the chain. */
  take(record: AuditRecord): void {
    const { sequence, hash, previous_hash } = record;
    const before = this.#seen.get(sequence);
    if (before !== undefined && before.hash !== hash) this.#broken.add(sequence);
    this.#seen.set(sequence, { hash, previous: previous_hash });
    this.#compare(sequence);
    this.#compare(sequence + 1);
    const oldest = this.#seen.keys().next();
    if (this.#seen.size > KEPT && !oldest.done) this.#seen.delete(oldest.value);
  }

  /** Return whether no break was seen up to a record. */
  isWhole(sequence: number): boolean {
    for (const broken of this.#broken) if (broken <= sequence) return false;
    return true;
  }

  clear(): void {
    this.#seen.clear();
    this.#broken.clear();
  }

  #compare(sequence: number): void {
    const record = this.#seen.get(sequence);
    const before = this.#seen.get(sequence - 1);
    if (record !== undefined && before !== undefined && record.previous !== before.hash) this.#broken.add(sequence);
  }
}
