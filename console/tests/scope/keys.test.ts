import { beforeEach, describe, expect, it } from "vitest";
import { chosenTrack } from "../../src/run/choice.ts";
import { press } from "../../src/scope/keys.ts";
import { initial, plan, sight, turnOf } from "../../src/scope/sight.ts";
import { AT, moment, telemetry, track } from "./invented.ts";

const SHOWN = moment([track("far", [0, 9000, 0]), track("near", [100, 0, 0]), track("middle", [0, 500, 0])], {
  telemetry: { value: telemetry({ heading: 77 }), sequence: 1, storedAt: AT },
});

beforeEach(() => {
  plan.size = { width: 800, height: 600 };
  sight.value = initial();
  chosenTrack.value = null;
});

describe("keys", () => {
  it("walk through the tracks, nearest first, and round", () => {
    const walked = ["n", "n", "n", "n", "p"].map((key) => press(key, SHOWN) && chosenTrack.value);
    expect(walked).toEqual(["near", "middle", "far", "near", "far"]);
    press("Escape", SHOWN);
    expect(chosenTrack.value).toBeNull();
  });

  it("choose nothing where there is nothing", () => {
    press("n", moment([]));
    expect(chosenTrack.value).toBeNull();
  });

  it("zoom, shift and go back", () => {
    press("+", SHOWN);
    press("ArrowRight", SHOWN);
    expect(sight.value.metresPerPixel).toBeLessThan(20);
    expect(sight.value.right).toBeGreaterThan(0);
    press("0", SHOWN);
    expect(sight.value).toEqual(initial());
  });

  it("show all tracks", () => {
    press("f", SHOWN);
    const radius = sight.value.metresPerPixel * 300;
    expect(radius).toBeGreaterThan(9000);
    expect(radius).toBeLessThan(11_000);
  });

  it("turn the vehicle's heading up", () => {
    expect(turnOf(sight.value, SHOWN)).toBe(0);
    press("h", SHOWN);
    expect(turnOf(sight.value, SHOWN)).toBe(77);
    press("h", SHOWN);
    expect(turnOf(sight.value, SHOWN)).toBe(0);
  });

  it("leave others to the page", () => {
    expect(press("Tab", SHOWN)).toBe(false);
  });
});
