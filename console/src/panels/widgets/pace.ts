/** Slower signals for text: a person reads no ten values a second. */

import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import type { Moment } from "../../run/types.ts";
import type { View } from "../../run/view.ts";

const PACE_MS = 200;

/** Return a signal that follows another one, at most once in `ms`. */
export function paced<T>(source: ReadonlySignal<T>, ms = PACE_MS): ReadonlySignal<T> {
  const slow = signal(source.peek());
  let shownAt = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const show = () => {
    timer = null;
    shownAt = Date.now();
    slow.value = source.peek();
  };
  effect(() => {
    void source.value;
    timer ??= setTimeout(show, Math.max(0, shownAt + ms - Date.now()));
  });
  return slow;
}

/** Return the same view with a slower moment, which also ages while the connection is lost. */
export function pacedView(view: View): View {
  const moment = paced(view.moment);
  const shown = computed(() => ({ moment: moment.value, at: Date.now() }));
  return {
    name: view.name,
    played: view.played,
    link: view.link,
    clock: view.clock,
    answers: view.answers,
    moment: computed(() => (view.link.value.state === "lost" ? aged(shown.value) : shown.value.moment)),
    command: (name, parameters) => view.command(name, parameters),
    message: (stream, sequence) => view.message(stream, sequence),
  };
}

/** Return a live moment as it is now; a past one does not age. */
function aged({ moment, at }: { readonly moment: Moment; readonly at: number }): Moment {
  return { ...moment, at: moment.at + Math.max(0, now.value - at) };
}

/** Unix milliseconds by this machine's clock, once a second. */
export const now = signal(Date.now());

/** Let `now` go on. */
export function startNow(): void {
  setInterval(() => (now.value = Date.now()), 1000);
}
