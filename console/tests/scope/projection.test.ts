import { describe, expect, it } from "vitest";
import {
  around,
  bearingOf,
  ellipseOf,
  panned,
  planOf,
  polar,
  RADII,
  resized,
  SIGMAS_95,
  toMetres,
  toPixels,
  zoomed,
  type Sight,
} from "../../src/scope/projection.ts";

const SIZE = { width: 800, height: 600 };
const SIGHT: Sight = { metresPerPixel: 10, right: 0, up: 0, headingUp: false };

describe("plan view", () => {
  it("has north up and east right", () => {
    const plan = planOf(SIGHT, SIZE, 0);
    expect(toPixels(plan, [0, 0, 500])).toEqual([400, 300]);
    expect(toPixels(plan, [1000, 0, 0])).toEqual([500, 300]);
    expect(toPixels(plan, [0, 1000, 0])).toEqual([400, 200]);
  });

  it("turns so that the heading is up", () => {
    const plan = planOf(SIGHT, SIZE, 90);
    const [x, y] = toPixels(plan, [1000, 0, 0]);
    expect(x).toBeCloseTo(400);
    expect(y).toBeCloseTo(200);
    expect(toPixels(plan, [0, 1000, 0])[0]).toBeCloseTo(300);
  });

  it("keeps its radius on a canvas of another size", () => {
    const other = { width: 500, height: 200 };
    const edge = (size: typeof SIZE, sight: Sight) => toPixels(planOf(sight, size, 0), [0, 3000, 0])[1];
    expect(edge(SIZE, SIGHT)).toBeCloseTo(0);
    expect(edge(other, resized(SIGHT, SIZE, other))).toBeCloseTo(0);
  });

  it.each([0, 37, 215])("is inverted by toMetres, turned by %s degrees", (turn) => {
    const plan = planOf({ ...SIGHT, right: 321, up: -77 }, SIZE, turn);
    const [east, north] = toMetres(plan, ...toPixels(plan, [1234, -567, 0]));
    expect(east).toBeCloseTo(1234);
    expect(north).toBeCloseTo(-567);
  });
});

describe("sight", () => {
  it("keeps the place under the pointer while it zooms", () => {
    const before = planOf(SIGHT, SIZE, 30);
    const under = toMetres(before, 650, 120);
    const after = planOf(zoomed(SIGHT, 2.5, SIZE, 650 - 400, 120 - 300), SIZE, 30);
    const [x, y] = toPixels(after, [...under, 0]);
    expect(x).toBeCloseTo(650);
    expect(y).toBeCloseTo(120);
    expect(after.scale).toBeCloseTo(before.scale * 2.5);
  });

  it("moves what is shown with the pointer", () => {
    const moved = planOf(panned(SIGHT, 40, -25), SIZE, 0);
    expect(toPixels(moved, [0, 0, 0])).toEqual([440, 275]);
  });

  it("stays between 20 m and 200 km", () => {
    expect(zoomed(SIGHT, 1e9, SIZE).metresPerPixel * 300).toBeCloseTo(RADII[0]);
    expect(zoomed(SIGHT, 1e-9, SIZE).metresPerPixel * 300).toBeCloseTo(RADII[1]);
  });

  it("has its radius at the nearer edge", () => {
    const plan = planOf(around(SIGHT, 6000, SIZE), SIZE, 0);
    expect(toPixels(plan, [0, 6000, 0])[1]).toBeCloseTo(0);
  });
});

describe("bearings", () => {
  it("count clockwise from north", () => {
    expect(bearingOf(0, 1)).toBe(0);
    expect(bearingOf(1, 0)).toBe(90);
    expect(bearingOf(-1, 0)).toBe(270);
  });

  it("make places with range and elevation", () => {
    const [east, north, up] = polar(1000, 90, 30);
    expect(east).toBeCloseTo(866.03, 1);
    expect(north).toBeCloseTo(0);
    expect(up).toBeCloseTo(500);
  });
});

describe("uncertainty ellipse", () => {
  const plan = planOf({ ...SIGHT, metresPerPixel: 1 }, SIZE, 0);

  it("covers 95 %", () => {
    expect(SIGMAS_95 ** 2).toBeCloseTo(5.991, 3);
    const ellipse = ellipseOf(plan, [100, 0, 0, 25, 0, 9]);
    expect(ellipse?.a).toBeCloseTo(10 * SIGMAS_95);
    expect(ellipse?.b).toBeCloseTo(5 * SIGMAS_95);
    expect(ellipse?.angle).toBeCloseTo(0);
  });

  it("lies along the greatest error, clockwise on the screen", () => {
    // Greatest to the north-east: up and right, which is anticlockwise from the right.
    const ellipse = ellipseOf(plan, [50, 40, 0, 50, 0, 1]);
    expect(ellipse?.angle).toBeCloseTo(-Math.PI / 4);
    expect(ellipse?.a).toBeCloseTo(Math.sqrt(90) * SIGMAS_95);
    expect(ellipse?.b).toBeCloseTo(Math.sqrt(10) * SIGMAS_95);
  });

  it("turns with the view", () => {
    const turned = ellipseOf(planOf({ ...SIGHT, metresPerPixel: 1 }, SIZE, 90), [100, 0, 0, 25, 0, 9]);
    expect(turned?.a).toBeCloseTo(10 * SIGMAS_95);
    expect(Math.abs(Math.sin(turned?.angle ?? 0))).toBeCloseTo(1);
  });

  it("is none where the matrix is no covariance", () => {
    expect(ellipseOf(plan, [1, 2])).toBeNull();
    expect(ellipseOf(plan, [1, 9, 0, 1, 0, 1])).toBeNull();
    expect(ellipseOf(plan, [NaN, 0, 0, 1, 0, 1])).toBeNull();
  });
});
