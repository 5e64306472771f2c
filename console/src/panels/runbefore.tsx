/** The run before the newest one: its last moment, and how it is kept as a file. */

import type { View } from "../run/view.ts";
import { t } from "../text/index.ts";
import { clip, shortId } from "./values/format.ts";

/** Words on the run before, with a way to its last moment; nothing where there is none. */
export function RunBefore({ view }: { readonly view: View }) {
  const [before, newest] = view.clock.state.value.span?.runs.slice(-2) ?? [];
  if (!before || !newest) return null;
  const { run, scenario } = before;
  const command = `qiki record --run ${shortId(run)}`;
  return (
    <span class="run-before">
      {t("runBefore", { scenario: clip(scenario, 60), run: shortId(run) })}{" "}
      <button type="button" onClick={() => view.clock.goTo(newest.sequence - 1)}>
        {t("lastMoment")}
      </button>{" "}
      {!view.played && (
        <>
          {t("toKeepIt")} <code>{command}</code>
        </>
      )}
    </span>
  );
}
