/** Short texts of values. */

import type { RadarTrack } from "../wire/payloads.ts";
import type { Key } from "../text/index.ts";

/** Return a text in the user's language; it is given from outside, so that pictures are made without a page. */
export type Text = (key: Key, values?: Readonly<Record<string, string | number>>) => string;

const LONGEST = 11;

/** Return metres as `46.2 m`, `815 m`, `2.41 km` or `12.3 km`. */
export function distance(text: Text, metres: number): string {
  const size = Math.abs(metres);
  if (size < 999.5) return text("scopeMetres", { value: metres.toFixed(size < 99.95 ? 1 : 0) });
  return text("scopeKilometres", { value: (metres / 1000).toFixed(size < 9995 ? 2 : size < 99_950 ? 1 : 0) });
}

/** Return metres without digits that say nothing: `50 m`, `2 km`, `0 m`. */
export function roundDistance(text: Text, metres: number): string {
  const far = Math.abs(metres) >= 1000;
  return text(far ? "scopeKilometres" : "scopeMetres", { value: String(Number((far ? metres / 1000 : metres).toPrecision(4))) });
}

/** Return a bearing as three digits, such as `043`. */
export function threeDigits(degrees: number): string {
  return String(Math.round(degrees) % 360).padStart(3, "0");
}

/** Return a text of the wire, short and without characters that are not to be seen or turn the line round. */
export function shown(text: string): string {
  const part = text.slice(0, 4 * LONGEST).replace(/[\p{C}\p{Z}]+/gu, " ").trim();
  const letters = [...part];
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : part;
}

/** Return the identity that a track claims, or the first letters of its id; `!` before it marks a false identity. */
export function nameOf(track: RadarTrack): string {
  return (isSpoofed(track) ? "!" : "") + ((track.transponder_id && shown(track.transponder_id)) || shown(track.track_id.slice(0, 8)));
}

/** Return true if the tracker found that the identity is another's. */
export function isSpoofed(track: RadarTrack): boolean {
  return track.transponder_mode === 3;
}
