import { describe, expect, test } from "vitest";
import {
  ownState,
  readAgent,
  readAnswer,
  readEvent,
  readHealth,
  readOrder,
  readPlots,
  readRun,
  readTelemetry,
  readTrack,
  readTracked,
  unreadable,
} from "../../src/broker/decode.ts";
import { count, description as reason, header, lines, rawOf, status } from "../../src/broker/head.ts";
import { milliseconds } from "../../src/broker/past.ts";
import { description, EPOCH, event, frame, notice, order, raw, RUN_A, stored, STORED, telemetry, trackValue } from "./wire.ts";

const body = (value: unknown) => raw("s", {}, value);
const track = (change: object) => readTrack(body({ ...trackValue("t", 0), ...change }));

describe("a track", () => {
  test("is read as it is, with fields that nobody knows", () => {
    expect(readTrack(body({ ...trackValue("t", 0), later: 1 }))).toMatchObject({ track_id: "t", later: 1 });
    expect(track({ transponder_id: "<b>x</b>\u0000" })).toMatchObject({ transponder_id: "<b>x</b>\u0000" });
    expect(track({ position: null, velocity: null, position_covariance: null })).not.toBeNull();
  });

  test.each([
    ["without an id", { track_id: undefined }],
    ["with a range that is no number", { range_m: "5" }],
    ["with a status of the future", { status: 9 }],
    ["with half a status", { status: 1.5 }],
    ["with a place of two axes", { position: { x: 1, y: 2 } }],
    ["with a covariance of five numbers", { position_covariance: [1, 2, 3, 4, 5] }],
    ["with a covariance of texts", { velocity_covariance: ["1", "2", "3", "4", "5", "6"] }],
    ["with an identity that is a list", { transponder_id: ["x"] }],
  ])("%s is left out, and counted", (_, change) => {
    const before = unreadable();
    expect(track(change)).toBeNull();
    expect(unreadable()).toBe(before + 1);
  });
});

test("a number beyond all numbers is none", () => {
  const text = JSON.stringify(trackValue("t", 0)).replace('"range_m":100', '"range_m":1e999');
  expect(text).toContain("1e999");
  expect(readTrack(raw("s", {}, text))).toBeNull();
});

test.each(["", "no json", "null", "[]", "7", '"text"', "\u0000", "[".repeat(99)])(
  "the body %j is nothing",
  (text) => {
    const message = raw("s", {}, text);
    const readers = [readTrack, readTracked, readTelemetry, readAgent, readRun, readHealth, readAnswer];
    for (const read of readers) expect(read(message)).toBeNull();
    expect(readPlots(message)).toEqual([]);
    expect(readEvent(stored(message, 1, 0))).toBeNull();
  },
);

test("bytes that are no UTF-8 break nothing", () => {
  expect(readTrack({ body: new Uint8Array([0xff, 0xfe, 0x7b]) })).toBeNull();
});

test("a notice needs a time that can be read", () => {
  expect(readTracked(notice(RUN_A, 3, 2))).toMatchObject({ frame: 3, tracks: 2 });
  const value = { run_id: RUN_A, frame: 3, timestamp: "yesterday", tracks: 2 };
  expect(readTracked(body(value))).toBeNull();
});

test("telemetry is checked to its leaves", () => {
  expect(readTelemetry(telemetry(RUN_A, 0))).toMatchObject({ battery: 80 });
  expect(readTelemetry(telemetry(RUN_A, 0, { thermal: { nodes: [{ id: "core", temp_c: null }] } }))).toBeNull();
  expect(readTelemetry(telemetry(RUN_A, 0, { power: null }))).toBeNull();
});

test("a run's description is read", () => {
  expect(readRun(description(RUN_A, "swarm"))?.scenario["name"]).toBe("swarm");
});

test("of a frame's plots, the good ones are read", () => {
  const good = { range_m: 1, bearing_deg: 2, elev_deg: 3, vr_mps: 4, snr_db: 5, rcs_dbsm: 6 };
  const before = unreadable();
  expect(readPlots(body({ detections: [good, { ...good, range_m: null }, {}] }))).toEqual([good]);
  expect(unreadable()).toBe(before + 2);
  expect(readPlots(body({ detections: [7] }))).toEqual([]);
  expect(readPlots(body({}))).toEqual([]);
});

test("the vehicle's own state comes from the headers", () => {
  expect(ownState(frame(RUN_A, 0, 0, "1.5 -2 3e2").head).position).toEqual([1.5, -2, 300]);
  for (const text of ["", "1 2", "a b c", "1 2 NaN", "Infinity 0 0"]) {
    expect(ownState(frame(RUN_A, 0, 0, text).head).position).toEqual([0, 0, 0]);
  }
});

