import { expect, test } from "vitest";
import { readOrder, readRun } from "../../src/broker/decode.ts";
import { MOST_ORDERS, ofRun, placesOf } from "../../src/run/stored/orders.ts";
import type { Order } from "../../src/run/types.ts";
import { description, order, RUN_A, RUN_B, stored } from "./wire.ts";

function given(run: string, number: number, tick: number): Order {
  const found = readOrder(stored(order(run, number, tick), number + 1, 0));
  if (found === null) throw new Error("unreadable");
  return found;
}

function runs(...begins: readonly (readonly [string, number])[]) {
  return begins.map(([run, sequence]) => ({ run, sequence, scenario: "" }));
}

function known(numbers: Readonly<Record<number, number>> = {}, nameless = "") {
  return {
    describe: (run: string) => {
      const value = run === nameless ? null : readRun(description(run));
      return value && { value };
    },
    numberAt: (place: number) => numbers[place] ?? null,
  };
}

const span = { oldest: 1, newest: 300, runs: runs([RUN_A, 1], [RUN_B, 101]) };
const places = (...parameters: Parameters<typeof placesOf>) => placesOf(...parameters).map(({ sequence }) => sequence);

test("an order stands at the frame that was the newest", () => {
  const orders = [given(RUN_A, 0, 0), given(RUN_A, 1, 2), given(RUN_A, 2, 3), given(RUN_A, 3, 40), given(RUN_B, 0, 40)];
  expect(places(orders, span, known())).toEqual([1, 1, 1, 20, 120]);
});

test("no order stands in the run that follows, nor beyond the newest frame", () => {
  expect(places([given(RUN_A, 0, 900), given(RUN_B, 0, 900)], span, known())).toEqual([100, 300]);
});

test("of a run whose begin is gone, the orders that are still on the bar have places", () => {
  const late = { oldest: 51, newest: 300, runs: runs([RUN_A, 51]) };
  const orders = [given(RUN_A, 0, 20), given(RUN_A, 1, 102), given(RUN_A, 2, 120)];
  expect(places(orders, late, known({ 51: 50 }))).toEqual([51, 60]);
});

test("a run without a description has no places", () => {
  expect(places([given(RUN_A, 0, 20), given(RUN_B, 0, 20)], span, known({}, RUN_A))).toEqual([110]);
});

test("of very many orders the newest are kept", () => {
  const orders = Array.from({ length: MOST_ORDERS + 5 }, (_, number) => given(RUN_A, number, number));
  expect(ofRun(orders, RUN_A).map(({ number }) => number)).toEqual(orders.slice(5).map(({ number }) => number));
  expect(ofRun(orders, undefined)).toEqual([]);
});
