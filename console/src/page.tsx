/** The page around the canvas. */

import { signal, useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Configuration } from "./config.ts";
import { AgentPanel } from "./panels/agent.tsx";
import { Banner } from "./panels/banner.tsx";
import { Commands } from "./panels/commands.tsx";
import { Decisions } from "./panels/decisions.tsx";
import { Events } from "./panels/events.tsx";
import { Head } from "./panels/head.tsx";
import { Orders } from "./panels/orders.tsx";
import { pacedView } from "./panels/widgets/pace.ts";
import { follow, goToNewestRun, shownNames } from "./panels/ways/pair.ts";
import { DifferenceBar, useDifference } from "./panels/differencebar.tsx";
import { Plots } from "./panels/plots.tsx";
import { Services } from "./panels/services.tsx";
import { Tabs, type Tab } from "./panels/widgets/tabs.tsx";
import { TimeBar } from "./panels/timebar.tsx";
import { TrackPanel } from "./panels/track.tsx";
import { TrackTable } from "./panels/tracktable.tsx";
import { chosenTrack } from "./run/choice.ts";
import type { View } from "./run/view.ts";
import { Scope } from "./scope/scope.tsx";
import { SideView } from "./scope/sideview.tsx";
import { language, t } from "./text/index.ts";

type TabName = "track" | "events" | "decisions" | "orders" | "plots" | "services" | "commands";
type Area = "scope" | "tracks" | "agent" | "details";
const AREAS: readonly Area[] = ["scope", "tracks", "agent", "details"];

const tab = signal<TabName>("events");
/** The one part that a narrow screen shows. */
const area = signal<Area>("scope");
/** Index of the run that the panels show. */
const panelsShow = signal(0);

interface Properties {
  /** One run, or two side by side; the bar of time moves all. */
  readonly views: readonly [View, ...View[]];
  readonly configuration: Configuration;
}

export function Page({ views, configuration }: Properties) {
  const slow = useMemo(() => views.map(pacedView), [views]);
  const [lead] = views;
  const shown = views[panelsShow.value] ?? lead;
  const view = slow[panelsShow.value] ?? shown;
  const difference = useDifference(views);
  const frame = configuration.divergence?.frame ?? null;
  const mode = useComputed(() => lead.clock.state.value.mode);
  const divergence = useComputed(() => divergencePlace(lead, frame));
  usePair(views, frame);
  useDocument();
  useTrackTab();
  const names = views.length > 1 ? shownNames(views) : [];
  const onlyIn = (index: number) => (index ? difference.value?.onlyB : difference.value?.onlyA);
  const only = onlyIn(panelsShow.value);
  const sights = (one: View, index: number) => ({
    view: one,
    rules: configuration.guard_rules,
    run: names[index] ?? "",
    only: () => onlyIn(index),
  });
  return (
    <div class={`page ${mode.value}`} data-area={area.value}>
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>(".roll table")?.focus()}>
        {t("skip")}
      </button>
      <Head view={view} />
      <div class="banners">
        {views.map((one, index) => (
          <Banner key={one.name} view={one} name={names[index] ?? ""} />
        ))}
        {views.length > 1 && <DifferenceBar views={views} difference={difference} divergence={configuration.divergence} shown={panelsShow} />}
      </div>
      <main>
        <div class="scopes">
          {views.map((one, index) => (
            <div class="sights" key={one.name}>
              {names[index] && <h2>{names[index]}</h2>}
              <Scope {...sights(one, index)} />
              <SideView {...sights(one, index)} />
            </div>
          ))}
        </div>
        <AgentPanel view={view} />
        <TrackTable view={view} {...(only && { only })} />
        <Tabs label={t("area_details")} tabs={tabs(view, configuration)} chosen={tab} />
      </main>
      <TimeBar view={lead} divergence={divergence.value} />
      <Areas />
    </div>
  );
}

function tabs(view: View, { scenarios }: Configuration): readonly Tab<TabName>[] {
  return [
    { name: "events", title: "tab_events", panel: () => <Events view={view} /> },
    { name: "decisions", title: "tab_decisions", panel: () => <Decisions view={view} /> },
    { name: "orders", title: "tab_orders", panel: () => <Orders view={view} /> },
    { name: "track", title: "tab_track", panel: () => <TrackPanel view={view} /> },
    { name: "plots", title: "tab_plots", panel: () => <Plots view={view} /> },
    { name: "services", title: "tab_services", panel: () => <Services view={view} /> },
    { name: "commands", title: "tab_commands", panel: () => <Commands view={view} scenarios={scenarios} /> },
  ];
}

/** The parts of the page, for narrow screens. */
function Areas() {
  return (
    <nav class="areas" aria-label={t("areas")}>
      {AREAS.map((one) => (
        <button type="button" aria-current={area.value === one ? "true" : undefined} onClick={() => (area.value = one)}>
          {t(`area_${one}`)}
        </button>
      ))}
    </nav>
  );
}

/** Keep two runs at the same frame; the key `d` goes to their first difference. */
function usePair(views: Properties["views"], divergence: number | null): void {
  const [lead, other] = views;
  useEffect(() => (other ? follow(lead, other) : undefined), [lead, other]);
  useEffect(() => {
    if (!other || divergence === null) return undefined;
    const go = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key === "d" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) goToNewestRun(lead, divergence);
    };
    addEventListener("keydown", go);
    return () => removeEventListener("keydown", go);
  }, [lead, other, divergence]);
}

function divergencePlace(lead: View, frame: number | null): number | null {
  const run = lead.clock.state.value.span?.runs.at(-1);
  return run && frame !== null ? run.sequence + frame : null;
}

function useDocument(): void {
  useSignalEffect(() => {
    document.documentElement.lang = language.value;
    document.title = t("title");
  });
}

/** Show the track's tab when another track is chosen; commands stay in sight. */
function useTrackTab(): void {
  useSignalEffect(() => {
    if (chosenTrack.value !== null && tab.peek() !== "commands") tab.value = "track";
  });
}
