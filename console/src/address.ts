/** The moment and the choice in the page's address, so that they can be sent to somebody. */

import { computed, effect } from "@preact/signals";
import { chosenTrack } from "./run/choice.ts";
import type { View } from "./run/view.ts";

const STEADY_MS = 300;
const MOST_ID = 100;

/** A moment, as a frame of a run, and a track. Null: live, none. */
export interface Address {
  readonly run: string | null;
  readonly frame: number | null;
  readonly track: string | null;
}

/** Return what a location's hash names. A frame without its run is none. */
export function parseAddress(hash: string): Address {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const run = values.get("run") || null;
  const frame = /^\d{1,12}$/.test(values.get("frame") ?? "") ? Number(values.get("frame")) : null;
  const track = values.get("track") || null;
  const isMoment = run !== null && run.length <= MOST_ID && frame !== null;
  return {
    run: isMoment ? run : null,
    frame: isMoment ? frame : null,
    track: track !== null && track.length <= MOST_ID ? track : null,
  };
}

/** Return a location's hash with an address; what else it says stays. */
export function withAddress(hash: string, { run, frame, track }: Address): string {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  for (const [name, value] of Object.entries({ run, frame, track })) {
    if (value === null) values.delete(name);
    else values.set(name, String(value));
  }
  const text = values.toString();
  return text ? `#${text}` : "";
}

/** Go to what the address names, now and at each change of it, and keep it up to date while time stands still. */
export function keepAddress(view: View): () => void {
  /** The place where time stands, -1: live, null: it moves. */
  const still = computed(() => {
    const { mode, place, reading } = view.clock.state.value;
    if (mode === "live") return -1;
    return mode === "past" && !reading ? place : null;
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let going = 0;
  const write = (): void => {
    const hash = withAddress(location.hash, addressOf(view));
    if (going > 0 || still.peek() === null || hash === location.hash) return;
    history.replaceState(history.state, "", `${location.pathname}${location.search}${hash}`);
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(write, STEADY_MS);
  };
  const changed = (): void => {
    going++;
    void go(view).finally(() => {
      going--;
      soon();
    });
  };
  addEventListener("hashchange", changed);
  changed();
  const stop = effect(() => {
    void still.value;
    void chosenTrack.value;
    soon();
  });
  return () => {
    removeEventListener("hashchange", changed);
    clearTimeout(timer);
    stop();
  };
}

async function go({ clock }: View): Promise<void> {
  const { run, frame, track } = parseAddress(location.hash);
  chosenTrack.value = track;
  if (run === null || frame === null || !(await clock.goToFrame(run, frame))) clock.live();
}

function addressOf(view: View): Address {
  const { mode } = view.clock.state.peek();
  const { frame } = view.moment.peek();
  const isPast = mode === "past" && frame !== null;
  return { run: isPast ? frame.run : null, frame: isPast ? frame.number : null, track: chosenTrack.peek() };
}
