/** The plan view: a plan-position indicator. */

import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { chosenTrack } from "../run/choice.ts";
import { t } from "../text/index.ts";
import { distance, threeDigits } from "./format.ts";
import { Instrument, type SightProps } from "./instrument.tsx";
import type { Places } from "./parts/labels.ts";
import { picture } from "./picture.ts";
import { bearingOf, planOf, toMetres } from "./projection.ts";
import { resize, sight, turnOf } from "./sight.ts";

/** Draw the surroundings of a run's vehicle from above. */
export function Scope({ view, rules = [], run = "", only }: SightProps): JSX.Element {
  const places = useMemo<Places>(() => new Map(), [view]);
  return (
    <Instrument
      name={view.name}
      title={run ? `${t("scope")}, ${run}` : t("scope")}
      kind="plan"
      moment={() => view.moment.peek()}
      make={(size, measure) => {
        resize(view.name, size);
        const moment = view.moment.value;
        const projection = planOf(sight.value, size, turnOf(sight.value, moment));
        return picture(moment, projection, { rules, chosen: chosenTrack.value, only: only?.(), places, text: t, measure });
      }}
      readout={(size, x, y) => {
        const projection = planOf(sight.peek(), size, turnOf(sight.peek(), view.moment.peek()));
        const [east, north] = toMetres(projection, x, y);
        return `${distance(t, Math.hypot(east, north))}  ${threeDigits(bearingOf(east, north))}°`;
      }}
    />
  );
}
