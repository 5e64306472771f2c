/** Events as sentences: a template by kind, and by code or outcome where there are several (docs/events.md). */

import type { Happening } from "../../run/types.ts";
import { t, type Key } from "../../text/index.ts";
import { eventsEn } from "../../text/events.ts";
import { brief, clip, shortId } from "./format.ts";
import { CONDITIONS } from "./names.ts";
import { isObject, numberOf, objectsOf, textOf, type Payload } from "./payload.ts";

const OUTCOMES = ["available", "accepted", "all_systems_go"];
/** In every payload, or for programs only. */
const UNSAID = new Set(["schema_version", "category", "source", "ts_epoch", "kind", "run_id", "fsm_event", "rests_on"]);
const LONGEST = 500;

/** Return an event as a sentence; `devices` has the names of actuators by id. */
export function sentence(event: Happening, devices: ReadonlyMap<string, string> = new Map()): string {
  const { kind, code, payload } = event;
  const outcome = OUTCOMES.map((name) => payload[name]).find((value) => typeof value === "boolean");
  const keys = [`ev_${kind}_${code}`, `ev_${kind}_${outcome ? "yes" : "no"}`, `ev_${kind}`];
  const key = keys.find(isKey);
  const text = key ? t(key, values(event, devices)) : generic(payload);
  return brief(text.trim(), LONGEST);
}

function isKey(text: string): text is Key & keyof typeof eventsEn {
  return Object.hasOwn(eventsEn, text);
}

function values(event: Happening, devices: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const { payload } = event;
  const texts = Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, valueText(value)]));
  const actuator = textOf(payload, "actuator");
  return {
    ...texts,
    track: shortId(textOf(payload, "track_id")),
    device: devices.get(actuator) ?? shortId(actuator),
    devices: faultyDevices(event),
  };
}

function generic(payload: Payload): string {
  const said = Object.entries(payload).filter(([name, value]) => !UNSAID.has(name) && value !== null && value !== "");
  return said.map(([name, value]) => `${clip(name, 40)}=${valueText(value)}`).join(" ");
}

function valueText(value: unknown): string {
  if (typeof value === "number") return String(Number(value.toPrecision(4)));
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return clip(value.join("; ")) || "–";
  if (isObject(value)) return clip(Object.entries(value).map(([name, one]) => `${name}: ${valueText(one)}`).join("; "));
  return value === null ? "–" : clip(value);
}

/** Return who commanded, or tried to; empty if nobody did. */
export function commander(event: Happening): string {
  return clip(textOf(event.payload, "identity") || textOf(event.payload, "sender"), 60);
}

/** Return the devices that a self test found faulty, with their conditions. */
export function faultyDevices(event: Happening | undefined): string {
  if (!event) return "";
  const faulty = objectsOf(event.payload, "post_results").filter((device) => numberOf(device, "status") !== 1);
  return faulty.map(deviceText).join("; ");
}

function deviceText(device: Payload): string {
  const condition = CONDITIONS[numberOf(device, "status") ?? 0] ?? "?";
  return clip(`${textOf(device, "device_name")} ${condition} ${textOf(device, "error_message")}`.trim());
}

/** Return the names of devices by id, from the newest self test. */
export function deviceNames(events: readonly Happening[]): ReadonlyMap<string, string> {
  const test = events.findLast((event) => event.kind === "BiosStatus");
  const devices = test ? objectsOf(test.payload, "post_results") : [];
  return new Map(devices.map((device) => [textOf(device, "device_id"), clip(textOf(device, "device_name"), 60)]));
}
