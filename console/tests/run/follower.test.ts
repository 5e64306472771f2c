import type { NatsConnection } from "@nats-io/nats-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Link } from "../../src/broker/link.ts";
import { RunClock } from "../../src/run/clock.ts";
import { Assembler } from "../../src/run/live/assembler.ts";
import { Follower } from "../../src/run/live/follower.ts";
import { Live } from "../../src/run/live/live.ts";
import { Stock } from "../../src/run/stored/stock.ts";
import { EVENTS_STREAM, RADAR_STREAM, STATE_STREAM, TRACKED, TRACKER_STREAM } from "../../src/wire/topics.ts";
import type { Raw } from "../../src/broker/head.ts";
import {
  description,
  event,
  frame,
  frameTime,
  notice,
  order,
  record,
  RUN_A,
  RUN_B,
  STORED,
  Streams,
  telemetry,
  track,
} from "./wire.ts";

type Callback = (error: Error | null, message: unknown) => void;

let streams: Streams;
let subscribed: Map<string, Callback>;
let opened: ((connection: NatsConnection) => void)[];
let connection: NatsConnection | null;
let live: Live;
let clock: RunClock;
let assembler: Assembler;
const forget = vi.fn();
const ready = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  streams = new Streams();
  subscribed = new Map();
  opened = [];
  connection = null;
  const link = {
    onOpen: (opener: (connection: NatsConnection) => void) => opened.push(opener),
    get connection() {
      return connection;
    },
  } as unknown as Link;
  const stock = new Stock(link);
  opened.length = 0;
  streams.answerFor(stock.past);
  live = new Live(stock, false);
  assembler = new Assembler(() => 0);
  clock = new RunClock({ known: () => null, load: () => undefined, find: async () => null }, () => 0);
  new Follower({ link, stock, live, assembler, clock, ask: show, forget, ready }).start();
});

afterEach(() => vi.useRealTimers());

/** Show a frame, as the model does at the next animation frame. */
function show(): void {
  const assembled = assembler.take();
  if (assembled !== null) clock.newest(live.show(assembled, STORED));
}

async function open(): Promise<void> {
  const subscribe = (subject: string, { callback }: { callback: Callback }) => subscribed.set(subject, callback);
  connection = { subscribe } as unknown as NatsConnection;
  for (const opener of opened) opener(connection);
  await vi.advanceTimersByTimeAsync(10);
}

/** Deliver a live message, as the library's. */
function deliver({ subject, head, body }: Raw, at = subject): void {
  const block = new TextEncoder().encode(head);
  const data = new Uint8Array([...block, ...body]);
  subscribed.get(at)?.(null, { subject, data: body, _msg: { hdr: block.length }, _rdata: data });
}

function store(run: string, frames: number): void {
  streams.put(STATE_STREAM, description(run), STORED);
  for (let number = 0; number < frames; number++) {
    const at = STORED + 100 * number;
    const { sequence } = streams.put(RADAR_STREAM, frame(run, number), at);
    streams.put(RADAR_STREAM, track(run, number, "t1"), at);
    streams.put(TRACKER_STREAM, notice(run, number, 1, sequence), at);
    if (number % 10 === 0) streams.put(STATE_STREAM, telemetry(run, frameTime(number)), at);
  }
  streams.put(EVENTS_STREAM, event("Decision", 1), STORED);
  streams.put(EVENTS_STREAM, record(1), STORED);
}

const moment = () => live.moment(STORED);

