/** Tracks: symbol, trail, velocity, uncertainty and label. */

import type { Frame, Moment, TrailPoint, Vector } from "../run/types.ts";
import type { RadarTrack } from "../wire/payloads.ts";
import { distance, isSpoofed, nameOf, shown } from "./format.ts";
import type { Drawing } from "./parts/ground.ts";
import type { Ink, Side } from "./parts/ink.ts";
import { LINE, place, placeAlways, placeStill } from "./parts/labels.ts";
import { ellipseOf, polar, toPixels, type Projection } from "./projection.ts";

/** Shape of a symbol. */
export type Shape = "circle" | "diamond" | "square";
/** Life of a track. */
export type Status = "new" | "tracked" | "coasting" | "lost";

/** A track as it is drawn: what a test or a pointer finds on the screen. */
export interface DrawnTrack {
  readonly id: string;
  /** [px] */
  readonly x: number;
  readonly y: number;
  readonly shape: Shape;
  readonly colour: Side;
  readonly status: Status;
  readonly spoof: boolean;
  /** Only this one of two runs has it. */
  readonly only: boolean;
  /** Text of its label, lines joined by a blank; null where there was no room. */
  label: string | null;
}

/** One point of so many is enough to see the way of a track among many. */
const LONGEST_STRIDE = 4;

/** Shape and colour both tell the side. */
export const SHAPES: Readonly<Record<Side, Shape>> = { friend: "circle", foe: "diamond", unknown: "square" };

/** Return the side; who is not known to be friend or foe is unknown. */
export function sideOf(track: RadarTrack): Side {
  return track.iff === 1 ? "friend" : track.iff === 2 ? "foe" : "unknown";
}

/** Return the status; one that is unspecified counts as new. */
export function statusOf(track: RadarTrack): Status {
  return (["new", "new", "tracked", "lost", "coasting"] as const)[track.status];
}

/** Return the place relative to the vehicle [m]: the estimate, or else the measured range and angles. */
export function positionOf(track: RadarTrack): Vector {
  const at = track.position;
  return at ? [at.x, at.y, at.z] : polar(track.range_m, track.bearing_deg, track.elev_deg);
}

/** Return a track at its place on the screen, without a label yet. */
export function drawnTrack(track: RadarTrack, [x, y]: readonly [number, number], only?: ReadonlySet<string>): DrawnTrack {
  const [side, id] = [sideOf(track), track.track_id];
  const marks = { spoof: isSpoofed(track), only: only?.has(id) ?? false };
  return { id, x, y, shape: SHAPES[side], colour: side, status: statusOf(track), ...marks, label: null };
}

/** Draw the symbol of a track, with a cross through a lost one, a mark beside a false identity, a ring around one of one run. */
export function drawSymbol({ sheet, room }: Drawing, drawn: DrawnTrack, size: number): void {
  const { x, y } = drawn;
  const ink = sheet.ink(`${drawn.status}-${drawn.colour}`);
  outline(ink, drawn.shape, x, y, drawn.status === "new" ? size * 0.75 : size);
  if (drawn.status === "lost") {
    ink.segment(x - size - 2, y - size - 2, x + size + 2, y + size + 2);
    ink.segment(x - size - 2, y + size + 2, x + size + 2, y - size - 2);
  }
  room.mark(x - size, y - size, 2 * size, 2 * size);
  if (drawn.spoof) drawSpoof(sheet.ink("spoof"), x, y, size);
  if (drawn.only) sheet.ink("only").ellipse(x, y, size + 6);
}

function outline(ink: Ink, shape: Shape, x: number, y: number, size: number): void {
  const [corner, side] = [size * 1.3, size * 0.95];
  if (shape === "circle") ink.ellipse(x, y, size);
  else if (shape === "diamond") ink.polygon(x, y, [0, -corner, corner, 0, 0, corner, -corner, 0]);
  else ink.polygon(x, y, [-side, -side, side, -side, side, side, -side, side]);
}

/** Draw corners of a triangle around the symbol: nothing else on the screen has them. */
function drawSpoof(ink: Ink, x: number, y: number, size: number): void {
  const [reach, part] = [size * 2.6, 0.3];
  const corners = [-90, 30, 150].map((angle) => {
    const rad = (angle * Math.PI) / 180;
    return [reach * Math.cos(rad), reach * Math.sin(rad)] as const;
  });
  corners.forEach(([cx, cy], index) => {
    for (const other of [1, 2]) {
      const [ox, oy] = corners[(index + other) % 3] ?? [0, 0];
      ink.segment(x + cx, y + cy, x + cx + (ox - cx) * part, y + cy + (oy - cy) * part);
    }
  });
}

/** Draw the corners of a frame around the chosen track. */
export function drawChoice(ink: Ink, x: number, y: number, size: number): void {
  const [reach, arm] = [size + 7, 5];
  for (const [sx, sy] of [[1, 1], [1, -1], [-1, 1], [-1, -1]] as const) {
    ink.move(x + sx * reach, y + sy * (reach - arm));
    ink.line(x + sx * reach, y + sy * reach);
    ink.line(x + sx * (reach - arm), y + sy * reach);
  }
}

