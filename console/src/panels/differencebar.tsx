/** Differences of the two runs in the frame that both show. */

import { useComputed, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Configuration } from "../config.ts";
import type { View } from "../run/view.ts";
import { t } from "../text/index.ts";
import { clip } from "./values/format.ts";
import { difference, goToNewestRun, shownNames, type Difference } from "./ways/pair.ts";

/** Return the difference of the first two runs; null while they show different frames, or there is one run. */
export function useDifference(views: readonly View[]): ReadonlySignal<Difference | null> {
  return useComputed(() => {
    const [a, b] = views;
    return a && b ? difference(a.moment.value.frame, b.moment.value.frame) : null;
  });
}

interface Properties {
  readonly views: readonly [View, ...View[]];
  readonly difference: ReadonlySignal<Difference | null>;
  readonly divergence: Configuration["divergence"];
  readonly shown: Signal<number>;
}

export function DifferenceBar({ views, difference: found, divergence, shown }: Properties) {
  const [lead] = views;
  return (
    <section class="bar difference" aria-label={t("runs")}>
      <label>
        {t("showsRun")}{" "}
        <select value={shown.value} onChange={(event) => (shown.value = event.currentTarget.selectedIndex)}>
          {shownNames(views).map((name, index) => (
            <option value={index}>{name}</option>
          ))}
        </select>
      </label>
      <strong class={isSame(found.value) ? "good" : "warn"}>{differenceText(views, found.value)}</strong>
      {divergence ? (
        <>
          <button type="button" onClick={() => goToNewestRun(lead, divergence.frame)}>
            {t("toDivergence", { frame: divergence.frame })}
          </button>
          <span class="dim">{clip(divergence.text)}</span>
        </>
      ) : (
        <span class="dim">{t("noDivergence")}</span>
      )}
    </section>
  );
}

function isSame(found: Difference | null): boolean {
  return found !== null && found.onlyA.size + found.onlyB.size + found.changed.size === 0;
}

function differenceText(views: readonly View[], found: Difference | null): string {
  const [number = 0, numberB = 0] = views.map((view) => view.moment.value.frame?.number ?? 0);
  const [nameA = "", nameB = ""] = shownNames(views);
  if (!found && views.some((view) => view.clock.state.value.reading)) return t("reading");
  if (!found) return t("differFrames", { number, nameA, numberB, nameB });
  if (isSame(found)) return t("differNone", { number });
  return t("differCounts", { number, a: found.onlyA.size, b: found.onlyB.size, changed: found.changed.size, nameA, nameB });
}