describe("on opening", () => {
  test("what is stored is shown, though nothing comes", async () => {
    store(RUN_A, 31);
    await open();
    expect(moment()).toMatchObject({
      frame: { run: RUN_A, number: 30, sequence: 31 },
      telemetry: { value: { ts_unix_ms: frameTime(30) } },
      events: [{ kind: "Decision" }],
      audit: { sequence: 1, whole: true },
    });
    expect(clock.state.value).toMatchObject({ mode: "live", place: 31, span: { oldest: 1, newest: 31 } });
    expect(clock.state.value.span?.runs).toEqual([{ sequence: 1, run: RUN_A, scenario: "crossing" }]);
    expect(ready).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(500);
    expect(moment().readings.map(({ seconds, nearest }) => [Math.round(seconds), nearest !== null])).toEqual([
      [0, true],
      [1, true],
      [2, true],
      [3, true],
    ]);
    expect(moment().trails.get("t1")?.length).toBeGreaterThan(4);
  });

  test("nothing stored is nothing, until something comes", async () => {
    await open();
    expect(moment().frame).toBeNull();
    expect(clock.state.value.span).toBeNull();
    store(RUN_A, 3);
    await vi.advanceTimersByTimeAsync(1500);
    expect(moment().frame).toMatchObject({ number: 2 });
    expect(clock.state.value.place).toBe(3);
  });

  test("a broker that fails is asked again", async () => {
    store(RUN_A, 3);
    streams.gate = Promise.reject(new Error("late"));
    streams.gate.catch(() => undefined);
    await open();
    expect([moment().frame, ready.mock.calls.length]).toEqual([null, 0]);
    streams.gate = Promise.resolve();
    await vi.advanceTimersByTimeAsync(1500);
    expect([moment().frame?.number, ready.mock.calls.length]).toEqual([2, 1]);
  });
});

describe("live", () => {
  test("a frame goes on from what was stored, in its place", async () => {
    store(RUN_A, 31);
    await open();
    for (const message of [frame(RUN_A, 31), track(RUN_A, 31, "t1"), notice(RUN_A, 31, 1)]) deliver(message);
    expect(moment().frame).toMatchObject({ number: 31, sequence: 32 });
    expect(clock.state.value.place).toBe(32);
    deliver(notice(RUN_A, 20, 0), TRACKED);
    expect(moment().frame?.number).toBe(31);
  });

  test("a state or an event that comes is read with its place", async () => {
    store(RUN_A, 11);
    await open();
    const state = streams.put(STATE_STREAM, telemetry(RUN_A, frameTime(20)), STORED);
    deliver(state);
    const happened = streams.put(EVENTS_STREAM, event("SystemMode", 2), STORED);
    deliver(happened, "qiki.events.v1.>");
    await vi.advanceTimersByTimeAsync(10);
    expect(moment().telemetry?.sequence).toBe(state.sequence);
    expect(moment().events.at(-1)).toMatchObject({ kind: "SystemMode", sequence: happened.sequence });
  });

  test("orders of the run are shown, those of before and those that come, and have a place on the bar", async () => {
    store(RUN_A, 31);
    streams.put(STATE_STREAM, order(RUN_A, 0, 20), STORED);
    streams.put(STATE_STREAM, order(RUN_B, 0, 20), STORED);
    await open();
    await vi.advanceTimersByTimeAsync(500);
    expect(moment().orders.map(({ run, tick }) => [run, tick])).toEqual([[RUN_A, 20]]);
    deliver(streams.put(STATE_STREAM, order(RUN_A, 1, 41), STORED));
    await vi.advanceTimersByTimeAsync(1500);
    expect(moment().orders.map(({ tick }) => tick)).toEqual([20, 41]);
    const places = clock.state.value.span?.orders.map(({ sequence, order: { tick } }) => [tick, sequence]);
    expect(places).toEqual([[20, 10], [41, 20]]); // after tick 20 frame 9 is the newest, in place 10
  });

  test("another connection goes on without a jump back, and with what was missed", async () => {
    store(RUN_A, 11);
    await open();
    for (const message of [frame(RUN_A, 30), track(RUN_A, 30, "t1"), notice(RUN_A, 30, 1)]) deliver(message);
    streams.put(STATE_STREAM, telemetry(RUN_A, frameTime(20)), STORED);
    await open();
    expect(moment().frame?.number).toBe(30);
    expect(moment().telemetry?.value.ts_unix_ms).toBe(frameTime(20));
  });

  test("a stream that was made again takes all that was shown away", async () => {
    store(RUN_A, 31);
    await open();
    streams.messages.clear();
    streams.created = "twice";
    store(RUN_B, 3);
    await vi.advanceTimersByTimeAsync(1500);
    expect(forget).toHaveBeenCalledTimes(1);
    expect(moment()).toMatchObject({ frame: { run: RUN_B, number: 2 }, description: { value: { run_id: RUN_B } } });
    expect(moment().events).toHaveLength(1);
    expect(clock.state.value.span?.runs.map(({ run }) => run)).toEqual([RUN_B]);
  });
});
