/** Advice of the page: what is missing, and what to do about it. */

import type { Moment } from "../../run/types.ts";
import type { ClockState, LinkState } from "../../run/view.ts";
import { t, type Key } from "../../text/index.ts";
import { isHealthStale } from "./ages.ts";
import { age, clip, clockTime } from "./format.ts";

export interface Advice {
  readonly kind: "bad" | "warn" | "good";
  readonly text: string;
  /** A value that changes all the time: it is not read out. */
  readonly aside?: string;
}

/** Services that a stack needs, with what is lost without each. */
const NEEDED: Readonly<Record<string, Key>> = {
  "q-sim-service": "noSimulator",
  "q-sim-radar": "noRadar",
  "faststream-bridge": "noTracker",
  "qiki-dev": "noAgentService",
  registrar: "noRegistrar",
};

/** Return the advice about the way to the broker; null while it is open. */
export function linkAdvice(link: LinkState, now: number): Advice | null {
  const reason = link.reason && ` (${clip(link.reason, 200)})`;
  if (link.state === "open") return null;
  if (link.since === null) return { kind: link.reason ? "bad" : "warn", text: t("connecting") + reason };
  return { kind: "bad", text: t("lost", { time: clockTime(link.since, 0) }) + reason, aside: age(now - link.since) };
}

/** Return what is missing behind an open way; of a live stack also the services that do not report. */
export function missing(moment: Moment, clock: ClockState, played: boolean): readonly Advice[] {
  const advice: Advice[] = clock.span === null || !moment.frame ? [{ kind: "warn", text: t("nothingStored") }] : [];
  if (played || clock.mode !== "live") return advice;
  return [...advice, ...Object.entries(NEEDED).flatMap(([name, lost]) => service(moment, name, lost))];
}

function service(moment: Moment, name: string, lost: Key): readonly Advice[] {
  const health = moment.health.get(name);
  if (!moment.telemetry && !health) return []; // the page has just begun, or nothing runs: it is said above
  if (health && !isHealthStale(moment.at, health.storedAt)) return [];
  const since = health ? t("silentSince", { time: clockTime(health.storedAt, 0) }) : t("neverReported");
  return [{ kind: "bad", text: `${name} ${since}: ${t(lost)} ${t("restart", { name })}` }];
}
