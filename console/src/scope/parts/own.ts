/** The vehicle itself, in the middle of its world. */

import type { Moment, Vector } from "../../run/types.ts";
import type { Drawing } from "./ground.ts";
import type { Projection } from "../projection.ts";

/** The vehicle as it is drawn. `thrust`: unit vector of its push; null while it burns in no known direction. */
export interface OwnShip {
  readonly heading: number;
  readonly burning: boolean;
  readonly thrust: Vector | null;
}

const LEAST_GAIN = 1e-3;
const RAD = Math.PI / 180;

/** Return heading and thrust of a moment; null before the first telemetry. */
export function ownShip(moment: Moment): OwnShip | null {
  const telemetry = moment.telemetry?.value;
  if (!telemetry) return null;
  const burning = telemetry.propulsion.rcs_active;
  return { heading: telemetry.heading, burning, thrust: burning ? thrustOf(moment) : null };
}

/**
 * Return the direction in which the velocity grows: that of the newest frame against the mean between the last two
 * readings. Nothing on the wire names the burning thrusters; while they burn, nothing else changes the velocity.
 */
function thrustOf(moment: Moment): Vector | null {
  const [before, last] = moment.readings.slice(-2);
  if (!moment.frame || !before || !last) return null;
  const [from, to, seconds] = [before.telemetry.position, last.telemetry.position, last.seconds - before.seconds];
  if (!(seconds > 0) || moment.seconds < last.seconds - seconds / 2) return null;
  const [x, y, z] = moment.frame.ownVelocity;
  const gain: Vector = [x - (to.x - from.x) / seconds, y - (to.y - from.y) / seconds, z - (to.z - from.z) / seconds];
  const size = Math.hypot(...gain);
  return size < LEAST_GAIN ? null : [gain[0] / size, gain[1] / size, gain[2] / size];
}

/** Draw the vehicle: a dart to its heading, a line for its velocity, a flame against its thrust. */
export function drawOwn(drawing: Drawing, own: OwnShip | null, velocity: Vector, seconds: number): void {
  const { projection, sheet, room } = drawing;
  const { x0, y0 } = projection;
  const [vx, vy] = direction(projection, velocity);
  const shift = [vx * seconds * projection.scale, vy * seconds * projection.scale] as const;
  if (Math.hypot(...shift) > 3) sheet.ink("ownVector").segment(x0, y0, x0 + shift[0], y0 + shift[1]);
  const covered = own?.burning ? 22 : 11;
  room.mark(x0 - covered, y0 - covered, 2 * covered, 2 * covered);
  if (own?.burning) drawThrust(drawing, own.thrust);
  if (!own) return sheet.ink("own").ellipse(x0, y0, 4);
  const [hx, hy] = direction(projection, [Math.sin(own.heading * RAD), Math.cos(own.heading * RAD), 0]);
  // In the side view the dart is as thick as ever, and as long as it is seen.
  const beside = projection.down[2] !== 0;
  const [px, py] = beside ? [0, 1] : [-hy, hx];
  if (beside) sheet.ink("own").ellipse(x0, y0, 3);
  const [nose, tail, wing] = [11, 7, 6];
  sheet.ink("own").polygon(x0, y0, [
    hx * nose, hy * nose,
    px * wing - hx * tail, py * wing - hy * tail,
    -hx * 3, -hy * 3,
    -px * wing - hx * tail, -py * wing - hy * tail,
  ]);
}

/** Draw a flame; a dotted ring where its direction is unknown, or towards who looks. */
function drawThrust({ projection, sheet }: Drawing, thrust: Vector | null): void {
  const { x0, y0 } = projection;
  const [tx, ty] = thrust ? direction(projection, thrust) : [0, 0];
  const seen = Math.hypot(tx, ty);
  if (seen < 0.3) {
    for (let angle = 0; angle < 2 * Math.PI; angle += Math.PI / 4)
      sheet.ink("thrust").ellipse(x0, y0, 15, 15, 0, angle, angle + Math.PI / 8);
    return;
  }
  const [fx, fy] = [-tx / seen, -ty / seen];
  sheet.ink("thrust").polygon(x0, y0, [fx * 10 - fy * 4, fy * 10 + fx * 4, fx * 24, fy * 24, fx * 10 + fy * 4, fy * 10 - fx * 4]);
}

/** Return a direction on the screen, unstretched: of length 1 where it lies in the screen's plane. */
function direction({ right, down, scale, rise }: Projection, [east, north, up]: Vector): readonly [number, number] {
  return [
    (right[0] * east + right[1] * north) / scale,
    (down[0] * east + down[1] * north) / scale + (down[2] * up) / rise,
  ];
}
