import { describe, expect, test } from "vitest";
import { sampleTimes, Trails } from "../../src/run/live/trails.ts";
import type { Frame } from "../../src/run/types.ts";
import { frameTime, RUN_A, RUN_B, trackValue } from "./wire.ts";

function frame(number: number, run = RUN_A, ids = ["t1"], own = 0): Frame {
  return {
    run,
    number,
    time: frameTime(number),
    sequence: number,
    storedAt: 0,
    tracks: ids.map((id) => trackValue(id, number)),
    plots: [],
    ownPosition: [own, 0, 0],
    ownVelocity: [0, 0, 0],
    sequences: { frame: null, tracks: new Map() },
    confidences: new Map(),
  };
}

const numbers = (trails: Trails, at: Frame, id = "t1") => trails.upTo(at).get(id)?.map((point) => point.frame);

describe("trails", () => {
  test("have two points a second, in world axes", () => {
    const trails = new Trails();
    for (let number = 0; number <= 12; number++) trails.add(frame(number, RUN_A, ["t1"], 1000));
    expect(numbers(trails, frame(12))).toEqual([0, 5, 10]);
    expect(trails.upTo(frame(12)).get("t1")?.[1]?.position).toEqual([1105, 0, 0]);
  });

  test("end at the frame that is shown, and are 15 s long", () => {
    const trails = new Trails();
    for (let number = 0; number <= 400; number += 5) trails.add(frame(number));
    expect(numbers(trails, frame(20))).toEqual([0, 5, 10, 15, 20]);
    const late = numbers(trails, frame(400)) ?? [];
    expect([late[0], late.at(-1), late.length]).toEqual([250, 400, 31]);
  });

  test("take older samples later", () => {
    const trails = new Trails();
    for (const number of [50, 40, 45, 30]) trails.add(frame(number));
    expect(numbers(trails, frame(50))).toEqual([30, 40, 45, 50]);
    expect(trails.has(frameTime(47))).toBe(true);
    expect(trails.has(frameTime(35))).toBe(false);
  });

  test("are those of the tracks that are there; a lost one has no further points", () => {
    const trails = new Trails();
    trails.add(frame(0, RUN_A, ["t1", "t2"]));
    const lost = frame(5, RUN_A, []);
    trails.add({ ...lost, tracks: [trackValue("t1", 5, { status: 3 }), trackValue("t3", 5, { position: null })] });
    const now = frame(6, RUN_A, ["t1", "t3"]);
    expect([...trails.upTo(now)].map(([id, points]) => [id, points.length])).toEqual([["t1", 1], ["t3", 0]]);
  });

  test("of another run are gone", () => {
    const trails = new Trails();
    trails.add(frame(500));
    trails.add(frame(510, RUN_B));
    expect(numbers(trails, frame(510, RUN_B))).toEqual([510]);
    expect(trails.upTo(frame(500)).size).toBe(0);
  });

  test("do not grow for ever", () => {
    const trails = new Trails();
    for (let number = 0; number < 10_000; number += 5) trails.add(frame(number));
    expect(trails.has(frameTime(0))).toBe(false);
    expect(numbers(trails, frame(9995))?.length).toBe(31);
  });
});

test("samples are asked for at the same times again, fewer where there are many tracks", () => {
  const times = sampleTimes({ time: frameTime(200) }, 30);
  expect(times).toHaveLength(30);
  expect(times.every((time) => time % 500 === 0)).toBe(true);
  expect(sampleTimes({ time: frameTime(201) }, 30).slice(1)).toEqual(times.slice(1));
  expect(sampleTimes({ time: frameTime(200) }, 3)).toHaveLength(3);
  expect(sampleTimes({ time: frameTime(200) }, 0)).toEqual([]);
});
