/** The display list: lines by style, and texts. It is made without a canvas, and painted by paint.ts. */

/** Side of a contact. */
export type Side = "friend" | "foe" | "unknown";
/** A colour of the theme: paint.ts has its property. */
export type Colour = Side | "bg" | "ring" | "text" | "spoof" | "plot" | "own" | "guard" | "choice" | "only";

/** The look of a path. */
export interface Style {
  readonly stroke: Colour | null;
  readonly fill: Colour | null;
  /** [px] */
  readonly width: number;
  readonly alpha: number;
  readonly fillAlpha: number;
  readonly dash: number[];
}

const PLAIN: Style = { stroke: null, fill: null, width: 1, alpha: 1, fillAlpha: 0.25, dash: [] };

function line(stroke: Colour, width = 1, more: Partial<Style> = {}): Style {
  return { ...PLAIN, stroke, width, ...more };
}

type Kind = "ellipse" | "trail" | "vector" | "lost" | "coasting" | "new" | "tracked";

/** The styles of one kind, a row for each side. */
function sides<K extends Kind>(kind: K, style: (side: Side) => Style): Record<`${K}-${Side}`, Style> {
  const rows = (["unknown", "friend", "foe"] as const).map((side) => [`${kind}-${side}`, style(side)]);
  return Object.fromEntries(rows) as Record<`${K}-${Side}`, Style>;
}

/** All styles, in the order of painting. */
export const STYLES = {
  spoke: line("ring", 1, { alpha: 0.45 }),
  ring: line("ring"),
  tick: line("text", 1, { alpha: 0.55 }),
  guard: line("guard", 1, { alpha: 0.85, dash: [6, 4] }),
  groundPlate: { ...PLAIN, fill: "bg", fillAlpha: 0.85 } as Style,
  plot: line("plot", 1, { alpha: 0.8 }),
  ...sides("ellipse", (side) => line(side, 1, { alpha: 0.45, fill: side, fillAlpha: 0.06 })),
  ...sides("trail", (side) => line(side, 1, { alpha: 0.5 })),
  ...sides("vector", (side) => line(side, 1.25)),
  ...sides("lost", (side) => line(side, 1, { alpha: 0.6 })),
  ...sides("coasting", (side) => line(side, 1.5, { dash: [2.5, 2.5] })),
  ...sides("new", (side) => line(side, 1)),
  ...sides("tracked", (side) => line(side, 1.75, { fill: side })),
  spoof: line("spoof", 2),
  only: line("only", 1.5, { dash: [2, 3] }),
  thrust: line("guard", 1.5, { fill: "guard", fillAlpha: 0.5 }),
  own: line("own", 1.75, { fill: "own", fillAlpha: 0.9 }),
  ownVector: line("own", 1.25),
  choice: line("choice", 2),
  plate: { ...PLAIN, fill: "bg", fillAlpha: 0.72 } as Style,
} as const satisfies Record<string, Style>;

/** Name of a style. */
export type StyleName = keyof typeof STYLES;

/** Steps of a path in one flat list: a number that names the step, and its arguments. */
export const STEP = { move: 0, line: 1, ellipse: 2, close: 3 } as const;

/** A path of one style. */
export class Ink {
  readonly steps: number[] = [];

  move(x: number, y: number): void {
    this.steps.push(STEP.move, x, y);
  }

  line(x: number, y: number): void {
    this.steps.push(STEP.line, x, y);
  }

  segment(x: number, y: number, x2: number, y2: number): void {
    this.steps.push(STEP.move, x, y, STEP.line, x2, y2);
  }

  /** Add an ellipse, or its arc between two angles [rad]. */
  ellipse(x: number, y: number, a: number, b = a, angle = 0, from = 0, to = 2 * Math.PI): void {
    this.steps.push(STEP.ellipse, x, y, a, b, angle, from, to);
  }

  /** Add a closed polygon of x, y, x, y and so on, relative to a place. */
  polygon(x: number, y: number, corners: readonly number[]): void {
    for (let at = 0; at + 1 < corners.length; at += 2)
      this.steps.push(at ? STEP.line : STEP.move, x + (corners[at] ?? 0), y + (corners[at + 1] ?? 0));
    this.steps.push(STEP.close);
  }

  rectangle(x: number, y: number, width: number, height: number): void {
    this.polygon(x, y, [0, 0, width, 0, width, height, 0, height]);
  }
}

/** A line of text; `y` is its middle. */
export interface Words {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly align: "left" | "center" | "right";
  readonly colour: Colour;
}

/** The sheet that a picture is drawn on. */
export class Sheet {
  readonly inks = new Map<StyleName, Ink>();
  readonly words: Words[] = [];

  ink(style: StyleName): Ink {
    const known = this.inks.get(style);
    if (known) return known;
    const ink = new Ink();
    this.inks.set(style, ink);
    return ink;
  }

  write(text: string, x: number, y: number, colour: Colour = "text", align: Words["align"] = "left"): void {
    this.words.push({ text, x, y, colour, align });
  }
}
