/** Mouse and touch on a canvas: drag, wheel, pinch, click. */

export interface Gestures {
  /** Zoom by a factor at a place [px]. */
  zoom(factor: number, x: number, y: number): void;
  pan(dx: number, dy: number): void;
  pick(x: number, y: number): void;
  /** The pointer is here; null: it has left. */
  point(place: readonly [number, number] | null): void;
}

interface Finger {
  readonly x: number;
  readonly y: number;
}

const STILL = 5;

/** Follow the pointers on a canvas; return what ends it. */
export function followPointers(canvas: HTMLCanvasElement, gestures: Gestures): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  const fingers = new Map<number, Finger>();
  let travelled = 0;
  const placeOf = (event: MouseEvent): Finger => {
    const { left, top } = canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };

  const down = (event: PointerEvent): void => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    travelled = fingers.size ? Infinity : 0;
    fingers.set(event.pointerId, placeOf(event));
  };

  const move = (event: PointerEvent): void => {
    const now = placeOf(event);
    gestures.point([now.x, now.y]);
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const still = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    travelled += Math.hypot(now.x - before.x, now.y - before.y);
    if (travelled < STILL) return;
    fingers.set(event.pointerId, now);
    if (still) pinch(gestures, still, before, now);
    else gestures.pan(now.x - before.x, now.y - before.y);
  };

  const up = (event: PointerEvent): void => {
    const finger = fingers.get(event.pointerId);
    fingers.delete(event.pointerId);
    if (finger && event.type === "pointerup" && travelled < STILL) gestures.pick(finger.x, finger.y);
  };

  const wheel = (event: WheelEvent): void => {
    event.preventDefault();
    const { x, y } = placeOf(event);
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    gestures.zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY * lines)) / 400), x, y);
  };

  canvas.addEventListener("pointerdown", down, { signal });
  canvas.addEventListener("pointermove", move, { signal });
  canvas.addEventListener("pointerup", up, { signal });
  canvas.addEventListener("pointercancel", up, { signal });
  canvas.addEventListener("pointerleave", () => gestures.point(null), { signal });
  canvas.addEventListener("wheel", wheel, { signal, passive: false });
  return () => ending.abort();
}

/** One of two fingers moved: zoom by the growth of their distance, shift by half of the way. */
function pinch(gestures: Gestures, still: Finger, before: Finger, now: Finger): void {
  const [old, grown] = [Math.hypot(before.x - still.x, before.y - still.y), Math.hypot(now.x - still.x, now.y - still.y)];
  gestures.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  if (old > 1 && grown > 1) gestures.zoom(grown / old, (still.x + now.x) / 2, (still.y + now.y) / 2);
}
