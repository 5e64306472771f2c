/** Order and choice of the rows of the track table, and which of them are seen. */

import type { RadarTrack } from "../../wire/payloads.ts";
import { kindName, sideClass, sideName, SPOOF, statusName } from "./names.ts";

export type Column =
  | "id"
  | "side"
  | "identity"
  | "spoof"
  | "range"
  | "bearing"
  | "elevation"
  | "closing"
  | "kind"
  | "status"
  | "quality"
  | "age";

export interface Order {
  readonly column: Column;
  readonly down: boolean;
}

export type SideFilter = "all" | "friend" | "foe" | "unknown" | "spoof";

const VALUES: Readonly<Record<Column, (track: RadarTrack) => string | number>> = {
  id: (track) => track.track_id,
  side: (track) => sideName(track.iff),
  identity: (track) => track.transponder_id ?? "",
  spoof: (track) => Number(isSpoof(track)),
  range: (track) => track.range_m,
  bearing: (track) => track.bearing_deg,
  elevation: (track) => track.elev_deg,
  closing: (track) => -track.vr_mps,
  kind: (track) => kindName(track.object_type),
  status: (track) => track.status,
  quality: (track) => track.quality ?? 0,
  age: (track) => track.age_s ?? 0,
};

export const COLUMNS = Object.keys(VALUES) as readonly Column[];

export function isSpoof(track: RadarTrack): boolean {
  return track.transponder_mode === SPOOF;
}

/** Return the tracks that a text and a side let through, in an order; equal ones by identity. */
export function sortedRows(
  tracks: readonly RadarTrack[],
  order: Order,
  text: string,
  side: SideFilter,
): readonly RadarTrack[] {
  const value = VALUES[order.column];
  const sign = order.down ? -1 : 1;
  return tracks
    .filter((track) => isSide(track, side) && hasText(track, text.trim().toLowerCase()))
    .sort((a, b) => sign * compared(value(a), value(b)) || compared(a.track_id, b.track_id));
}

function compared(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isSide(track: RadarTrack, side: SideFilter): boolean {
  if (side === "all") return true;
  if (side === "spoof") return isSpoof(track);
  return side === sideClass(track.iff);
}

function hasText(track: RadarTrack, text: string): boolean {
  if (!text) return true;
  const words = [track.track_id, track.transponder_id ?? "", kindName(track.object_type), sideName(track.iff)];
  return [...words, statusName(track.status)].some((word) => word.toLowerCase().includes(text));
}

/** Return the first row that is drawn, and the one behind the last, for a list that is scrolled [px]. */
export function seenRows(count: number, scrolled: number, height: number, row: number): readonly [number, number] {
  const spare = 6;
  const first = Math.max(0, Math.min(count, Math.floor(scrolled / row)) - spare);
  return [first, Math.min(count, Math.ceil((scrolled + height) / row) + spare)];
}
