/** Orders that took effect, of all stored runs. */

import { readOrder } from "../../broker/decode.ts";
import type { Past, StoredMessage } from "../../broker/past.ts";
import type { SimRun } from "../../wire/payloads.ts";
import { ORDERS, STATE_STREAM } from "../../wire/topics.ts";
import type { Order } from "../types.ts";
import type { OrderPlace, Span } from "../view.ts";
import { beginOf, periodOf } from "./readings.ts";
import { Window, type Part } from "./window.ts";

/** Orders of a moment, and marks on the bar of time, at most. */
export const MOST_ORDERS = 300;
/** More than the stream keeps: orders are few, and are read by their subject. */
const DEPTH = 1_000_000;
const BATCH = 256;

/** Return the orders among messages of the stream. */
export function ordersOf(messages: readonly StoredMessage[]): Order[] {
  return messages
    .filter(({ subject }) => subject === ORDERS)
    .map(readOrder)
    .filter((order) => order !== null);
}

/** Read orders as a window of QIKI_STATE_V1. */
export function orderWindow(past: Past): Window<Order> {
  return new Window(DEPTH, async (from, to): Promise<Part<Order>> => {
    const items: Order[] = [];
    for (let seq = from; seq <= to; ) {
      const { messages, pending } = await past.get(STATE_STREAM, { seq, next_by_subj: ORDERS, batch: BATCH });
      items.push(...ordersOf(messages));
      const last = messages.at(-1);
      if (last === undefined || pending === 0) break;
      seq = last.sequence + 1;
    }
    return { items: items.filter(({ sequence }) => sequence <= to), to };
  });
}

/** Return the newest orders of a run. */
export function ofRun(orders: readonly Order[], run: string | undefined): readonly Order[] {
  return orders.filter((order) => order.run === run).slice(-MOST_ORDERS);
}

/** The known runs and frames on the bar. */
export interface Known {
  describe(run: string): { readonly value: SimRun } | null;
  /** Number of the frame at a place; null if it is not known. */
  numberAt(place: number): number | null;
}

/** Return the places of orders on the bar: of each the frame that was the newest then. */
export function placesOf(orders: readonly Order[], { runs, newest }: Omit<Span, "orders">, known: Known): OrderPlace[] {
  const places: OrderPlace[] = [];
  for (const [index, { run, sequence: begin }] of runs.entries()) {
    const description = known.describe(run)?.value ?? null;
    const first = known.numberAt(begin) ?? 0;
    const last = (runs[index + 1]?.sequence ?? newest + 1) - 1;
    for (const order of description === null ? [] : ofRun(orders, run)) {
      const number = Math.floor((order.time - beginOf(null, description)) / periodOf(description) + 1e-6);
      if (number >= first - 1) places.push({ sequence: Math.min(Math.max(begin, begin + number - first), last), order });
    }
  }
  return places.slice(-MOST_ORDERS);
}
