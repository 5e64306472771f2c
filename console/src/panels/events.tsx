/** Events, newest first, and the state of the audit chain. */

import { useSignal } from "@preact/signals";
import type { Happening, Moment, Severity } from "../run/types.ts";
import type { View } from "../run/view.ts";
import { t } from "../text/index.ts";
import { CODES } from "./values/codes.ts";
import { clip, day, eventTime } from "./values/format.ts";
import { goToEvent } from "./ways/jump.ts";
import { More } from "./widgets/more.tsx";
import { commander, deviceNames, sentence } from "./values/sentences.ts";

const SEVERITIES: readonly Severity[] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

export interface EventFilter {
  /** First digits of the code. */
  readonly code: string;
  /** The least. */
  readonly severity: Severity;
  /** Empty: all. */
  readonly source: string;
}

/** Return the events that a filter lets through, newest first. */
export function filteredEvents(events: readonly Happening[], filter: EventFilter): readonly Happening[] {
  const least = SEVERITIES.indexOf(filter.severity);
  return events
    .filter((event) => String(event.code).startsWith(filter.code.trim()))
    .filter((event) => SEVERITIES.indexOf(event.severity) >= least)
    .filter((event) => !filter.source || sourceOf(event) === filter.source)
    .reverse();
}

function sourceOf(event: Happening): string {
  return clip(event.source.replace(/^urn:qiki:/, ""), 60);
}

/** Events with their filters. */
export function Events({ view }: { readonly view: View }) {
  const filter = useSignal<EventFilter>({ code: "", severity: "INFO", source: "" });
  const lost = useSignal(false);
  const moment = view.moment.value;
  const rows = filteredEvents(moment.events, filter.value);
  const devices = deviceNames(moment.events);
  const at = moment.frame?.time ?? 0;
  const go = (event: Happening) => void goToEvent(view, event).then((found) => (lost.value = !found));
  return (
    <section class="events" aria-label={t("events")}>
      <Filters moment={moment} filter={filter.value} change={(next) => (filter.value = { ...filter.value, ...next })} />
      <p role="status" class="warn">
        {lost.value && t("gone")}
      </p>
      <More
        rows={rows}
        empty={t(moment.events.length ? "noneFiltered" : "noEvents")}
        row={(event) => <Row key={event.id} event={event} time={eventTime(event.time, at)} devices={devices} go={go} />}
      />
    </section>
  );
}

interface FilterProperties {
  readonly moment: Moment;
  readonly filter: EventFilter;
  readonly change: (next: Partial<EventFilter>) => void;
}

function Filters({ moment, filter, change }: FilterProperties) {
  const sources = [...new Set([...moment.events.map(sourceOf), filter.source])].filter(Boolean).sort();
  return (
    <div class="bar">
      <input
        type="search"
        inputMode="numeric"
        size={6}
        aria-label={t("code")}
        placeholder={t("code")}
        value={filter.code}
        onInput={(event) => change({ code: event.currentTarget.value })}
      />
      <select
        aria-label={t("severity")}
        value={filter.severity}
        onChange={(event) => change({ severity: SEVERITIES[event.currentTarget.selectedIndex] ?? "DEBUG" })}
      >
        {SEVERITIES.map((one) => (
          <option value={one}>≥ {one}</option>
        ))}
      </select>
      <select
        aria-label={t("source")}
        value={filter.source}
        onChange={(event) => change({ source: event.currentTarget.value })}
      >
        <option value="">{t("allSources")}</option>
        {sources.map((one) => (
          <option value={one}>{one}</option>
        ))}
      </select>
      <Audit moment={moment} />
    </div>
  );
}

function Audit({ moment }: { readonly moment: Moment }) {
  const { audit } = moment;
  if (!audit) return <span class="dim right">{t("auditNone")}</span>;
  const text = t(audit.whole ? "auditWhole" : "auditBroken", { sequence: audit.sequence });
  return <span class={`right ${audit.whole ? "good" : "bad"}`}>{text}</span>;
}

interface RowProperties {
  readonly event: Happening;
  readonly time: string;
  readonly devices: ReadonlyMap<string, string>;
  readonly go: (event: Happening) => void;
}

function Row({ event, time, devices, go }: RowProperties) {
  const who = commander(event);
  return (
    <li class={event.severity.toLowerCase()}>
      <button type="button" class="link time" title={`${day(event.time)} UTC`} onClick={() => go(event)}>
        {time}
      </button>{" "}
      <span class="severity">{event.severity}</span> <span title={CODES[event.code]}>{event.code || "–"}</span>{" "}
      {sentence(event, devices)}{" "}
      <span class="dim">
        {CODES[event.code]} · {sourceOf(event)}
        {who && ` · ${t("by", { who })}`}
      </span>
    </li>
  );
}
