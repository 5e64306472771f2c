/** The side view: heights, below the plan view. */

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { chosenTrack } from "../run/choice.ts";
import { t } from "../text/index.ts";
import { distance } from "./format.ts";
import { Instrument, type SightProps } from "./instrument.tsx";
import type { Places } from "./parts/labels.ts";
import type { Projection, Size } from "./projection.ts";
import { sidePicture, sideOfSight, stretchOf } from "./side.ts";
import { initial, sight, turnOf } from "./sight.ts";

/** Draw the surroundings of a run's vehicle from the side, across as in the plan view. */
export function SideView({ view, rules = [], run = "", only }: SightProps): JSX.Element {
  const places = useMemo<Places>(() => new Map(), [view]);
  const projection = (size: Size): Projection => {
    const [moment, now] = [view.moment.value, sight.value.metresPerPixel ? sight.value : initial()];
    const turn = turnOf(now, moment);
    return sideOfSight(now, size, turn, stretchOf(moment, now, size, turn));
  };
  return (
    <Instrument
      name={`${view.name}/side`}
      title={run ? `${t("scopeSide")}, ${run}` : t("scopeSide")}
      kind="side"
      moment={() => view.moment.peek()}
      make={(size, measure) =>
        sidePicture(view.moment.value, projection(size), {
          rules,
          chosen: chosenTrack.value,
          only: only?.(),
          places,
          text: t,
          measure,
        })
      }
      readout={(size, x, y) => {
        const { x0, y0, scale, rise } = projection(size);
        return `${distance(t, (x - x0) / scale)}  ↕ ${distance(t, (y0 - y) / rise)}`;
      }}
    />
  );
}