/** Draw some seconds of a track's motion in the world: its own and the vehicle's velocity together. */
export function drawVector({ projection, sheet }: Drawing, track: RadarTrack, drawn: DrawnTrack, own: Vector, seconds: number): void {
  if (!track.velocity) return;
  const { x, y, z } = track.velocity;
  const [dx, dy] = shift(projection, [(x + own[0]) * seconds, (y + own[1]) * seconds, (z + own[2]) * seconds]);
  if (Math.hypot(dx, dy) > 2) sheet.ink(`vector-${drawn.colour}`).segment(drawn.x, drawn.y, drawn.x + dx, drawn.y + dy);
}

function shift({ right, down }: Projection, [x, y, z]: Vector): readonly [number, number] {
  return [right[0] * x + right[1] * y + right[2] * z, down[0] * x + down[1] * y + down[2] * z];
}

/** Draw where the track is with 95 % probability, unless that is too small to see, or the whole screen. */
export function drawEllipse({ projection, sheet }: Drawing, track: RadarTrack, drawn: DrawnTrack, size: number): void {
  const ellipse = track.position_covariance ? ellipseOf(projection, track.position_covariance) : null;
  if (!ellipse || ellipse.a < size || ellipse.a > 4 * (projection.width + projection.height)) return;
  sheet.ink(`ellipse-${drawn.colour}`).ellipse(drawn.x, drawn.y, ellipse.a, ellipse.b, ellipse.angle);
}

/** Draw the places of a track before, seen from the vehicle's present place; true if the oldest were left out. */
export function drawTrail(drawing: Drawing, points: readonly TrailPoint[], frame: Frame, drawn: DrawnTrack, most: number): boolean {
  if (points.length < 2 || most < 2) return points.length > 1;
  const ink = drawing.sheet.ink(`trail-${drawn.colour}`);
  const [east, north, up] = frame.ownPosition;
  const stride = points.length > most ? Math.min(Math.ceil(points.length / most), LONGEST_STRIDE) : 1;
  const first = Math.max(points.length - most * stride, 0);
  let begun = false;
  for (const [index, { frame: number, position }] of points.entries()) {
    if (index < first || (points.length - 1 - index) % stride || number >= frame.number) continue;
    const [x, y] = toPixels(drawing.projection, [position[0] - east, position[1] - north, position[2] - up]);
    if (begun) ink.line(x, y);
    else ink.move(x, y);
    begun = true;
  }
  if (begun) ink.line(drawn.x, drawn.y);
  return first > 0;
}

/** The placement of a label. */
export interface LabelPlacing {
  /** From the symbol's middle [px]. */
  readonly gap: number;
  readonly chosen: boolean;
  /** Number of the place to try first. */
  readonly before: number | undefined;
  /** Only there. */
  readonly still: boolean;
}

/** Write name and range beside a track, if there is room; return the place's number. `*` after the name: one run only. */
export function drawLabel(drawing: Drawing, track: RadarTrack, drawn: DrawnTrack, placing: LabelPlacing): number | null {
  const { sheet, measure, text } = drawing;
  const short = track.transponder_id ? `${shown(track.track_id.slice(0, 4))} ` : "";
  const lines = [nameOf(track) + (drawn.only ? "*" : ""), short + distance(text, track.range_m)] as const;
  const width = Math.max(measure(lines[0]), measure(lines[1])) + 4;
  const { gap, chosen, before, still } = placing;
  const block = { x: drawn.x, y: drawn.y, gap, width, height: 2 * LINE };
  const placed = (still ? placeStill : chosen ? placeAlways : place)(drawing.room, block, before);
  if (!placed) return null;
  const { x, y } = placed;
  sheet.ink("plate").rectangle(x, y, width, 2 * LINE);
  sheet.write(lines[0], x + 2, y + LINE / 2, chosen ? "choice" : drawn.spoof ? "spoof" : drawn.colour);
  sheet.write(lines[1], x + 2, y + LINE * 1.5, chosen ? "choice" : "text");
  drawn.label = lines.join(" ");
  return placed.place;
}

/** Ranks of tracks, the most important first. */
export const RANKS = [0, 1, 2, 3] as const;

/** Return the rank of a track: the chosen one, false identities and foes, others, lost ones. */
export function rankOf(track: RadarTrack, chosen: string | null): (typeof RANKS)[number] {
  if (track.track_id === chosen) return 0;
  return track.status === 3 ? 3 : isSpoofed(track) || track.iff === 2 ? 1 : 2;
}

/** The order of importance: by rank, then the nearest. */
export function byImportance(chosen: string | null): (one: RadarTrack, other: RadarTrack) => number {
  return (one, other) => rankOf(one, chosen) - rankOf(other, chosen) || one.range_m - other.range_m;
}

/** Return the tracks of a moment that may be walked through, nearest first. */
export function nearestFirst(moment: Moment): readonly RadarTrack[] {
  return [...(moment.frame?.tracks ?? [])].sort((one, other) => one.range_m - other.range_m);
}
