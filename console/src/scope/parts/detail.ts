/** Thinning: with many tracks some of what belongs to them is left out, so that the picture stays quick and legible. */

import type { Text } from "../format.ts";

/** Share of the picture that is drawn. */
export interface Detail {
  readonly ellipses: boolean;
  readonly vectors: boolean;
  /** Greatest number of points in a trail; 0: no trails. */
  readonly trailPoints: number;
  /** Greatest number of labels. */
  readonly labels: number;
  /** Plots are crosses, or dashes where there are very many. */
  readonly crosses: boolean;
  /** Half the size of a symbol [px]. */
  readonly size: number;
}

/** Room for a track at which it is drawn with its ellipse, or with its velocity [px²]. */
const ELLIPSE_AREA = 10_000;
const VECTOR_AREA = 1_100;
/** Points of all trails together, for so much room each. */
const POINT_AREA = 180;
const LEAST_POINTS = 8;
/** So few tracks are drawn whole on any canvas. */
const FEW = 30;
const MAX_LABELS = 60;
const ALL_CROSSES = 1_500;
const SIZE = 6;
const LEAST_SIZE = 3;

/** Decide what is drawn of so many tracks and plots on so many pixels. The chosen track is always drawn whole. */
export function detailOf(tracks: number, plots: number, area: number): Detail {
  const room = area / Math.max(tracks, 1);
  const points = tracks <= FEW ? Infinity : Math.floor(room / POINT_AREA);
  return {
    ellipses: room >= ELLIPSE_AREA || tracks <= FEW,
    vectors: room >= VECTOR_AREA || tracks <= FEW,
    trailPoints: points < LEAST_POINTS ? 0 : points,
    labels: MAX_LABELS,
    crosses: plots <= ALL_CROSSES,
    size: Math.min(Math.max(Math.round(Math.sqrt(room) / 4) / 2, LEAST_SIZE), SIZE),
  };
}

/** Return one sentence about what is left out, or nothing. `cut`: some trail is longer than `trailPoints`. */
export function thinningNote(text: Text, tracks: number, detail: Detail, labels: number, cut: boolean): string | null {
  const parts = [
    detail.ellipses ? null : text("scopeWithoutEllipses"),
    !cut ? null : detail.trailPoints ? text("scopeShortTrails", { points: detail.trailPoints }) : text("scopeWithoutTrails"),
    detail.vectors ? null : text("scopeWithoutVectors"),
    labels === tracks ? null : text("scopeSomeLabels", { drawn: labels, left: tracks - labels }),
    detail.crosses ? null : text("scopeDashes"),
  ].filter((part) => part !== null);
  return parts.length ? text("scopeThinned", { count: tracks, parts: parts.join(", ") }) : null;
}
