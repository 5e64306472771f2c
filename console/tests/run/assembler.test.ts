import { describe, expect, test } from "vitest";
import { Assembler, frameOf, type Assembled } from "../../src/run/live/assembler.ts";
import type { Frame } from "../../src/run/types.ts";
import { frame, notice, raw, RUN_A, RUN_B, track } from "./wire.ts";

const ids = ["t1", "t2", "t3"];

function feed(assembler: Assembler, run: string, number: number, tracks = ids): void {
  assembler.frame(frame(run, number));
  for (const id of tracks) assembler.track(track(run, number, id));
  assembler.notice(notice(run, number, tracks.length));
}

function decode(assembled: Assembled | null, before: Frame | null = null): Frame {
  if (assembled === null) throw new Error("no frame");
  return frameOf(assembled, { sequence: 7, storedAt: 0 }, { frame: null, tracks: new Map() }, before);
}

describe("a frame", () => {
  test("is complete with its notice and as many tracks, and is taken once", () => {
    const assembler = new Assembler(() => 0);
    feed(assembler, RUN_A, 0);
    const built = decode(assembler.take());
    expect(built.tracks.map(({ track_id }) => track_id)).toEqual(ids);
    expect(built).toMatchObject({ run: RUN_A, number: 0, sequence: 7 });
    expect([built.ownPosition, built.ownVelocity]).toEqual([[1, 2, 3], [10, 0, 0]]);
    expect(built.plots).toHaveLength(1);
    expect(assembler.take()).toBeNull();
  });

  test("has the probabilities of kinds that are known, and no others", () => {
    const assembler = new Assembler(() => 0);
    const given = [["t1", 2, "0.97"], ["t2", 0, "0.97"], ["t3", 2, "1.5"], ["t4", 2, "much"], ["t5", 2, ""]] as const;
    for (const [id, object_type, value] of given)
      assembler.track(track(RUN_A, 0, id, { object_type }, { "x-qiki-type-confidence": value }));
    assembler.notice(notice(RUN_A, 0, 5));
    expect([...decode(assembler.take()).confidences]).toEqual([["t1", 0.97]]);
  });

  test("waits for tracks that come after the notice, in any order", () => {
    const assembler = new Assembler(() => 0);
    assembler.track(track(RUN_A, 4, "t3"));
    assembler.notice(notice(RUN_A, 4, 3));
    assembler.track(track(RUN_A, 4, "t1"));
    expect(assembler.take()).toBeNull();
    assembler.track(track(RUN_A, 4, "t2"));
    expect(assembler.take()?.tracks).toHaveLength(3);
  });

  test("is not completed by the same track twice", () => {
    const assembler = new Assembler(() => 0);
    for (const id of ["t1", "t1", "t2"]) assembler.track(track(RUN_A, 0, id));
    assembler.notice(notice(RUN_A, 0, 3));
    expect(assembler.take()).toBeNull();
  });

  test("without tracks is complete with its notice", () => {
    const assembler = new Assembler(() => 0);
    assembler.notice(notice(RUN_A, 0, 0));
    expect(decode(assembler.take()).tracks).toEqual([]);
  });

  test("takes its own message late, as long as it was not taken", () => {
    const assembler = new Assembler(() => 0);
    assembler.notice(notice(RUN_A, 0, 0));
    assembler.frame(frame(RUN_A, 0, 5));
    expect(decode(assembler.take()).plots).toHaveLength(5);
  });

  test("without its own message is where the vehicle flew to", () => {
    const assembler = new Assembler(() => 0);
    feed(assembler, RUN_A, 0);
    const before = decode(assembler.take());
    assembler.notice(notice(RUN_A, 10, 0));
    expect(decode(assembler.take(), before).ownPosition[0]).toBeCloseTo(11);
  });

  test("leaves out tracks that cannot be read", () => {
    const assembler = new Assembler(() => 0);
    assembler.track(track(RUN_A, 0, "t1", { range_m: "far" as unknown as number }));
    assembler.track(track(RUN_A, 0, "t2"));
    assembler.notice(notice(RUN_A, 0, 2));
    expect(decode(assembler.take()).tracks.map(({ track_id }) => track_id)).toEqual(["t2"]);
  });
});

