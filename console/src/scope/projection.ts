/** Transforms between metres around the vehicle (east, north, up) and pixels of a canvas. */

import type { Vector } from "../run/types.ts";

/** Width and height [px]. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The part of the world that is looked at. The vehicle is at the centre of the world. */
export interface Sight {
  readonly metresPerPixel: number;
  /** The canvas' middle, from the vehicle to the right and to the top of the screen [m]: it turns with the view. */
  readonly right: number;
  readonly up: number;
  readonly headingUp: boolean;
}

/** An affine map: `x = x0 + right · place`, `y = y0 + down · place`, in CSS pixels. */
export interface Projection extends Size {
  /** The vehicle's place [px]. */
  readonly x0: number;
  readonly y0: number;
  /** Pixels for one metre east, north and up. */
  readonly right: Vector;
  readonly down: Vector;
  /** Pixels for one metre across the screen, and up the screen; they differ in the side view only. */
  readonly scale: number;
  readonly rise: number;
  /** Direction that is up in the plan view, and into the screen in the side view: degrees clockwise from north. */
  readonly turn: number;
}

/** An ellipse on the screen: half axes [px], and the first one's angle, clockwise from the right [rad]. */
export interface Ellipse {
  readonly a: number;
  readonly b: number;
  readonly angle: number;
}

/** Least and greatest distance from the middle to the nearer edge [m]. */
export const RADII = [20, 200_000] as const;
/** Distance from the middle to the nearer edge in the beginning [m]. */
export const DEFAULT_RADIUS = 6_000;
const FARTHEST = 400_000;
/** Root of the quantile of chi-square with two degrees of freedom: 95 % are within. */
export const SIGMAS_95 = Math.sqrt(-2 * Math.log(0.05));

const RAD = Math.PI / 180;

/** Return the plan view: seen from above, `turn` degrees clockwise from north are up. */
export function planOf(sight: Sight, size: Size, turn: number): Projection {
  const scale = 1 / sight.metresPerPixel;
  const [sine, cosine] = [Math.sin(turn * RAD) * scale, Math.cos(turn * RAD) * scale];
  return {
    width: size.width,
    height: size.height,
    x0: size.width / 2 - sight.right * scale,
    y0: size.height / 2 + sight.up * scale,
    right: [cosine, -sine, 0],
    down: [-sine, -cosine, 0],
    scale,
    rise: scale,
    turn,
  };
}

/** Return the pixels of a place [m]. */
export function toPixels(projection: Projection, [east, north, up]: Vector): readonly [number, number] {
  const { right, down } = projection;
  return [
    projection.x0 + right[0] * east + right[1] * north + right[2] * up,
    projection.y0 + down[0] * east + down[1] * north + down[2] * up,
  ];
}

/** Return the place in the vehicle's plane that a pixel of the plan view shows: east, north [m]. */
export function toMetres(projection: Projection, x: number, y: number): readonly [number, number] {
  const [sine, cosine] = [Math.sin(projection.turn * RAD), Math.cos(projection.turn * RAD)];
  const [across, along] = [(x - projection.x0) / projection.scale, (projection.y0 - y) / projection.scale];
  return [across * cosine + along * sine, along * cosine - across * sine];
}

/** Return degrees clockwise from north, in [0, 360). */
export function bearingOf(east: number, north: number): number {
  return (Math.atan2(east, north) / RAD + 360) % 360;
}

/** Return the place of range [m], bearing and elevation [deg]. */
export function polar(range: number, bearing: number, elevation: number): Vector {
  const flat = range * Math.cos(elevation * RAD);
  return [flat * Math.sin(bearing * RAD), flat * Math.cos(bearing * RAD), range * Math.sin(elevation * RAD)];
}

/** Return the 95 % ellipse of a covariance (xx, xy, xz, yy, yz, zz [m²]) on the screen; null if it is none. */
export function ellipseOf(projection: Projection, covariance: readonly number[]): Ellipse | null {
  const { right, down } = projection;
  const xx = onto(right, right, covariance);
  const xy = onto(right, down, covariance);
  const yy = onto(down, down, covariance);
  const [middle, half] = [(xx + yy) / 2, Math.hypot((xx - yy) / 2, xy)];
  if (covariance.length !== 6 || !(middle - half >= -1e-9 * middle) || !Number.isFinite(middle)) return null;
  return {
    a: SIGMAS_95 * Math.sqrt(middle + half),
    b: SIGMAS_95 * Math.sqrt(Math.max(middle - half, 0)),
    angle: Math.atan2(2 * xy, xx - yy) / 2,
  };
}

/** Return p · C · q. */
function onto(p: Vector, q: Vector, c: readonly number[]): number {
  const [xx = 0, xy = 0, xz = 0, yy = 0, yz = 0, zz = 0] = c;
  return (
    p[0] * (xx * q[0] + xy * q[1] + xz * q[2]) +
    p[1] * (xy * q[0] + yy * q[1] + yz * q[2]) +
    p[2] * (xz * q[0] + yz * q[1] + zz * q[2])
  );
}

/** Return the sight at a radius [m] around the vehicle, north up or heading up as before. */
export function around(sight: Sight, radius: number, size: Size): Sight {
  return { ...sight, right: 0, up: 0, metresPerPixel: within(radius, ...RADII) / half(size) };
}

/** Zoom by a factor, above 1 for a closer look; what is so many pixels right of and below the middle stays there. */
export function zoomed(sight: Sight, factor: number, size: Size, x = 0, y = 0): Sight {
  const radius = within((sight.metresPerPixel * half(size)) / factor, ...RADII);
  const metresPerPixel = radius / half(size);
  const grown = sight.metresPerPixel - metresPerPixel;
  return {
    ...sight,
    metresPerPixel,
    right: sight.right + x * grown,
    up: sight.up - y * grown,
  };
}

/** Return the sight that has the same radius on a canvas of another size. */
export function resized(sight: Sight, before: Size, size: Size): Sight {
  return { ...sight, metresPerPixel: (sight.metresPerPixel * half(before)) / half(size) };
}

/** Shift what is shown by pixels to the right and down. */
export function panned(sight: Sight, dx: number, dy: number): Sight {
  return {
    ...sight,
    right: within(sight.right - dx * sight.metresPerPixel, -FARTHEST, FARTHEST),
    up: within(sight.up + dy * sight.metresPerPixel, -FARTHEST, FARTHEST),
  };
}

function half(size: Size): number {
  return Math.max(Math.min(size.width, size.height) / 2, 1);
}

/** Return a value, or the bound that it exceeds. */
export function within(value: number, least: number, greatest: number): number {
  return Math.min(Math.max(value, least), greatest);
}
