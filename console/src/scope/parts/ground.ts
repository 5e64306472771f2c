/** Behind the tracks of the plan view: range rings, bearing scale, guard zones. */

import type { GuardRule } from "../../config.ts";
import { shown, roundDistance, threeDigits, type Text } from "../format.ts";
import type { Colour, Ink, Sheet } from "./ink.ts";
import { LINE, type Measure, type Room } from "./labels.ts";
import type { Projection } from "../projection.ts";

/** A picture in the making. */
export interface Drawing {
  readonly projection: Projection;
  readonly sheet: Sheet;
  readonly room: Room;
  readonly text: Text;
  readonly measure: Measure;
}

const RING_GAP = 60;
const EDGE = 13;
/** Radii from which a guard zone is drawn, and has its name [px]. */
const LEAST_ZONE = 8;
const LABELLED_ZONE = 36;
/** Spokes begin so far from the vehicle [px]. */
const HUB = 28;
const RAD = Math.PI / 180;

/** Return the least of 1, 2, 5, 10, 20 and so on that is not below a number. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((digit) => digit * power >= least * 0.999) ?? 10);
}

/** Draw bearings, range rings and guard zones. */
export function drawGround(drawing: Drawing, rules: readonly GuardRule[]): void {
  drawBearings(drawing);
  drawRings(drawing, niceStep(RING_GAP / drawing.projection.scale));
  drawZones(drawing, rules);
}

function drawRings(drawing: Drawing, step: number): void {
  const { projection, sheet, text } = drawing;
  const { nearest, farthest } = reach(projection);
  const last = Math.floor(farthest / projection.scale / step);
  for (let ring = Math.max(Math.ceil(nearest / projection.scale / step), 1); ring <= last; ring++) {
    const radius = ring * step * projection.scale;
    drawCircle(projection, sheet.ink("ring"), radius);
    labelCircle(drawing, radius, roundDistance(text, ring * step), "text", [45, 225, 135, 315]);
  }
}

/** Draw the zones of the guard rules: spheres around the vehicle, so ellipses in a stretched view. */
export function drawZones(drawing: Drawing, rules: readonly GuardRule[]): void {
  const { projection, sheet, text } = drawing;
  for (const rule of rules) {
    const radius = (rule.max_range_m ?? 0) * projection.scale;
    if (radius < LEAST_ZONE || radius > reach(projection).farthest) continue;
    drawCircle(projection, sheet.ink("guard"), radius);
    if (radius < LABELLED_ZONE) continue;
    const name = `${shown(rule.id.split("_")[0] ?? "")} ${roundDistance(text, rule.max_range_m ?? 0)}`;
    labelCircle(drawing, radius, name, "guard", [180, 0, 150, 210]);
  }
}

/** Return the distances from the vehicle's place to the nearest and the farthest pixel of the screen. */
function reach({ x0, y0, width, height }: Projection): { nearest: number; farthest: number } {
  const [beside, above] = [Math.max(-x0, x0 - width, 0), Math.max(-y0, y0 - height, 0)];
  return {
    nearest: Math.hypot(beside, above),
    farthest: Math.hypot(Math.max(x0, width - x0), Math.max(y0, height - y0)),
  };
}

/**
 * Add a circle around the vehicle. It may be far greater than the screen: of one that is seen from outside only the
 * arc on the screen is drawn, and of one that is stretched to that the two sides.
 */
function drawCircle(projection: Projection, ink: Ink, radius: number): void {
  const { x0, y0, width, height } = projection;
  const flat = radius * (projection.rise / projection.scale);
  if (flat > 10 * (radius + height)) {
    for (const x of [x0 - radius, x0 + radius]) ink.segment(x, 0, x, height);
    return;
  }
  if (reach(projection).nearest === 0 || flat !== radius) return ink.ellipse(x0, y0, radius, flat);
  const middle = Math.atan2(height / 2 - y0, width / 2 - x0);
  const spread = Math.max(
    ...[0, width].flatMap((x) => [0, height].map((y) => Math.abs(turned(Math.atan2(y - y0, x - x0) - middle)))),
  );
  ink.ellipse(x0, y0, radius, radius, 0, middle - spread, middle + spread);
}

