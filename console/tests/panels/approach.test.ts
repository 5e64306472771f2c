import "./browser.ts";
import { expect, test } from "vitest";
import { closestApproach, rangeHistory, sigmas } from "../../src/panels/values/approach.ts";
import { telemetry, track } from "./fake.ts";

test("the closest approach is where the relative path is nearest", () => {
  const passing = track(1, { position: { x: -100, y: 30, z: 40 }, velocity: { x: 10, y: 0, z: 0 } });
  expect(closestApproach(passing)).toEqual({ distance: 50, seconds: 10 });
});

test("a track that recedes has it behind, and one at rest has none", () => {
  const receding = track(1, { position: { x: 100, y: 0, z: 0 }, velocity: { x: 10, y: 0, z: 0 } });
  expect(closestApproach(receding)?.seconds).toBe(-10);
  expect(closestApproach(track(1, { velocity: { x: 0, y: 0, z: 0 } }))).toBeNull();
  expect(closestApproach(track(1, { position: null }))).toBeNull();
});

test("standard deviations come from the diagonal of the covariance", () => {
  expect(sigmas([4, 1, 1, 9, 1, 16])).toEqual([2, 3, 4]);
  expect(sigmas([4, 1])).toBeNull();
});

test("a range of the past is counted from where the vehicle was then", () => {
  const at = (seconds: number, x: number) => ({ seconds, nearest: null, telemetry: { ...telemetry(), position: { x, y: 0, z: 0 } } });
  const trail = [0, 5, 20].map((frame) => ({ frame, position: [100, 0, 0] as const }));
  const history = rangeHistory(trail, [at(0, 0), at(1, 20)], 10, [50, 0, 0]);
  expect(history).toEqual([
    { seconds: 0, range: 100 },
    { seconds: 0.5, range: 90 },
    { seconds: 2, range: 50 },
  ]);
});
