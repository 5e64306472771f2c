import { beforeEach, describe, expect, test } from "vitest";
import { Assembler } from "../../src/run/live/assembler.ts";
import { AuditChain } from "../../src/run/live/audit.ts";
import { Live } from "../../src/run/live/live.ts";
import { Notices, storedNotice } from "../../src/run/stored/notices.ts";
import { Nearest } from "../../src/run/stored/readings.ts";
import { Runs } from "../../src/run/stored/runs.ts";
import type { StoredMessage } from "../../src/broker/past.ts";
import {
  description,
  event,
  frame,
  frameTime,
  notice,
  raw,
  record,
  RUN_A,
  RUN_B,
  stored,
  STORED,
  Streams,
  telemetry,
  track,
} from "./wire.ts";

let live: Live;
let assembler: Assembler;
let sequence: number;

beforeEach(() => {
  const { past } = new Streams();
  live = make(past);
  assembler = new Assembler(() => 0);
  sequence = 0;
});

function make(past: Streams["past"], isPlayed = false): Live {
  const runs = new Runs(past, new Notices(past));
  return new Live({ runs, nearest: new Nearest(), chain: new AuditChain() }, isPlayed);
}

const put = (message: ReturnType<typeof raw>): StoredMessage => stored(message, ++sequence, STORED + sequence);
const state = (...messages: ReturnType<typeof raw>[]) => live.takeState(messages.map(put));
const events = (...messages: ReturnType<typeof raw>[]) => live.takeEvents(messages.map(put));
const moment = () => live.moment(STORED);

function show(run: string, number: number, ids = ["t1"], radar?: number): number {
  assembler.setWorld(run);
  assembler.frame(frame(run, number));
  for (const id of ids) assembler.track(track(run, number, id));
  assembler.notice(notice(run, number, ids.length, radar));
  const assembled = assembler.take();
  if (assembled === null) throw new Error("no frame");
  return live.show(assembled, STORED);
}

describe("the live moment", () => {
  test("has the newest of all that came", () => {
    state(description(RUN_A), telemetry(RUN_A, frameTime(0)), telemetry(RUN_A, frameTime(10)));
    state(raw("qiki.health.v1.registrar", {}, { timestamp: "", service: "registrar", ready: true, status: "ok" }));
    show(RUN_A, 12);
    events(event("Decision", 1), record(1), record(2));
    expect(moment()).toMatchObject({
      frame: { run: RUN_A, number: 12 },
      telemetry: { value: { ts_unix_ms: frameTime(10) }, sequence: 3 },
      description: { value: { run_id: RUN_A } },
      events: [{ kind: "Decision" }],
      audit: { sequence: 2, whole: true },
      at: STORED,
    });
    expect(moment().seconds).toBeCloseTo(1.2);
    expect([...moment().health.keys()]).toEqual(["registrar"]);
  });

  test("counts the places of its frames from a notice that was looked up", () => {
    expect(show(RUN_A, 0)).toBe(1);
    const anchor = storedNotice(stored(notice(RUN_A, 10, 1), 510, STORED));
    if (anchor === null) throw new Error("no notice");
    live.setAnchor(anchor);
    expect(show(RUN_A, 15)).toBe(515);
    expect(show(RUN_B, 0)).toBe(516);
  });

  test("of a recording count ages from its newest message, those of a stack from now", () => {
    const message = stored(telemetry(RUN_A, frameTime(0)), 1, STORED);
    for (const [isPlayed, at] of [[true, STORED], [false, STORED + 60_000]] as const) {
      const one = make(new Streams().past, isPlayed);
      one.takeState([message]);
      expect(one.moment(STORED + 60_000).at).toBe(at);
    }
  });

  test("names the place of its frame's message, but not a recording's of then", () => {
    show(RUN_A, 0, ["t1"], 77);
    expect(moment().frame?.sequences.frame).toBe(77);
    live = make(new Streams().past, true);
    show(RUN_A, 1, ["t1"], 78);
    expect(moment().frame?.sequences.frame).toBeNull();
  });
});

describe("a new run", () => {
  test("clears frame, trails and readings", () => {
    state(description(RUN_A), telemetry(RUN_A, frameTime(0)));
    show(RUN_A, 5);
    events(event("Decision", 1));
    state(description(RUN_B));
    expect(moment()).toMatchObject({ frame: null, readings: [], seconds: 0, events: [{ kind: "Decision" }] });
    expect(moment().trails.size).toBe(0);
    show(RUN_B, 0);
    state(telemetry(RUN_B, frameTime(1)));
    expect(moment().readings).toMatchObject([{ nearest: 100 }]);
    expect(moment().readings[0]?.seconds).toBeCloseTo(0.1);
  });

  test("is not begun by the same description again", () => {
    state(description(RUN_A), telemetry(RUN_A, frameTime(0)));
    show(RUN_A, 5);
    state(description(RUN_A));
    expect(moment().frame?.number).toBe(5);
    expect(moment().readings).toHaveLength(1);
  });

  test("that was seen first by its frame is not cleared by what says so later", () => {
    show(RUN_A, 5);
    state(description(RUN_A));
    expect(moment().frame?.number).toBe(5);
    expect(moment().trails.get("t1")).toHaveLength(1);
  });
});

describe("memory", () => {
  test("of readings is ten minutes of simulated time, none twice while paused", () => {
    state(description(RUN_A));
    for (let second = 0; second < 2000; second++) state(telemetry(RUN_A, frameTime(second * 10)));
    for (let again = 0; again < 50; again++) state(telemetry(RUN_A, frameTime(1999 * 10)));
    const { readings } = moment();
    expect(readings.length).toBe(601);
    expect(readings.at(-1)?.seconds).toBeCloseTo(1999);
    expect(new Set(readings.map(({ seconds }) => seconds)).size).toBe(601);
  });

  test("of events is the newest few hundred, each once", () => {
    for (let number = 0; number < 1000; number++) events(event("Decision", number, { number }));
    live.addEvents(moment().events);
    expect(moment().events.length).toBe(300);
    expect(moment().events.at(-1)?.payload).toEqual({ number: 999 });
  });

  test("takes earlier readings and events in their order", () => {
    state(description(RUN_A), telemetry(RUN_A, frameTime(50)));
    const old = [10, 20, 30].map((number) => stored(telemetry(RUN_A, frameTime(number)), number, STORED));
    const earlier = make(new Streams().past).takeState(old);
    live.addReadings(earlier);
    expect(moment().readings.map(({ seconds }) => Math.round(seconds))).toEqual([1, 2, 3, 5]);
  });
});

describe("the audit log", () => {
  test("is whole while each record names the hash of the one before", () => {
    events(record(5), record(6), record(7));
    expect(moment().audit).toEqual({ sequence: 7, whole: true });
  });

  test("is broken by a record that does not, from there on", () => {
    const chain = new AuditChain();
    const take = (number: number, hash = `h${number}`, previous = `h${number - 1}`) =>
      chain.take({ sequence: number, hash, previous_hash: previous } as Parameters<AuditChain["take"]>[0]);
    take(5);
    take(7, "h7", "other");
    expect(chain.isWhole(7)).toBe(true);
    take(6);
    expect([chain.isWhole(6), chain.isWhole(7), chain.isWhole(9)]).toEqual([true, false, false]);
  });

  test("is broken by two records with one number", () => {
    events(record(5), record(5, "forged"));
    expect(moment().audit?.whole).toBe(false);
  });

  test("says nothing about records that were not seen", () => {
    events(record(5), record(9, "h9", "unknown"));
    expect(moment().audit).toEqual({ sequence: 9, whole: true });
  });
});
