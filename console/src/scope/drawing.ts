/** Keeps a canvas up to date: it is painted when something that its picture is made of changes, about once a frame at most. */

import { effect, signal } from "@preact/signals";
import type { Measure } from "./parts/labels.ts";
import { measureWith, paint, readPalette, type Palette } from "./paint.ts";
import type { Picture } from "./picture.ts";
import type { Size } from "./projection.ts";
import type { DrawnTrack } from "./symbols.ts";

/** The pictures that were painted last, for tests: taken from the picture itself. */
export interface Drawn {
  readonly frame: number | null;
  readonly run: string | null;
  readonly at: number;
  readonly tracks: readonly DrawnTrack[];
  readonly plots: number;
  readonly notes: readonly string[];
  /** Clock of the page [ms]. */
  readonly painted: number;
}

declare global {
  interface Window {
    /** By the name of the run; of a side view, with `/side` behind it. */
    qikiDrawn?: Record<string, Drawn>;
  }
}

const MOST_PIXELS = 2;
/** A little less than a frame's time at 60 frames a second. */
const FRAME_MS = 15;
const AT_ONCE = -1;

/** The colours of the page's theme. */
const palette = signal<Palette | null>(null);

/** Keep a canvas up to date with a picture, which is made of signals, with a pause between two [ms]; return what ends it. */
export function keepDrawn(
  canvas: HTMLCanvasElement,
  name: string,
  make: (size: Size, measure: Measure) => Picture,
  painted: (picture: Picture) => void,
  pause: () => number = () => 0,
): () => void {
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) return () => undefined;
  const measure = measureWith(context);
  const size = signal<Size>({ width: 0, height: 0 });
  const draw = (): void => {
    const { width, height } = size.value;
    if (!width || !height || !palette.value) return;
    fitCanvas(canvas, context, size.value);
    const made = make(size.value, measure);
    paint(made, context, palette.value);
    publish(name, made);
    painted(made);
  };
  const stops = [onceAFrame(draw, pause), followSize(canvas, size), followTheme(canvas)];
  return () => {
    for (const stop of stops) stop();
    delete window.qikiDrawn?.[name];
  };
}

/**
 * Run a function now, and again when a signal that it read has changed, a pause after the last time; return what ends it.
 *
 * A moment changes within an animation frame. It is drawn in that frame; whatever else changes then waits for the next one.
 */
function onceAFrame(run: () => void, pause: () => number): () => void {
  let [stop, request, ranAt, ended] = [(): void => undefined, 0, -Infinity, false];
  const begin = (): void => {
    request = 0;
    if (performance.now() < ranAt + pause()) return nextFrame();
    ranAt = performance.now();
    stop();
    let ran = false;
    stop = effect(() => {
      if (ran) ask();
      else run();
      ran = true;
    });
  };
  const nextFrame = (): void => {
    request = requestAnimationFrame(begin);
  };
  const ask = (): void => {
    if (request) return;
    if (document.hidden || performance.now() < ranAt + FRAME_MS) return nextFrame();
    request = AT_ONCE;
    queueMicrotask(() => ended || begin());
  };
  begin();
  return () => {
    ended = true;
    stop();
    cancelAnimationFrame(request);
  };
}

function fitCanvas(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D, { width, height }: Size): void {
  const pixels = Math.min(devicePixelRatio, MOST_PIXELS);
  const [wide, high] = [Math.round(width * pixels), Math.round(height * pixels)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  context.setTransform(pixels, 0, 0, pixels, 0, 0);
}

function followSize(canvas: HTMLCanvasElement, size: { value: Size }): () => void {
  const follow = (): void => {
    size.value = { width: canvas.clientWidth, height: canvas.clientHeight };
  };
  const observer = new ResizeObserver(follow);
  observer.observe(canvas);
  follow();
  return () => observer.disconnect();
}

/** Read the colours now, and whenever the scheme of the system or an attribute of the page's root changes. */
function followTheme(canvas: HTMLCanvasElement): () => void {
  const read = (): void => {
    palette.value = readPalette(canvas.parentElement ?? document.body);
  };
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const root = new MutationObserver(read);
  root.observe(document.documentElement, { attributes: true });
  scheme.addEventListener("change", read);
  read();
  return () => {
    root.disconnect();
    scheme.removeEventListener("change", read);
  };
}

function publish(name: string, { frame, run, at, tracks, plots, notes }: Picture): void {
  window.qikiDrawn ??= {};
  window.qikiDrawn[name] = { frame, run, at, tracks, plots, notes, painted: performance.now() };
}