/** Return an angle within half a turn [rad]. */
function turned(angle: number): number {
  return Math.atan2(Math.sin(angle), Math.cos(angle));
}

/** Write a circle's name on it, at the first of some directions on the screen (clockwise from its top) with room. */
function labelCircle(drawing: Drawing, radius: number, name: string, colour: Colour, angles: readonly number[]): void {
  const { projection, sheet, room, measure } = drawing;
  const { x0, y0, width, height } = projection;
  const inwards = Math.atan2(width / 2 - x0, y0 - height / 2) / RAD;
  const flat = radius * (projection.rise / projection.scale);
  const wide = measure(name) + 6;
  for (const angle of reach(projection).nearest === 0 ? angles : [inwards]) {
    const [x, y] = [x0 + radius * Math.sin(angle * RAD), y0 - flat * Math.cos(angle * RAD)];
    if (!room.take(x - wide / 2, y - LINE / 2, wide, LINE)) continue;
    sheet.ink("groundPlate").rectangle(x - wide / 2, y - LINE / 2, wide, LINE);
    sheet.write(name, x, y, colour, "center");
    return;
  }
}

/** Draw spokes every 30 degrees, and a bearing scale along the edges, as seen from the vehicle. */
function drawBearings(drawing: Drawing): void {
  const { projection, sheet } = drawing;
  const { x0, y0, width, height } = projection;
  if (x0 < 40 || y0 < 40 || x0 > width - 40 || y0 > height - 40) return drawNorth(drawing);
  for (let bearing = 0; bearing < 360; bearing += 10) {
    const [dx, dy] = [Math.sin((bearing - projection.turn) * RAD), -Math.cos((bearing - projection.turn) * RAD)];
    const edge = Math.min(along(dx, x0, width), along(dy, y0, height));
    const major = bearing % 30 === 0;
    const tick = edge - (major ? 9 : 5);
    sheet.ink("tick").segment(x0 + dx * tick, y0 + dy * tick, x0 + dx * edge, y0 + dy * edge);
    if (!major) continue;
    sheet.ink("spoke").segment(x0 + dx * HUB, y0 + dy * HUB, x0 + dx * tick, y0 + dy * tick);
    labelBearing(drawing, bearing, x0 + dx * edge, y0 + dy * edge);
  }
}

function labelBearing({ projection, sheet, room, text }: Drawing, bearing: number, x: number, y: number): void {
  const name = bearing === 0 ? text("scopeNorth") : threeDigits(bearing);
  const [left, top] = [Math.min(Math.max(x, 24), projection.width - 24), Math.min(Math.max(y, 17), projection.height - 17)];
  if (room.take(left - 12, top - LINE / 2, 24, LINE)) sheet.write(name, left, top, bearing === 0 ? "own" : "text", "center");
}

/** Return the length of a ray to the edges of one axis, from a place between them. */
function along(direction: number, from: number, length: number): number {
  if (Math.abs(direction) < 1e-9) return Infinity;
  return (direction > 0 ? length - 1 - from : 1 - from) / direction;
}

/** Draw an arrow to the north in the corner, where the vehicle and its bearings are out of sight. */
function drawNorth({ projection, sheet, room, text }: Drawing): void {
  const [x, y] = [projection.width - 2 * EDGE, 2 * EDGE];
  const [dx, dy] = [Math.sin(-projection.turn * RAD), -Math.cos(projection.turn * RAD)];
  sheet.ink("own").segment(x - dx * 9, y - dy * 9, x + dx * 4, y + dy * 4);
  sheet.write(text("scopeNorth"), x + dx * 14, y + dy * 14, "own", "center");
  room.mark(x - 20, y - 20, 40, 40);
}
