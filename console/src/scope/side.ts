/** The side view: across the screen as in the plan view, height upwards, stretched so that heights can be told apart. */

import type { GuardRule } from "../config.ts";
import type { Moment } from "../run/types.ts";
import { roundDistance } from "./format.ts";
import { drawZones, niceStep, type Drawing } from "./parts/ground.ts";
import { LINE } from "./parts/labels.ts";
import { picture, type Picture, type PictureOptions } from "./picture.ts";
import { planOf, type Projection, type Sight, type Size } from "./projection.ts";
import { positionOf } from "./symbols.ts";

const LINE_GAP = 34;
const COLUMN_GAP = 60;
const MARGIN = 22;
/** Height of the line of notes at the bottom [px]. */
const NOTES = 17;
const GREATEST_STRETCH = 100;

/** Return the side view that stands below a plan view: the same sight, seen along `turn`. */
export function sideOfSight(sight: Sight, size: Size, turn: number, stretch: number): Projection {
  const plan = planOf(sight, size, turn);
  return { ...plan, y0: size.height / 2, down: [0, 0, -plan.scale * stretch], rise: plan.scale * stretch };
}

/** Return how often heights are stretched: the greatest of 1, 2, 5, 10 and so on at which all tracks across fit in. */
export function stretchOf(moment: Moment, sight: Sight, size: Size, turn: number): number {
  const flat = sideOfSight(sight, size, turn, 1);
  const heights = (moment.frame?.tracks ?? []).flatMap((track) => {
    const [east, north, up] = positionOf(track);
    const x = flat.x0 + flat.right[0] * east + flat.right[1] * north;
    return track.status !== 3 && x >= 0 && x <= size.width ? [Math.abs(up)] : [];
  });
  const room = (size.height / 2 - MARGIN) * sight.metresPerPixel;
  const fitting = room / Math.max(...heights, 1e-3);
  return [100, 50, 20, 10, 5, 2].find((stretch) => stretch <= Math.min(fitting, GREATEST_STRETCH)) ?? 1;
}

/** Return the side view of a moment. */
export function sidePicture(moment: Moment, projection: Projection, options: PictureOptions): Picture {
  return picture(moment, projection, { ...options, ground: drawGrid });
}

/** Draw lines of height and of distance, and the guard zones. */
function drawGrid(drawing: Drawing, rules: readonly GuardRule[]): void {
  const { room, projection } = drawing;
  room.mark(0, projection.height - NOTES, projection.width, NOTES);
  drawStretch(drawing);
  drawHeights(drawing);
  drawDistances(drawing);
  drawZones(drawing, rules);
}

function drawStretch({ projection, sheet, room, text, measure }: Drawing): void {
  const stretch = Math.round(projection.rise / projection.scale);
  const words = text("scopeStretched", { times: stretch });
  const right = projection.width - 8;
  if (stretch > 1 && room.take(right - measure(words), 4, measure(words), LINE)) sheet.write(words, right, 4 + LINE / 2, "text", "right");
}

function drawHeights({ projection, sheet, room, text, measure }: Drawing): void {
  const { y0, rise, width, height } = projection;
  const step = niceStep(LINE_GAP / rise);
  const top = Math.floor(y0 / rise / step);
  for (let line = Math.ceil((y0 - height) / rise / step); line <= top; line++) {
    const y = y0 - line * step * rise;
    sheet.ink(line ? "spoke" : "ring").segment(0, y, width, y);
    const name = (line > 0 ? "+" : "") + roundDistance(text, line * step);
    if (room.take(6, y - LINE / 2, measure(name) + 4, LINE)) {
      sheet.ink("groundPlate").rectangle(6, y - LINE / 2, measure(name) + 4, LINE);
      sheet.write(name, 8, y);
    }
  }
}

function drawDistances({ projection, sheet }: Drawing): void {
  const { x0, scale, width, height } = projection;
  const step = niceStep(COLUMN_GAP / scale) * scale;
  for (let column = Math.ceil(-x0 / step); column * step + x0 <= width; column++)
    sheet.ink(column ? "spoke" : "ring").segment(x0 + column * step, 0, x0 + column * step, height);
}
