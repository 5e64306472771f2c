/** Numbers, times and wire texts for display. */

import { language } from "../../text/index.ts";

const NONE = "–";
const UUID = /\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const UNITS_RU: Readonly<Record<string, string>> = {
  m: "м",
  km: "км",
  "m/s": "м/с",
  s: "с",
  min: "мин",
  h: "ч",
  dB: "дБ",
  "dBm²": "дБм²",
  W: "Вт",
  kg: "кг",
};
/** Control characters, and the invisible ones that turn a line around. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/** Return a number with a fixed number of decimals and a real minus sign. */
export function number(value: number | null | undefined, digits = 0, unit = ""): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const text = value.toFixed(digits).replace(/^-(?=0(\.0*)?$)/, "").replace("-", "−");
  return unit ? `${text} ${language.value === "ru" ? (UNITS_RU[unit] ?? unit) : unit}` : text;
}

/** Return a distance [m]: kilometres from 10 km on. */
export function metres(value: number | null | undefined): string {
  const size = Math.abs(value ?? 0);
  if (size >= 9_999.5) return number((value ?? 0) / 1000, 2, "km");
  return number(value, size < 999.95 ? 1 : 0, "m");
}

/** Return an age [ms] in the unit that suits it. */
export function age(ms: number | null): string {
  if (ms === null) return NONE;
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 9.95) return number(seconds, 1, "s");
  if (seconds < 120) return number(seconds, 0, "s");
  return seconds < 7200 ? number(seconds / 60, 0, "min") : number(seconds / 3600, 0, "h");
}

/** Return a UTC time of day, from Unix milliseconds. */
export function clockTime(ms: number, digits = 1): string {
  const text = iso(ms);
  return text ? text.slice(11, 19 + (digits ? 1 + digits : 0)) : NONE;
}

/** Return the time of an event, with its day where that is not the day of the moment: services have wall time. */
export function eventTime(ms: number, momentMs: number): string {
  return day(ms) === day(momentMs) ? clockTime(ms) : `${day(ms).slice(5)} ${clockTime(ms, 0)}`;
}

/** Return a UTC day, from Unix milliseconds. */
export function day(ms: number): string {
  return iso(ms).slice(0, 10) || NONE;
}

function iso(ms: number): string {
  return Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : "";
}

/** Return the first digits of an identity, as `qiki watch` has them. */
export function shortId(id: string): string {
  return clip(id, 8, "");
}

/** Return a text from the wire in one line, without unseen characters, and at most so long. */
export function clip(text: unknown, most = 240, end = "…"): string {
  const whole = typeof text === "string" ? text : (JSON.stringify(text) ?? "");
  const seen = whole.slice(0, most * 2 + 16).replace(UNSEEN, " ");
  const letters = Array.from(seen);
  return letters.length > most ? letters.slice(0, most).join("") + end : seen;
}

/** Return a text from the wire with each UUID as its first digits. */
export function brief(text: string, most = 240): string {
  return clip(text.slice(0, 4 * most).replace(UUID, "$1"), most);
}

/** Return the first UUID in a text. */
export function uuidIn(text: string): string | undefined {
  return text.match(UUID)?.[0];
}
