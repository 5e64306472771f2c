/** At most one update of what is shown for each animation frame; about one a second while the page is hidden. */

const HIDDEN_MS = 1000;

export class Pace {
  readonly #update: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;
  #isDue = false;

  constructor(update: () => void) {
    this.#update = update;
  }

  /** Update at the next animation frame. */
  ask(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#frame = requestAnimationFrame(() => this.#run());
    this.#timer = setTimeout(() => this.#run(), HIDDEN_MS); // A hidden page has no animation frames.
  }

  #run(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#isDue = false;
    this.#update();
  }
}
