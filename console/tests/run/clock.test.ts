import { beforeEach, describe, expect, test, vi } from "vitest";
import { endOf, RunClock, type Timeline } from "../../src/run/clock.ts";
import type { StoredNotice } from "../../src/run/stored/notices.ts";
import type { Span } from "../../src/run/view.ts";
import { frameTime, iso, RUN_A, RUN_B, STORED } from "./wire.ts";

function notice(sequence: number, run = RUN_A, number = sequence): StoredNotice {
  const storedAt = STORED + 100 * sequence;
  const time = frameTime(number);
  return { run, number, time, tracks: 0, radarSequence: null, buried: false, sequence, storedAt, stamp: iso(storedAt) };
}

const SPAN: Span = { oldest: 10, newest: 1000, runs: [], orders: [] };
let now = 0;
let loaded: number[];
let notices: Map<number, StoredNotice | null>;
let clock: RunClock;

beforeEach(() => {
  now = 0;
  loaded = [];
  notices = new Map(Array.from({ length: 991 }, (_, index) => [index + 10, notice(index + 10)]));
  const timeline: Timeline = {
    known: (place) => notices.get(place),
    load: (place) => void loaded.push(place),
    find: vi.fn(async (run: string, frame: number) => (run === RUN_A && frame === 77 ? 77 : null)),
  };
  clock = new RunClock(timeline, () => now);
  clock.setSpan(SPAN);
});

const state = () => clock.state.value;

describe("live", () => {
  test("is the beginning, and follows the newest", () => {
    expect(state()).toMatchObject({ mode: "live", place: 1000, reading: false });
    clock.newest(1001);
    expect(state()).toMatchObject({ place: 1001, span: { oldest: 10, newest: 1001 } });
    clock.newest(900);
    expect(state().place).toBe(1001);
  });

  test("is left for a place, and pressed again", () => {
    clock.goTo(500);
    expect(state()).toMatchObject({ mode: "past", place: 500, reading: true });
    clock.newest(1010);
    expect(state()).toMatchObject({ mode: "past", place: 500 });
    clock.live();
    expect(state()).toMatchObject({ mode: "live", place: 1010, reading: false });
  });
});

describe("a place", () => {
  test("beyond an end is the end", () => {
    clock.goTo(3);
    expect(state().place).toBe(10);
    clock.goTo(5000);
    expect(state()).toMatchObject({ mode: "past", place: 1000 });
    clock.goTo(NaN);
    expect(state().place).toBe(1000);
  });

  test("is read until its moment is shown", () => {
    clock.goTo(500);
    clock.shown(499);
    expect(state().reading).toBe(true);
    clock.shown(500);
    expect(state().reading).toBe(false);
  });

  test("is stepped from", () => {
    clock.step(-1);
    expect(state()).toMatchObject({ mode: "past", place: 999 });
    clock.step(10);
    expect(state().place).toBe(1000);
  });

  test("is found by run and frame", async () => {
    expect(await clock.goToFrame(RUN_A, 77)).toBe(true);
    expect(state()).toMatchObject({ mode: "past", place: 77 });
    expect(await clock.goToFrame(RUN_B, 77)).toBe(false);
    expect(state().place).toBe(77);
  });

  test("that is discarded becomes the oldest one, which is read", () => {
    clock.goTo(20);
    clock.shown(20);
    clock.setSpan({ ...SPAN, oldest: 15 });
    expect(state()).toMatchObject({ place: 20, reading: false });
    clock.setSpan({ ...SPAN, oldest: 30 });
    expect(state()).toMatchObject({ mode: "past", place: 30, reading: true });
  });

  test("is live once nothing is stored", () => {
    clock.goTo(500);
    clock.setSpan(null);
    expect(state()).toMatchObject({ mode: "live", place: 0, span: null });
    clock.goTo(5);
    expect(state().mode).toBe("live");
  });
});

describe("a replay", () => {
  const at = (ms: number) => {
    now = ms;
    clock.tick();
    return state().place;
  };

  beforeEach(() => {
    clock.goTo(100);
    clock.shown(100);
  });

  test("walks on by simulated time, at its rate", () => {
    clock.replay(1);
    expect(at(0)).toBe(100);
    expect(at(99)).toBe(100);
    expect(at(100)).toBe(101);
    expect(state()).toMatchObject({ mode: "replay", reading: true });
    expect(at(1000)).toBe(110);
    clock.replay(4);
    at(1000);
    expect(at(1500)).toBe(130);
  });

  test("stands when it is stopped, and does not jump when it goes on", () => {
    clock.replay(1);
    at(0);
    at(500);
    clock.stop();
    expect(at(5000)).toBe(105);
    clock.replay(1);
    expect(at(5000)).toBe(105);
    expect(at(5200)).toBe(107);
  });

  test("waits for notices that are not read, and goes on without a jump", () => {
    notices.delete(103);
    clock.replay(1);
    at(0);
    expect(at(1000)).toBe(102);
    expect(loaded).toEqual([103]);
    notices.set(103, notice(103));
    expect(at(3000)).toBe(102);
    expect(at(3100)).toBe(103);
  });

  test("steps over places that are gone", () => {
    notices.set(101, null);
    clock.replay(1);
    at(0);
    expect(at(200)).toBe(102);
  });

  test("goes on into the next run at once, and at its pace there", () => {
    for (let place = 103; place <= 200; place++) notices.set(place, notice(place, RUN_B, place - 103));
    clock.replay(1);
    at(0);
    expect(at(300)).toBe(103);
    at(400);
    expect(at(1400)).toBe(113);
  });

  test("becomes live at the newest", () => {
    clock.goTo(998);
    clock.replay(10);
    at(0);
    at(1000);
    expect(state()).toMatchObject({ mode: "live", place: 1000 });
  });

  test("needs a past place and a rate", () => {
    clock.replay(0);
    expect(state().mode).toBe("past");
    clock.live();
    clock.replay(1);
    expect(state().mode).toBe("live");
  });
});

describe("a moment", () => {
  test("ends where the next frame's notice was stored", () => {
    expect(endOf(notice(5), notice(6), () => undefined)).toBe(iso(STORED + 600));
    expect(endOf(notice(5), null, () => undefined)).toBeNull();
  });

  test("of a run's last frame ends where the next run was described", () => {
    const next = notice(6, RUN_B, 0);
    expect(endOf(notice(5), next, (run) => (run === RUN_B ? iso(STORED + 550) : undefined))).toBe(iso(STORED + 550));
    expect(endOf(notice(5), next, () => iso(STORED + 100))).toBe(next.stamp);
  });
});
