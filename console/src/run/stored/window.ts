/** A contiguous part of a stream in memory: the things that a past moment looks back on. */

/** A stretch that is read in no time [sequences]. */
export const NEAR = 300;

interface Placed {
  readonly sequence: number;
}

/** Things of a part of a stream, oldest first, and the last sequence that the part reaches to; it may reach further. */
export interface Part<T> {
  readonly items: readonly T[];
  readonly to: number;
}

export class Window<T extends Placed> {
  readonly #depth: number;
  readonly #fetch: (from: number, to: number) => Promise<Part<T>>;
  #items: T[] = [];
  #from = 1;
  #to = 0;
  #reading: Promise<void> | null = null;

  /**
   * @param depth - how many sequences to look back
   * @param fetch - reads the things from one sequence to another
   */
  constructor(depth: number, fetch: (from: number, to: number) => Promise<Part<T>>) {
    this.#depth = depth;
    this.#fetch = fetch;
  }

  clear(): void {
    this.#items = [];
    this.#from = 1;
    this.#to = 0;
  }

  /** Return the things up to a sequence; null if they were not read yet. */
  known(sequence: number): T[] | null {
    const low = this.#low(sequence);
    if (low < this.#from || sequence > this.#to) return null;
    return this.#items.filter((item) => item.sequence >= low && item.sequence <= sequence);
  }

  /** Take things that follow, from one sequence to another, where all before them was read. */
  push(items: readonly T[], from: number, to: number): void {
    if (this.#to === 0 || this.#reading !== null || from > this.#to + 1 || to <= this.#to) return;
    this.#items = [...this.#items, ...items.filter(({ sequence }) => sequence > this.#to)];
    this.#to = to;
    this.#trim(to - this.#depth, to);
  }

  /** Return whether little has to be read for a sequence. */
  isNear(sequence: number): boolean {
    return this.#low(sequence) >= this.#from && sequence - this.#to < NEAR;
  }

  /** Read the things up to a sequence. Only one reads at a time. */
  async read(sequence: number): Promise<T[]> {
    while (this.#reading !== null) await this.#reading;
    if (this.known(sequence) === null) {
      this.#reading = this.#cover(this.#low(sequence), sequence).finally(() => (this.#reading = null));
      await this.#reading;
    }
    return this.known(sequence) ?? [];
  }

  #low(sequence: number): number {
    return Math.max(1, sequence - this.#depth);
  }

  async #cover(low: number, high: number): Promise<void> {
    if (high < this.#from - 1 || low > this.#to + 1) this.clear();
    if (this.#to === 0) {
      this.#from = low;
      this.#to = low - 1;
    }
    if (low < this.#from) await this.#before(low);
    if (high > this.#to) await this.#behind(high);
    this.#trim(low - this.#depth, high + this.#depth);
  }

  async #before(low: number): Promise<void> {
    const first = this.#from;
    const { items } = await this.#fetch(low, first - 1);
    this.#items = [...items.filter((item) => item.sequence < first), ...this.#items];
    this.#from = low;
  }

  async #behind(high: number): Promise<void> {
    const { items, to } = await this.#fetch(this.#to + 1, high);
    this.#items = [...this.#items, ...items];
    this.#to = Math.max(high, to);
  }

  #trim(low: number, high: number): void {
    if (this.#from < low || this.#to > high) {
      this.#from = Math.max(this.#from, low);
      this.#to = Math.min(this.#to, high);
      this.#items = this.#items.filter(({ sequence }) => sequence >= this.#from && sequence <= this.#to);
    }
  }
}