describe("of several frames", () => {
  test("only the newest is shown", () => {
    const assembler = new Assembler(() => 0);
    for (const number of [0, 1, 2]) feed(assembler, RUN_A, number);
    expect(assembler.take()?.notice.number).toBe(2);
    expect(assembler.take()).toBeNull();
  });

  test("one that never completes is overtaken", () => {
    const assembler = new Assembler(() => 0);
    assembler.track(track(RUN_A, 0, "t1"));
    assembler.notice(notice(RUN_A, 0, 3));
    feed(assembler, RUN_A, 1);
    expect(assembler.take()?.notice.number).toBe(1);
    for (const id of ["t2", "t3"]) assembler.track(track(RUN_A, 0, id));
    expect(assembler.take()).toBeNull();
  });

  test("one that comes again is left out", () => {
    const assembler = new Assembler(() => 0);
    feed(assembler, RUN_A, 5);
    assembler.take();
    feed(assembler, RUN_A, 5);
    feed(assembler, RUN_A, 4);
    expect(assembler.take()).toBeNull();
  });

  test("those behind a frame that was read are wanted", () => {
    const assembler = new Assembler(() => 0);
    assembler.goOnFrom(RUN_A, 9);
    feed(assembler, RUN_A, 9);
    expect(assembler.take()).toBeNull();
    feed(assembler, RUN_A, 10);
    expect(assembler.take()?.notice.number).toBe(10);
  });

  test("what never completes does not fill the memory", () => {
    const assembler = new Assembler(() => 0);
    for (let number = 0; number < 1000; number++) assembler.track(track(RUN_A, number, "t1"));
    assembler.notice(notice(RUN_A, 0, 1));
    expect(assembler.take()).toBeNull();
    assembler.notice(notice(RUN_A, 999, 1));
    expect(assembler.take()?.notice.number).toBe(999);
  });
});

describe("of several runs", () => {
  test("a new one of the simulator is shown from its first frame", () => {
    const assembler = new Assembler(() => 0);
    assembler.setWorld(RUN_A);
    feed(assembler, RUN_A, 100);
    assembler.setWorld(RUN_B);
    feed(assembler, RUN_B, 0);
    expect(assembler.take()?.notice).toMatchObject({ run: RUN_B, number: 0 });
  });

  test("the one that is over is not shown any more", () => {
    const assembler = new Assembler(() => 0);
    assembler.setWorld(RUN_A);
    feed(assembler, RUN_A, 100);
    assembler.take();
    assembler.setWorld(RUN_B);
    feed(assembler, RUN_A, 101);
    expect(assembler.take()).toBeNull();
  });

  test("that of another radar is shown only while the simulator's is silent", () => {
    let now = 0;
    const assembler = new Assembler(() => now);
    assembler.setWorld(RUN_A);
    feed(assembler, RUN_A, 0);
    assembler.take();
    feed(assembler, RUN_B, 70);
    expect(assembler.take()).toBeNull();
    now = 4000;
    feed(assembler, RUN_B, 71);
    expect(assembler.take()?.notice.run).toBe(RUN_B);
    feed(assembler, RUN_A, 1);
    expect(assembler.take()?.notice.run).toBe(RUN_A);
  });
});

test("rubbish changes nothing", () => {
  const assembler = new Assembler(() => 0);
  const rubbish = [
    raw("s", {}, "no json"),
    raw("s", { "x-qiki-run": RUN_A, "x-qiki-frame": "-1" }, "null"),
    raw("s", { "x-qiki-run": RUN_A, "x-qiki-frame": "1e9" }, {}),
    raw("s", { "x-qiki-frame": "1" }, []),
  ];
  for (const message of rubbish) {
    assembler.track(message);
    assembler.frame(message);
    assembler.notice(message);
  }
  feed(assembler, RUN_A, 0);
  expect(decode(assembler.take()).tracks).toHaveLength(3);
});