describe("an event", () => {
  test("has its kind, code, severity and times", () => {
    expect(readEvent(stored(event("Decision", 5000, { tick: 3 }, "ERROR"), 9, STORED))).toEqual({
      id: "Decision 5000",
      code: 802,
      severity: "ERROR",
      kind: "Decision",
      subject: "qiki.events.v1.decision",
      source: "urn:qiki:test",
      time: 5000,
      sequence: 9,
      storedAt: STORED,
      payload: { tick: 3 },
    });
  });

  test("of somebody who knows no CloudEvents is shown too", () => {
    const message = stored(raw("qiki.events.v1.other", { "x-qiki-severity": "AWFUL", "ce-id": "%zz" }, {}), 4, STORED);
    expect(readEvent(message)).toMatchObject({ id: "%zz", kind: "other", code: 0, severity: "INFO", time: STORED });
  });
});

describe("an order", () => {
  test("has its tick, its giver and its simulated time", () => {
    const given = order(RUN_A, 3, 40, { sender: "qiki-dev", origin: "grpc" });
    expect(readOrder(stored(given, 7, STORED))).toEqual({
      run: RUN_A,
      tick: 40,
      number: 3,
      name: "xpdr.mode",
      parameters: { mode: "ON" },
      origin: "grpc",
      sender: "qiki-dev",
      time: EPOCH + 2000,
      sequence: 7,
      storedAt: STORED,
    });
    expect(readOrder(stored(order(RUN_A, 0, 0), 7, STORED))).toMatchObject({ sender: "" });
  });

  test.each([{ tick: -1 }, { number: "1" }, { order: null }, { parameters: [] }, { origin: 1 }, { sender: {} }])(
    "with %j is left out",
    (change) => expect(readOrder(stored(order(RUN_A, 0, 0, change), 1, 0))).toBeNull(),
  );
});

describe("headers", () => {
  const { head } = raw("s", { "x-qiki-run": RUN_A, "x-qiki-frame": 12, "x-qiki-run-2": "no", empty: "" }, {});

  test("are found by their whole name", () => {
    expect(header(head, "x-qiki-run")).toBe(RUN_A);
    expect(header(head, "qiki-run")).toBe("");
    expect(header(head, "x-qiki")).toBe("");
    expect(header(head, "empty")).toBe("");
    expect(header("", "x-qiki-run")).toBe("");
    expect(lines(head)).toContain("x-qiki-frame: 12");
  });

  test("are counted only where they are whole numbers", () => {
    expect(count(head, "x-qiki-frame")).toBe(12);
    for (const value of ["-1", "1.5", "1e3", "0x10", "", "1".repeat(30)]) {
      expect(count(raw("s", { n: value }, {}).head, "n")).toBeNaN();
    }
  });

  test("may have a status", () => {
    const end = "NATS/1.0 204 EOB\r\nNats-Num-Pending: 7\r\n\r\n";
    expect([status(end), reason(end), count(end, "Nats-Num-Pending")]).toEqual([204, "EOB", 7]);
    expect(status(head)).toBe(0);
  });

  test("are cut from a message of the library", async () => {
    const { MsgImpl } = await import("@nats-io/nats-core/internal");
    const block = new TextEncoder().encode("NATS/1.0\r\na: 1\r\n\r\nbody");
    const subject = new TextEncoder().encode("s.t");
    const arguments_ = { subject, sid: 1, hdr: block.length - 4, size: block.length };
    const message = new MsgImpl(arguments_ as never, block, { publish: () => undefined } as never);
    const cut = rawOf(message as never);
    expect([cut.subject, header(cut.head, "a"), new TextDecoder().decode(cut.body)]).toEqual(["s.t", "1", "body"]);
    const plain = new MsgImpl({ ...arguments_, hdr: -1 } as never, block.subarray(-4), {} as never);
    expect(rawOf(plain as never).head).toBe("");
    expect(message.headers?.get("a")).toBe("1");
  });
});

test("times are read to the fraction of a millisecond", () => {
  expect(milliseconds("2026-12-01T12:00:00.5Z")).toBe(STORED + 500);
  expect(milliseconds("2026-12-01T12:00:00Z")).toBe(STORED);
  expect(milliseconds("2026-12-01T12:00:00.000250000Z")).toBeCloseTo(STORED + 0.25, 3);
  expect(milliseconds("2026-12-01T12:00:00.1Z")).toBeLessThan(milliseconds("2026-12-01T12:00:00.12Z"));
  expect(milliseconds("")).toBeNaN();
});
