/** The picture in words, for those who do not see it. */

import type { Moment } from "../run/types.ts";
import type { RadarTrack } from "../wire/payloads.ts";
import { distance, isSpoofed, nameOf, type Text } from "./format.ts";
import { sideOf, statusOf, type Status } from "./symbols.ts";
import type { Side } from "./parts/ink.ts";

/** Return the number of tracks by side, and the nearest one. */
export function summaryOf(moment: Moment, text: Text): string {
  const tracks = (moment.frame?.tracks ?? []).filter((track) => track.status !== 3);
  if (!tracks.length) return text(moment.frame ? "scopeNoTracks" : "scopeNoFrame");
  const nearest = tracks.reduce((one, other) => (other.range_m < one.range_m ? other : one));
  return [
    text("scopeCounted", { count: tracks.length, ...sides(tracks), spoofed: tracks.filter(isSpoofed).length }),
    text("scopeNearest", place(nearest, text)),
    ...(moment.telemetry?.value.propulsion.rcs_active ? [text("scopeThrusters")] : []),
  ].join(" ");
}

function sides(tracks: readonly RadarTrack[]): Record<Side, number> {
  const counts = { friend: 0, foe: 0, unknown: 0 };
  for (const track of tracks) counts[sideOf(track)]++;
  return counts;
}

function place(track: RadarTrack, text: Text): { name: string; range: string; bearing: number } {
  return { name: nameOf(track), range: distance(text, track.range_m), bearing: Math.round(track.bearing_deg) % 360 };
}

const SIDE_KEYS = { friend: "scopeFriendly", foe: "scopeHostile", unknown: "scopeUnknownSide" } as const satisfies Record<Side, string>;
const STATUS_KEYS = {
  new: "scopeStatusNew",
  tracked: "scopeStatusTracked",
  coasting: "scopeStatusCoasting",
  lost: "scopeStatusLost",
} as const satisfies Record<Status, string>;

/** Return a sentence about the chosen track, which is read out when it is chosen or changes its state. */
export function chosenSentence(moment: Moment, chosen: string | null, text: Text): string {
  if (!chosen) return "";
  const track = moment.frame?.tracks.find((one) => one.track_id === chosen);
  if (!track) return text("scopeChosenGone");
  const words = { side: text(SIDE_KEYS[sideOf(track)]), status: text(STATUS_KEYS[statusOf(track)]) };
  return text("scopeChosenTrack", { ...place(track, text), ...words }) + (isSpoofed(track) ? ` ${text("scopeSpoofed")}` : "");
}

/** Return what must change for the sentence to be read out again: not the range, which always changes. */
export function chosenState(moment: Moment | null, chosen: string | null): string {
  const track = moment?.frame?.tracks.find((one) => one.track_id === chosen);
  return `${chosen} ${track ? `${sideOf(track)} ${statusOf(track)} ${isSpoofed(track)}` : ""}`;
}
