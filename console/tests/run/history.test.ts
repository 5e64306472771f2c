import { beforeEach, describe, expect, test, vi } from "vitest";
import { Link } from "../../src/broker/link.ts";
import { History } from "../../src/run/stored/history.ts";
import type { Notices } from "../../src/run/stored/notices.ts";
import type { Runs } from "../../src/run/stored/runs.ts";
import { Stock } from "../../src/run/stored/stock.ts";
import type { Moment } from "../../src/run/types.ts";
import { EVENTS_STREAM, RADAR_STREAM, STATE_STREAM, TRACKER_STREAM } from "../../src/wire/topics.ts";
import {
  description,
  event,
  frame,
  frameTime,
  notice,
  order,
  raw,
  record,
  RUN_A,
  RUN_B,
  STORED,
  Streams,
  telemetry,
  track,
} from "./wire.ts";

vi.setConfig({ testTimeout: 20_000 }); // Real waits, on a machine that may be busy.

let streams: Streams;
let shown: { place: number; moment: Moment; isWhole: boolean }[];
let history: History;
let notices: Notices;
let runs: Runs;

/** Store a run as a stack does, frame by frame, 100 ms apart. */
function store(run: string, frames: number, begin: number, shift = 0): void {
  streams.put(STATE_STREAM, description(run), begin - 50);
  for (let number = 0; number < frames; number++) {
    const at = begin + 100 * number;
    const { sequence } = streams.put(RADAR_STREAM, frame(run, number, 2, `${number} 0 0`), at);
    streams.put(RADAR_STREAM, raw("qiki.radar.v1.frames.lr", {}, {}), at);
    for (const id of ["t1", "t2"]) streams.put(RADAR_STREAM, track(run, number, id), at + 5);
    streams.put(TRACKER_STREAM, notice(run, number, 2, sequence + shift), at + 10);
    if (number % 10 === 0) streams.put(STATE_STREAM, telemetry(run, frameTime(number)), at + 20);
    if (number % 20 === 0) streams.put(EVENTS_STREAM, event("Decision", frameTime(number), { number }), at + 30);
    if (number % 10 === 5) streams.put(EVENTS_STREAM, record(number), at + 40);
  }
}

