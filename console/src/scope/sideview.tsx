/** The side view: heights, below the plan view. */

import type { JSX } from "preact";
import type { GuardRule } from "../config.ts";
import { chosenTrack } from "../run/choice.ts";
import type { View } from "../run/view.ts";
import { t } from "../text/index.ts";
import { distance } from "./format.ts";
import { Instrument } from "./instrument.tsx";
import type { Projection, Size } from "./projection.ts";
import { sidePicture, sideOfSight, stretchOf } from "./side.ts";
import { initial, sight, turnOf } from "./sight.ts";

/** Draw the surroundings of a run's vehicle from the side, across as in the plan view. */
export function SideView({ view, rules = [] }: { readonly view: View; readonly rules?: readonly GuardRule[] }): JSX.Element {
  const projection = (size: Size): Projection => {
    const [moment, now] = [view.moment.value, sight.value.metresPerPixel ? sight.value : initial()];
    const turn = turnOf(now, moment);
    return sideOfSight(now, size, turn, stretchOf(moment, now, size, turn));
  };
  return (
    <Instrument
      name={`${view.name}/side`}
      title={t("scopeSide")}
      kind="side"
      moment={() => view.moment.peek()}
      make={(size, measure) =>
        sidePicture(view.moment.value, projection(size), { rules, chosen: chosenTrack.value, text: t, measure })
      }
      readout={(size, x, y) => {
        const { x0, y0, scale, rise } = projection(size);
        return `${distance(t, (x - x0) / scale)}  ↕ ${distance(t, (y0 - y) / rise)}`;
      }}
    />
  );
}
