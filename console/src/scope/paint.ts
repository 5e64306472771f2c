/** Paints a picture on a canvas, in the page's colours. */

import { STEP, STYLES, type Colour, type Ink, type Style, type StyleName } from "./parts/ink.ts";
import type { Measure } from "./parts/labels.ts";
import type { Picture } from "./picture.ts";

/** The theme's colours, as a canvas takes them. */
export type Palette = Readonly<Record<Colour, string>>;

const FONT = '11px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';

/** The CSS custom property of each colour, and the colour where there is none. */
const COLOURS: Readonly<Record<Colour, readonly [string, string]>> = {
  bg: ["--scope-bg", "#0b1216"],
  ring: ["--scope-ring", "#24343d"],
  text: ["--scope-text", "#93a7b2"],
  friend: ["--friend", "#4cb5f5"],
  foe: ["--foe", "#ff6b5e"],
  unknown: ["--unknown", "#e8c547"],
  spoof: ["--spoof", "#ff5cd6"],
  plot: ["--plot", "#5c7480"],
  own: ["--own", "#e6eef2"],
  guard: ["--guard", "#c98a3c"],
  choice: ["--choice", "#ffffff"],
  only: ["--warn", "#e8a33d"],
};

/** Read the colours of the theme. An element resolves them: a property may hold a function of the colour scheme. */
export function readPalette(beside: HTMLElement): Palette {
  const probe = document.createElement("span");
  probe.hidden = true;
  beside.append(probe);
  const colours = Object.entries(COLOURS).map(([name, [property, otherwise]]) => {
    probe.style.color = `var(${property}, ${otherwise})`;
    return [name, getComputedStyle(probe).color] as const;
  });
  probe.remove();
  return Object.fromEntries(colours) as Record<Colour, string>;
}

/** Return the widths of texts in the picture's font. Plain letters are all of one width. */
export function measureWith(context: CanvasRenderingContext2D): Measure {
  context.font = FONT;
  const letter = context.measureText("0").width;
  return (text) => {
    if (/^[\x20-\x7e°…]*$/.test(text)) return text.length * letter;
    context.font = FONT;
    return context.measureText(text).width;
  };
}

/** Styles that tell of the traffic: of a stale frame they are faint. */
const FADING = /-(friend|foe|unknown)$|^plot$|^spoof$/;

/** Paint a picture on a context whose unit is a CSS pixel. */
export function paint(picture: Picture, context: CanvasRenderingContext2D, palette: Palette): void {
  context.globalAlpha = 1;
  context.fillStyle = palette.bg;
  context.fillRect(0, 0, picture.width, picture.height);
  for (const name of Object.keys(STYLES) as StyleName[]) {
    const ink = picture.inks.get(name);
    if (ink) paintInk(context, ink, STYLES[name], palette, picture.stale && FADING.test(name) ? 0.45 : 1);
  }
  paintWords(picture, context, palette);
}

function paintInk(context: CanvasRenderingContext2D, { steps }: Ink, style: Style, palette: Palette, strength: number): void {
  context.beginPath();
  trace(context, steps);
  if (style.fill) {
    context.globalAlpha = style.fillAlpha * strength;
    context.fillStyle = palette[style.fill];
    context.fill();
  }
  if (!style.stroke) return;
  context.globalAlpha = style.alpha * strength;
  context.strokeStyle = palette[style.stroke];
  context.lineWidth = style.width;
  context.setLineDash(style.dash);
  context.stroke();
}

/** Add steps to the context's path. */
function trace(context: CanvasRenderingContext2D, steps: readonly number[]): void {
  let [at, begin] = [0, 0];
  const next = (): number => steps[at++] ?? 0;
  while (at < steps.length) {
    const step = next();
    if (step === STEP.move) {
      begin = at;
      context.moveTo(next(), next());
    } else if (step === STEP.line) context.lineTo(next(), next());
    else if (step === STEP.close) endPolygon(context, steps, begin);
    else traceEllipse(context, next(), next(), next(), next(), next(), next(), next());
  }
}

/**
 * Draw the last edge of a polygon, and a pixel of the first one again, which joins their corner like the others.
 *
 * Chromium's `closePath` measures the whole path each time: its time grows with the square of the polygons in a path.
 */
function endPolygon(context: CanvasRenderingContext2D, steps: readonly number[], begin: number): void {
  const [x = 0, y = 0, , x2 = 0, y2 = 0] = steps.slice(begin, begin + 5);
  const part = 1 / Math.max(Math.hypot(x2 - x, y2 - y), 1);
  context.lineTo(x, y);
  context.lineTo(x + (x2 - x) * part, y + (y2 - y) * part);
}

function traceEllipse(
  context: CanvasRenderingContext2D, x: number, y: number, a: number, b: number, angle: number, from: number, to: number,
): void {
  const [along, across] = [a * Math.cos(from), b * Math.sin(from)];
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  context.moveTo(x + along * cosine - across * sine, y + along * sine + across * cosine);
  context.ellipse(x, y, a, b, angle, from, to);
}

function paintWords(picture: Picture, context: CanvasRenderingContext2D, palette: Palette): void {
  context.globalAlpha = 1;
  context.font = FONT;
  context.textBaseline = "middle";
  for (const { text, x, y, align, colour } of picture.words) {
    if (context.textAlign !== align) context.textAlign = align;
    context.fillStyle = palette[colour];
    context.fillText(text, x, y);
  }
}
