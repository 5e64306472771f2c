import "./browser.ts";
import { expect, test } from "vitest";
import { inputAges, isHeld } from "../../src/panels/values/ages.ts";
import { AT, frame, moment, telemetry } from "./fake.ts";

const named = (shown: ReturnType<typeof moment>) => Object.fromEntries(inputAges(shown).map((one) => [one.name, one]));
const told = (storedAt: number, state = {}) => ({ value: telemetry(state), sequence: 1, storedAt });

test("what never came is stale and has no age", () => {
  expect(named(moment())["inAgent"]).toEqual({ name: "inAgent", age: null, stale: true });
});

test("an input is stale after five periods", () => {
  expect(named(moment({ telemetry: told(AT - 4900) }))["inTelemetry"]).toEqual({ name: "inTelemetry", age: 4900, stale: false });
  expect(named(moment({ telemetry: told(AT - 5100) }))["inTelemetry"]?.stale).toBe(true);
  expect(named(moment({ frame: frame({ storedAt: AT - 450 }) }))["inFrames"]?.stale).toBe(false);
  expect(named(moment({ frame: frame({ storedAt: AT - 550 }) }))["inFrames"]?.stale).toBe(true);
});

test("frames are not stale while time stands still, and come more seldom in slow time", () => {
  const old = frame({ storedAt: AT - 60_000 });
  expect(named(moment({ frame: old, telemetry: told(AT, { paused: true }) }))["inFrames"]?.stale).toBe(false);
  expect(named(moment({ frame: old, telemetry: told(AT, { running: false }) }))["inFrames"]?.stale).toBe(false);
  expect(named(moment({ frame: frame({ storedAt: AT - 4000 }), telemetry: told(AT, { speed: 0.1 }) }))["inFrames"]?.stale).toBe(false);
});

test("without telemetry time is not known to stand still", () => {
  expect(isHeld(moment({ telemetry: null }))).toBe(false);
});
