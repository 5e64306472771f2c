import { beforeEach, describe, expect, test, vi } from "vitest";
import { Tail } from "../../src/broker/tail.ts";
import { Window } from "../../src/run/stored/window.ts";
import { raw, STORED, Streams } from "./wire.ts";

vi.setConfig({ testTimeout: 20_000 }); // Real waits, on a machine that may be busy.

const STREAM = "S";
let streams: Streams;
let taken: number[];
let restarts: number;
let tail: Tail;

const put = (count: number) => {
  for (let index = 0; index < count; index++) streams.put(STREAM, raw("s", {}, {}), STORED);
};

beforeEach(() => {
  streams = new Streams();
  taken = [];
  restarts = 0;
  tail = new Tail(streams.past, STREAM, {
    take: (messages) => taken.push(...messages.map(({ sequence }) => sequence)),
    restart: () => restarts++,
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1500 && !condition(); tries++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
}

describe("a tail", () => {
  test("begins so many messages back", async () => {
    put(10);
    await tail.follow(3);
    expect(taken).toEqual([8, 9, 10]);
  });

  test("takes each message once, in order, however often it is woken", async () => {
    put(2);
    await tail.follow(0);
    for (let round = 0; round < 5; round++) {
      put(3);
      tail.wake();
      tail.wake();
      void tail.follow(0);
      await until(() => taken.length === 3 * (round + 1));
    }
    expect(taken).toEqual(Array.from({ length: 15 }, (_, index) => index + 3));
  });

  test("waits for a message that is stored a little later", async () => {
    await tail.follow(0);
    tail.wake();
    await new Promise((resolve) => setTimeout(resolve, 15));
    put(1);
    await until(() => taken.length === 1);
  });

  test("catches up after a long while, without all of it", async () => {
    put(1);
    await tail.follow(0);
    put(5000);
    await tail.follow(0);
    expect(taken.at(-1)).toBe(5001);
    expect(taken.length).toBeLessThan(3500);
  });

  test("begins again in a stream that was made again", async () => {
    put(5);
    await tail.follow(2);
    streams.messages.clear();
    streams.created = "twice";
    put(2);
    await tail.follow(2);
    expect(restarts).toBe(1);
    expect(taken).toEqual([4, 5, 1, 2]);
  });

  test("takes what a killed broker has lost and got again", async () => {
    put(5);
    await tail.follow(1);
    streams.messages.set(STREAM, streams.messages.get(STREAM)?.slice(0, 3) ?? []);
    await tail.follow(1);
    put(1);
    await tail.follow(1);
    expect([taken, restarts]).toEqual([[5, 4], 0]);
  });
});

describe("a window", () => {
  const asked: [number, number][] = [];
  let ahead = 0;
  let window: Window<{ sequence: number }>;
  const items = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => ({ sequence: from + index }));
  const ends = (found: readonly { sequence: number }[] | null) =>
    found && [found[0]?.sequence, found.at(-1)?.sequence, found.length];

  beforeEach(() => {
    asked.length = 0;
    ahead = 0;
    window = new Window(100, async (from, to) => {
      asked.push([from, to]);
      return { items: items(from, to + ahead), to: to + ahead };
    });
  });

  test("reads so many back, and only what it does not have", async () => {
    expect(ends(await window.read(500))).toEqual([400, 500, 101]);
    expect(ends(await window.read(450))).toEqual([350, 450, 101]);
    expect(ends(await window.read(520))).toEqual([420, 520, 101]);
    expect(ends(await window.read(480))).toEqual([380, 480, 101]);
    expect(asked).toEqual([[400, 500], [350, 399], [501, 520]]);
  });

  test("keeps what was read further", async () => {
    ahead = 50;
    await window.read(500);
    expect(ends(window.known(550))).toEqual([450, 550, 101]);
    expect(window.known(551)).toBeNull();
    expect(asked).toHaveLength(1);
  });

  test("begins again far away, and does not grow", async () => {
    await window.read(500);
    expect(window.isNear(700)).toBe(true);
    expect(window.isNear(5000)).toBe(false);
    expect(window.isNear(100)).toBe(false);
    expect(ends(await window.read(5000))).toEqual([4900, 5000, 101]);
    for (let sequence = 5000; sequence < 6000; sequence += 50) await window.read(sequence);
    expect(window.known(5100)).toBeNull();
  });

  test("takes what follows, and nothing with a gap before it", async () => {
    window.push(items(1, 5), 1, 5);
    expect(window.known(5)).toBeNull();
    await window.read(500);
    window.push(items(503, 505), 503, 505);
    expect(window.known(505)).toBeNull();
    window.push(items(499, 502), 499, 502);
    expect(ends(window.known(502))).toEqual([402, 502, 101]);
  });
});
