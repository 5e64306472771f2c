/** The user's choice. It is in the address (address.ts), and the same in all runs that are shown. */

import { signal } from "@preact/signals";

/** Track that is looked at; null: none. */
export const chosenTrack = signal<string | null>(null);
