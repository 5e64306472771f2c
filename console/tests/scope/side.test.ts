import { describe, expect, it } from "vitest";
import { ellipseOf, planOf, SIGMAS_95, toPixels, type Sight } from "../../src/scope/projection.ts";
import { sideOfSight, sidePicture, stretchOf } from "../../src/scope/side.ts";
import { measure, moment, text, track } from "./invented.ts";

const SIZE = { width: 800, height: 200 };
const SIGHT: Sight = { metresPerPixel: 10, right: 0, up: 0, headingUp: false };

describe("side view", () => {
  it("has heights upwards, and across what the plan view has across", () => {
    const sight = { ...SIGHT, right: 100, up: 900 };
    const side = sideOfSight(sight, SIZE, 30, 5);
    const plan = planOf(sight, { width: 800, height: 600 }, 30);
    const [x, y] = toPixels(side, [700, 300, 100]);
    expect(x).toBeCloseTo(toPixels(plan, [700, 300, 100])[0]);
    expect(y).toBeCloseTo(100 - 50);
  });

  it("is stretched as far as all heights have room", () => {
    const at = (...heights: number[]): number =>
      stretchOf(moment(heights.map((up, index) => track(`${index}`, [500, 0, up]))), SIGHT, SIZE, 0);
    expect(at(100)).toBe(5);
    expect(at(100, -300)).toBe(2);
    expect(at(5000)).toBe(1);
    expect(at()).toBe(100);
  });

  it("takes no notice of heights that are not on the screen", () => {
    const shown = moment([track("a", [500, 0, 100]), track("b", [90_000, 0, 60_000])]);
    expect(stretchOf(shown, SIGHT, SIZE, 0)).toBe(5);
  });

  it("stretches the ellipse too", () => {
    const ellipse = ellipseOf(sideOfSight({ ...SIGHT, metresPerPixel: 1 }, SIZE, 0, 5), [100, 0, 0, 1, 0, 100]);
    expect(ellipse?.a).toBeCloseTo(50 * SIGMAS_95);
    expect(ellipse?.b).toBeCloseTo(10 * SIGMAS_95);
  });

  it("draws the same symbols over lines of height", () => {
    const shown = moment([track("a", [1000, 0, 100], { iff: 2 })]);
    const made = sidePicture(shown, sideOfSight(SIGHT, SIZE, 0, 5), { rules: [], chosen: null, text, measure });
    expect(made.tracks[0]).toMatchObject({ x: 500, y: 50, shape: "diamond", colour: "foe" });
    const words = made.words.map((word) => word.text);
    expect(words).toEqual(expect.arrayContaining(["0 m", "+100 m", "-100 m", "heights × 5"]));
    expect(words).not.toContain("N");
  });
});
