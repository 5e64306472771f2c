/** Orders in words. */

import type { Order } from "../../run/types.ts";
import { t, type Key } from "../../text/index.ts";
import { clip } from "./format.ts";
import { FSM, TRANSPONDER } from "./names.ts";
import { isObject, textOf } from "./payload.ts";

const ORIGINS: Readonly<Record<string, Key>> = {
  control: "origin_control",
  grpc: "origin_grpc",
  scenario: "origin_scenario",
  fork: "origin_fork",
};

/** Names of modes, by the orders that set them. */
const MODES: Readonly<Record<string, readonly string[]>> = { "mode.set": FSM, "xpdr.mode": TRANSPONDER };

/** Return what an order asks for, without what it leaves open; of a scenario its name. */
export function parametersText({ name: order, parameters }: Order): string {
  const modes = Object.hasOwn(MODES, order) ? MODES[order] : undefined;
  const given = Object.entries(parameters).filter(([, value]) => value !== null);
  return clip(given.map(([name, value]) => `${clip(name, 40)}=${valueText(value, name === "mode" ? modes : undefined)}`).join(" "));
}

/** Return who gave an order, and on which way it came. */
export function giver({ origin, sender }: Order): string {
  const key = Object.hasOwn(ORIGINS, origin) ? ORIGINS[origin] : undefined;
  const way = key ? t(key) : clip(origin, 20);
  return sender ? t("by", { who: `${clip(sender, 60)} (${way})` }) : way;
}

/** Return an order in one line. */
export function orderLine(order: Order): string {
  return [clip(order.name, 60), parametersText(order), "·", giver(order)].filter(Boolean).join(" ");
}

function valueText(value: unknown, names: readonly string[] = []): string {
  if (typeof value === "number" && names[value]) return names[value];
  if (isObject(value) && textOf(value, "name")) return textOf(value, "name");
  return typeof value === "number" ? String(Number(value.toPrecision(4))) : clip(value, 60);
}
