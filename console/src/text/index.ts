/** Texts in the user's language. */

import { signal } from "@preact/signals";
import { en } from "./en.ts";
import { ru } from "./ru.ts";

export type Key = keyof typeof en;
export type Language = "en" | "ru";

const TEXTS: Readonly<Record<Language, Readonly<Record<Key, string>>>> = { en, ru };

export const language = signal<Language>(navigator.language.startsWith("ru") ? "ru" : "en");

/** Return a text; `{name}` in it is replaced by the value of that name. */
export function t(key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  return TEXTS[language.value][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
