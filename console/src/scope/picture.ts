/** The picture of a moment: a display list, and what is in it. A pure function; paint.ts puts it on a canvas. */

import type { GuardRule } from "../config.ts";
import type { Frame, Moment, Vector } from "../run/types.ts";
import type { RadarTrack } from "../wire/payloads.ts";
import { detailOf, thinningNote, type Detail } from "./parts/detail.ts";
import type { Text } from "./format.ts";
import { drawGround, niceStep, type Drawing } from "./parts/ground.ts";
import { Sheet, type Ink, type StyleName, type Words } from "./parts/ink.ts";
import { LINE, Room, type Measure, type Places } from "./parts/labels.ts";
import { drawOwn, ownShip, type OwnShip } from "./parts/own.ts";
import { polar, toPixels, within, type Projection, type Size } from "./projection.ts";
import {
  byImportance,
  drawChoice,
  drawEllipse,
  drawLabel,
  drawnTrack,
  drawSymbol,
  drawTrail,
  drawVector,
  positionOf,
  rankOf,
  RANKS,
  type DrawnTrack,
} from "./symbols.ts";

/** Choices of a picture, beside moment and projection. */
export interface PictureOptions {
  readonly rules: readonly GuardRule[];
  readonly chosen: string | null;
  /** Tracks that only this one of two runs has. */
  readonly only?: ReadonlySet<string> | undefined;
  /** Places of labels in the picture before: they stay there while it is free. Changed by this one. */
  readonly places?: Places;
  readonly text: Text;
  readonly measure: Measure;
  /** Draws what is behind the tracks; the rings of the plan view otherwise. */
  readonly ground?: (drawing: Drawing, rules: readonly GuardRule[]) => void;
}

/** All that is painted of a moment. */
export interface Picture extends Size {
  readonly run: string | null;
  readonly frame: number | null;
  /** The moment's `at`. */
  readonly at: number;
  readonly own: OwnShip | null;
  /** Those on the screen, most important first. */
  readonly tracks: readonly DrawnTrack[];
  /** Plots on the screen. */
  readonly plots: number;
  /** Remarks on the picture, a sentence each, such as what is left out. */
  readonly notes: readonly string[];
  /** The frame is old while the simulation runs: tracks are painted faintly. */
  readonly stale: boolean;
  readonly inks: ReadonlyMap<StyleName, Ink>;
  readonly words: readonly Words[];
}

const STALE_MS = 2_500;
const NO_VELOCITY: Vector = [0, 0, 0];
const PLOT = 3;

/** Return the picture of a moment. */
export function picture(moment: Moment, projection: Projection, options: PictureOptions): Picture {
  const { text, measure } = options;
  const { frame } = moment;
  const sheet = new Sheet();
  const room = new Room(projection.width, projection.height);
  const drawing: Drawing = { projection, sheet, room, text, measure };
  const own = ownShip(moment);
  const seconds = niceStep(0.5 / projection.scale);
  if (!options.ground) legend(drawing, seconds);
  drawOwn(drawing, own, frame?.ownVelocity ?? NO_VELOCITY, seconds);
  (options.ground ?? drawGround)(drawing, options.rules);
  const traffic: Traffic = frame
    ? drawTraffic(drawing, moment, frame, options, seconds)
    : { tracks: [], plots: 0, notes: [text("scopeNoFrame")] };
  const age = frame && isStale(moment, frame) ? moment.at - frame.storedAt : 0;
  if (age) traffic.notes.unshift(text("scopeStale", { seconds: Math.round(age / 1000) }));
  return {
    width: projection.width,
    height: projection.height,
    run: frame?.run ?? null,
    frame: frame?.number ?? null,
    at: moment.at,
    own,
    ...traffic,
    stale: age > 0,
    inks: sheet.inks,
    words: sheet.words,
  };
}

function isStale(moment: Moment, frame: Frame): boolean {
  const sim = moment.telemetry?.value.sim_state;
  return moment.at - frame.storedAt > STALE_MS && !sim?.paused && sim?.running !== false;
}

interface Traffic {
  readonly tracks: readonly DrawnTrack[];
  readonly plots: number;
  readonly notes: string[];
}