beforeEach(() => {
  streams = new Streams();
  shown = [];
  const stock = new Stock(new Link(""));
  streams.answerFor(stock.past);
  ({ notices, runs } = stock);
  history = new History(stock, {
    show: (place, moment, isWhole) => shown.push({ place, moment, isWhole }),
    newest: () => streams.messages.get(TRACKER_STREAM)?.at(-1)?.sequence ?? 0,
    now: () => STORED + 999_999,
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1500 && !condition(); tries++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
}

async function whole(place: number): Promise<Moment> {
  history.wish(place);
  await until(() => shown.some((one) => one.place === place && one.isWhole));
  const moment = shown.findLast((one) => one.place === place)?.moment;
  if (moment === undefined) throw new Error("nothing shown");
  return moment;
}

describe("a past moment", () => {
  beforeEach(() => store(RUN_A, 200, STORED));

  test("has its frame whole, with the places of its messages", async () => {
    const { frame: shownFrame } = await whole(43);
    expect(shownFrame).toMatchObject({ run: RUN_A, number: 42, sequence: 43, ownPosition: [42, 0, 0] });
    expect(shownFrame?.plots).toHaveLength(2);
    expect(shownFrame?.tracks.map(({ track_id }) => track_id)).toEqual(["t1", "t2"]);
    expect(shownFrame?.sequences.frame).toBe(1 + 42 * 4);
    expect([...(shownFrame?.sequences.tracks ?? [])]).toEqual([["t1", 3 + 42 * 4], ["t2", 4 + 42 * 4]]);
  });

  test("knows all that was stored before the next frame's notice, and nothing later", async () => {
    const at40 = await whole(41);
    expect(at40.telemetry?.value.ts_unix_ms).toBe(frameTime(40));
    expect(at40.events.at(-1)?.payload).toEqual({ number: 40 });
    expect(at40.audit).toEqual({ sequence: 35, whole: true });
    expect(at40.at).toBe(STORED + 41 * 100 + 10);
    expect(at40.seconds).toBeCloseTo(4);
    const at39 = await whole(40);
    expect(at39.telemetry?.value.ts_unix_ms).toBe(frameTime(30));
    expect(at39.events.map(({ payload }) => payload)).toEqual([{ number: 0 }, { number: 20 }]);
  });

  test("looks back: readings with the nearest track, trails of 15 s", async () => {
    await whole(181);
    await until(() => shown.at(-1)?.moment.readings.every(({ nearest }) => nearest !== null) ?? false);
    const moment = shown.at(-1)?.moment;
    expect(moment?.readings.map(({ seconds }) => Math.round(seconds))).toEqual(Array.from({ length: 19 }, (_, n) => n));
    expect(moment?.trails.get("t1")?.length).toBeGreaterThan(25);
    expect(moment?.trails.get("t1")?.at(-1)).toEqual({ frame: 180, position: [100 + 180 + 180, 0, 0] });
  });

  test("is the same when it is asked for again, and read only once", async () => {
    const first = await whole(100);
    await until(() => shown.filter(({ isWhole }) => isWhole).length >= 2);
    const before = streams.queries.length;
    shown = [];
    const again = await whole(100);
    expect(again).toEqual({ ...first, readings: again.readings });
    expect(streams.queries.length).toBe(before);
  });

  test("of the newest frame has what came since", async () => {
    streams.put(STATE_STREAM, telemetry(RUN_A, frameTime(200)), STORED + 60_000);
    const moment = await whole(200);
    expect(moment.telemetry?.value.ts_unix_ms).toBe(frameTime(200));
    expect(moment.at).toBe(STORED + 999_999);
  });

  test("of a discarded place is the oldest one that is there", async () => {
    streams.messages.set(TRACKER_STREAM, streams.messages.get(TRACKER_STREAM)?.slice(50) ?? []);
    expect((await whole(10)).frame?.number).toBe(50);
  });
});

test("the orders of a moment are those of its run that took effect before its end", async () => {
  store(RUN_A, 20, STORED);
  streams.put(STATE_STREAM, order(RUN_A, 0, 40), STORED + 5000);
  store(RUN_B, 20, STORED + 60_000);
  streams.put(STATE_STREAM, order(RUN_B, 0, 40), STORED + 70_000);
  const givers = async (place: number) => (await whole(place)).orders.map(({ run, tick }) => [run, tick]);
  expect(await givers(40)).toEqual([[RUN_B, 40]]);
  expect(await givers(39)).toEqual([]);
  expect(await givers(20)).toEqual([[RUN_A, 40]]);
  expect(await givers(19)).toEqual([]);
});

describe("wishes", () => {
  beforeEach(() => store(RUN_A, 200, STORED));

  test("while one is read: only the last is served", async () => {
    let open: () => void = () => undefined;
    streams.gate = new Promise((resolve) => (open = resolve));
    for (let place = 10; place < 60; place++) history.wish(place);
    open();
    await until(() => shown.some(({ place, isWhole }) => place === 59 && isWhole));
    expect(new Set(shown.map(({ place }) => place))).toEqual(new Set([10, 59]));
  });

  test("the frame is shown before what looks back", async () => {
    await whole(150);
    expect(shown[0]).toMatchObject({ isWhole: false, moment: { readings: [], events: [] } });
    expect(shown[0]?.moment.frame?.number).toBe(149);
    expect(shown[0]?.moment.telemetry).not.toBeNull();
  });

  test("that fail are tried again, and do not hold up later ones", async () => {
    let fail: (error: Error) => void = () => undefined;
    streams.gate = new Promise((_, reject) => (fail = reject));
    history.wish(150);
    fail(new Error("the connection was lost"));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(shown).toEqual([]);
    streams.gate = Promise.resolve();
    expect((await whole(151)).frame?.number).toBe(150);
    shown = [];
    streams.gate = Promise.reject(new Error("late"));
    streams.gate.catch(() => undefined);
    history.wish(20);
    setTimeout(() => (streams.gate = Promise.resolve()), 100);
    await until(() => shown.some(({ place, isWhole }) => place === 20 && isWhole));
  });

  test("are over once the page is live", async () => {
    history.wish(150);
    history.rest();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(shown).toEqual([]);
  });

  test("one after the other keeps readings and events", async () => {
    await whole(100);
    for (let place = 101; place < 140; place++) {
      shown = [];
      history.wish(place);
      await until(() => shown.length > 0);
      expect(shown[0]?.moment.readings.length).toBeGreaterThan(8);
      expect(shown[0]?.moment.events.length).toBeGreaterThan(4);
    }
  });
});

describe("of two runs", () => {
  test("the last moment of the first has nothing of the second", async () => {
    store(RUN_A, 30, STORED);
    store(RUN_B, 30, STORED + 60_000);
    await runs.read();
    const moment = await whole(30);
    expect(moment.frame).toMatchObject({ run: RUN_A, number: 29 });
    expect(moment.description?.value.run_id).toBe(RUN_A);
    expect(moment.telemetry?.value.sim_state.run_id).toBe(RUN_A);
    expect(moment.at).toBe(STORED + 60_000 - 50);
  });

  test("the readings are those of the frame's run, each once though it was paused", async () => {
    store(RUN_A, 30, STORED);
    store(RUN_B, 15, STORED + 60_000);
    for (let again = 0; again < 5; again++) {
      streams.put(STATE_STREAM, telemetry(RUN_B, frameTime(10)), STORED + 70_000 + again);
    }
    const { readings } = await whole(45);
    expect(readings.map(({ telemetry: { sim_state, ts_unix_ms } }) => [sim_state.run_id, ts_unix_ms])).toEqual([
      [RUN_B, frameTime(0)],
      [RUN_B, frameTime(10)],
    ]);
  });

  test("one whose first frames are gone begins at the oldest frame", async () => {
    store(RUN_A, 30, STORED);
    streams.messages.delete(STATE_STREAM);
    streams.put(STATE_STREAM, description(RUN_A), STORED + 1500);
    streams.messages.set(TRACKER_STREAM, streams.messages.get(TRACKER_STREAM)?.slice(5) ?? []);
    await runs.read();
    await runs.locate(6);
    expect(runs.list(6).map(({ run, sequence }) => [run, sequence])).toEqual([[RUN_A, 6]]);
  });

  test("each begins at its first frame", async () => {
    store(RUN_A, 30, STORED);
    store(RUN_B, 30, STORED + 60_000);
    await runs.read();
    await runs.locate(1);
    const begins = runs.list(1).map(({ run, sequence, scenario }) => [run, sequence, scenario]);
    expect(begins).toEqual([[RUN_A, 1, "crossing"], [RUN_B, 31, "crossing"]]);
    expect(runs.list(35).map(({ sequence }) => sequence)).toEqual([35]);
    expect(await notices.find(RUN_A, 20, 1, 60)).toBe(21);
    expect(await notices.find(RUN_B, 20, 31, 60)).toBe(51);
    expect(await notices.find(RUN_B, 99, 31, 60)).toBeNull();
  });
});

test.each([5000, -4, 4, 1])("a recording's frames are found, though they stand %i places off", async (shift) => {
  store(RUN_A, 60, STORED, shift);
  const moment = await whole(31);
  expect(moment.frame).toMatchObject({ number: 30, ownPosition: [30, 0, 0], sequences: { frame: 1 + 30 * 4 } });
  expect(moment.frame?.tracks).toHaveLength(2);
  const before = streams.queries.length;
  shown = [];
  expect((await whole(32)).frame?.sequences.frame).toBe(1 + 31 * 4);
  const scans = streams.queries.slice(before).filter(({ query }) => query.start_time !== undefined);
  expect(scans).toEqual([]);
});

test("a run is described, though its first description is gone", async () => {
  store(RUN_A, 30, STORED);
  streams.messages.set(STATE_STREAM, streams.messages.get(STATE_STREAM)?.slice(1) ?? []);
  streams.put(STATE_STREAM, description(RUN_A), STORED + 1_200_000);
  await runs.read();
  expect((await whole(10)).description?.value.run_id).toBe(RUN_A);
});

test("a frame with tracks that are gone is shown without them", async () => {
  store(RUN_A, 30, STORED);
  const kept = streams.messages.get(RADAR_STREAM)?.filter(({ head }) => !head.includes(":20:t2")) ?? [];
  streams.messages.set(RADAR_STREAM, kept);
  expect((await whole(21)).frame?.tracks.map(({ track_id }) => track_id)).toEqual(["t1"]);
});

test("without a registrar there are events all the same", async () => {
  store(RUN_A, 30, STORED);
  const events = streams.messages.get(EVENTS_STREAM)?.filter(({ subject }) => !subject.endsWith("audit")) ?? [];
  streams.messages.set(EVENTS_STREAM, events);
  const moment = await whole(30);
  expect(moment.audit).toBeNull();
  expect(moment.events).toHaveLength(2);
});

test("nothing stored is nothing", async () => {
  expect((await whole(5)).frame).toBeNull();
});
