/** The middle of the plan view. */

import type { Moment } from "../../run/types.ts";
import { sight, turnOf } from "../../scope/sight.ts";
import { positionOf } from "../../scope/symbols.ts";
import type { RadarTrack } from "../../wire/payloads.ts";

/** Move the plan view so that a track is in its middle. */
export function centreOn(track: RadarTrack, moment: Moment): void {
  const [east, north] = positionOf(track);
  const turn = (turnOf(sight.peek(), moment) * Math.PI) / 180;
  const [sine, cosine] = [Math.sin(turn), Math.cos(turn)];
  sight.value = { ...sight.peek(), right: cosine * east - sine * north, up: sine * east + cosine * north };
}