/** Draw plots and tracks; those beyond the edges are counted only. */
function drawTraffic(drawing: Drawing, moment: Moment, frame: Frame, options: PictureOptions, seconds: number): Traffic {
  const { projection, text } = drawing;
  const { chosen, only, places = new Map() } = options;
  const placed = frame.tracks
    .toSorted(byImportance(chosen))
    .map((track) => ({ track, drawn: drawnTrack(track, toPixels(projection, positionOf(track)), only) }));
  const seen = placed.filter(({ drawn }) => onScreen(projection, drawn.x, drawn.y));
  const detail = detailOf(seen.length, frame.plots.length, projection.width * projection.height);
  const plots = drawPlots(drawing, frame, detail);
  let cut = false;
  for (const { track, drawn } of seen) {
    drawSymbol(drawing, drawn, detail.size);
    cut = drawMotion(drawing, moment, frame, track, drawn, track.track_id === chosen ? WHOLE : detail, seconds) || cut;
    if (track.track_id === chosen) drawChoice(drawing.sheet.ink("choice"), drawn.x, drawn.y, detail.size);
  }
  const labels = drawLabels(drawing, seen, detail, chosen, places);
  const far = placed.find(({ track, drawn }) => track.track_id === chosen && !onScreen(projection, drawn.x, drawn.y));
  if (far) drawBeyond(drawing, far.drawn);
  const thinned = thinningNote(text, seen.length, detail, labels, cut);
  const beyond = placed.length - seen.length;
  const ringed = placed.filter(({ drawn }) => drawn.only).length;
  return {
    tracks: seen.map(({ drawn }) => drawn),
    plots,
    notes: [
      ringed ? text("scopeOnly", { count: ringed }) : null,
      thinned,
      beyond ? text("scopeBeyond", { count: beyond }) : null,
    ].filter((note) => note !== null),
  };
}

const WHOLE: Detail = detailOf(1, 0, Infinity);

/** Draw what tells where a track came from and goes to; true if its trail is shortened. */
function drawMotion(
  drawing: Drawing,
  moment: Moment,
  frame: Frame,
  track: RadarTrack,
  drawn: DrawnTrack,
  detail: Detail,
  seconds: number,
): boolean {
  if (detail.ellipses) drawEllipse(drawing, track, drawn, detail.size);
  if (detail.vectors && drawn.status !== "lost") drawVector(drawing, track, drawn, frame.ownVelocity, seconds);
  return drawTrail(drawing, moment.trails.get(track.track_id) ?? [], frame, drawn, detail.trailPoints);
}

interface Placed {
  readonly track: RadarTrack;
  readonly drawn: DrawnTrack;
}

/**
 * Label tracks where there is room; return how many have a label.
 *
 * The more important ones come first. Among those of a rank, labels that may stay where they stood in the picture before
 * do; the others take what is left. So a label jumps only when it must.
 */
function drawLabels(drawing: Drawing, seen: readonly Placed[], detail: Detail, chosen: string | null, places: Places): number {
  const ids = new Set(seen.map(({ drawn }) => drawn.id));
  for (const id of places.keys()) if (!ids.has(id)) places.delete(id);
  let labels = 0;
  const label = (one: Placed, still: boolean): void => {
    const { track, drawn } = one;
    const before = places.get(drawn.id);
    if (labels >= detail.labels || drawn.label !== null || (still && before === undefined)) return;
    const isChosen = track.track_id === chosen;
    const gap = detail.size + (drawn.spoof ? 11 : isChosen || drawn.only ? 10 : 5);
    const place = drawLabel(drawing, track, drawn, { gap, chosen: isChosen, before, still });
    if (place === null) return;
    places.set(drawn.id, place);
    labels++;
  };
  for (const rank of RANKS) {
    const equals = seen.filter(({ track }) => rankOf(track, chosen) === rank);
    for (const one of equals) label(one, true);
    for (const one of equals) label(one, false);
  }
  return labels;
}

/** Draw the plots of the frame; return how many are on the screen. */
function drawPlots({ projection, sheet }: Drawing, frame: Frame, detail: Detail): number {
  let count = 0;
  const ink = sheet.ink("plot");
  for (const plot of frame.plots) {
    const [x, y] = toPixels(projection, polar(plot.range_m, plot.bearing_deg, plot.elev_deg));
    if (!onScreen(projection, x, y)) continue;
    count++;
    ink.segment(x - PLOT, y, x + PLOT, y);
    if (detail.crosses) ink.segment(x, y - PLOT, x, y + PLOT);
  }
  return count;
}

/** Draw an arrow at the edge, towards the chosen track. */
function drawBeyond({ projection, sheet }: Drawing, { x, y }: DrawnTrack): void {
  const { width, height } = projection;
  const [ex, ey] = [within(x, 30, width - 30), within(y, 30, height - 30)];
  const size = Math.hypot(x - ex, y - ey);
  const [dx, dy] = [(x - ex) / size, (y - ey) / size];
  sheet.ink("choice").polygon(ex, ey, [dx * 9, dy * 9, -dy * 7, dx * 7, dy * 7, -dx * 7]);
}

/** Write how long the velocity lines are. */
function legend({ projection, sheet, room, text, measure }: Drawing, seconds: number): void {
  const words = text("scopeVectors", { seconds });
  const y = projection.height - LINE;
  room.mark(8, y - LINE / 2, measure(words), LINE);
  sheet.write(words, 8, y);
}

function onScreen({ width, height }: Size, x: number, y: number): boolean {
  return x >= 0 && y >= 0 && x <= width && y <= height;
}
