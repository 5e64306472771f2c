/** The operator's right: a one-time link is exchanged for a user of the broker that lives for a while. */

import { signal } from "@preact/signals";
import { clip } from "./panels/values/format.ts";
import { t } from "./text/index.ts";

const KEPT = "qiki-operator";

/** A user of the broker, until a time, Unix milliseconds. */
interface Right {
  readonly user: string;
  readonly password: string;
  readonly until: number;
}

/** Taker of the right. */
export interface Operated {
  /** Connect as a user; return why the broker refuses him, or an empty text. */
  operate(user: string, password: string, untilMs: number): Promise<string>;
}

/** Why there is no right to command; empty if there is, or none was asked for. */
export const sessionNotice = signal("");

/** Exchange the link's token, or take up the right that this tab has from before a reload. */
export async function openSession(model: Operated): Promise<void> {
  const token = takeToken();
  sessionNotice.value = "";
  const right = token === null ? keptRight() : await exchanged(token);
  if (!right) return;
  sessionStorage.setItem(KEPT, JSON.stringify(right));
  const refusal = await model.operate(right.user, right.password, right.until);
  if (!refusal) return;
  sessionStorage.removeItem(KEPT);
  sessionNotice.value = t("rightRefused", { reason: clip(refusal) });
}

/** Open the session, and again when a new link is followed in the same tab. */
export function keepSession(model: Operated): void {
  void openSession(model);
  addEventListener("hashchange", () => {
    if (new URLSearchParams(location.hash.slice(1)).has("token")) void openSession(model);
  });
}

/** Return the token of the address, and remove it from there: it must not be copied, nor stay in the history. */
function takeToken(): string | null {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get("token");
  if (token === null) return null;
  fragment.delete("token");
  const rest = fragment.toString();
  history.replaceState(history.state, "", location.pathname + location.search + (rest && `#${rest}`));
  return token;
}

async function exchanged(token: string): Promise<Right | null> {
  try {
    const answer = await fetch("session", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token }),
    });
    const body: unknown = await answer.json();
    const right = answer.ok ? read(body) : null;
    if (!right) sessionNotice.value = t("sessionRefused", { reason: reason(body) || String(answer.status) });
    return right;
  } catch (error) {
    sessionNotice.value = t("sessionRefused", { reason: clip(String(error)) });
    return null;
  }
}

function keptRight(): Right | null {
  const kept = sessionStorage.getItem(KEPT);
  const right = kept === null ? null : read(JSON.parse(kept));
  if (right && right.until > Date.now()) return right;
  sessionStorage.removeItem(KEPT);
  return null;
}

function read(value: unknown): Right | null {
  if (typeof value !== "object" || value === null) return null;
  const { user, password, until } = value as Partial<Record<string, unknown>>;
  if (typeof user !== "string" || typeof password !== "string" || typeof until !== "number") return null;
  return { user, password, until };
}

function reason(value: unknown): string {
  const { reason: text } = (value ?? {}) as { reason?: unknown };
  return typeof text === "string" ? clip(text) : "";
}
