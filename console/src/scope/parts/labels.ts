/** Room for texts on the screen: each is put where it covers nothing, or left out. */

/** Return the width of a text [px]. */
export type Measure = (text: string) => number;

/** Height of a line of text [px]. */
export const LINE = 13;
const CELL = 6;

/** The screen as a grid of cells, taken or free. */
export class Room {
  private readonly columns: number;
  private readonly rows: number;
  private readonly taken: Uint8Array;

  constructor(width: number, height: number) {
    this.columns = Math.floor(width / CELL);
    this.rows = Math.floor(height / CELL);
    this.taken = new Uint8Array(Math.max(this.columns * this.rows, 0));
  }

  /** Take a rectangle, whatever is there. */
  mark(x: number, y: number, width: number, height: number): void {
    const { left, right, top, bottom } = this.cells(x, y, width, height);
    for (let row = Math.max(top, 0); row <= Math.min(bottom, this.rows - 1); row++)
      this.taken.fill(1, row * this.columns + Math.max(left, 0), row * this.columns + Math.min(right, this.columns - 1) + 1);
  }

  /** Take a rectangle if all of it is on the screen and free. */
  take(x: number, y: number, width: number, height: number): boolean {
    const { left, right, top, bottom } = this.cells(x, y, width, height);
    if (left < 0 || top < 0 || right >= this.columns || bottom >= this.rows) return false;
    for (let row = top; row <= bottom; row++)
      for (let cell = row * this.columns + left; cell <= row * this.columns + right; cell++)
        if (this.taken[cell]) return false;
    this.mark(x, y, width, height);
    return true;
  }

  private cells(x: number, y: number, width: number, height: number) {
    const at = (value: number): number => Math.floor(value / CELL);
    return { left: at(x), right: at(x + width - 1), top: at(y), bottom: at(y + height - 1) };
  }
}

/** Return the corner of a block of text beside a symbol, at the first of eight places with room; null: there is none. */
export function place(room: Room, x: number, y: number, gap: number, width: number, height: number): readonly [number, number] | null {
  const near = gap * 0.8;
  const corners = [
    [x + gap, y - height / 2],
    [x - gap - width, y - height / 2],
    [x - width / 2, y - gap - height],
    [x - width / 2, y + gap],
    [x + near, y - near - height],
    [x + near, y + near],
    [x - near - width, y - near - height],
    [x - near - width, y + near],
  ] as const;
  return corners.find(([left, top]) => room.take(left, top, width, height)) ?? null;
}

/** Return the corner of a block that must be seen: farther away, or over what is there. */
export function placeAlways(room: Room, x: number, y: number, gap: number, width: number, height: number): readonly [number, number] {
  for (const more of [0, 20, 45]) {
    const corner = place(room, x, y, gap + more, width, height);
    if (corner) return corner;
  }
  room.mark(x + gap, y - height / 2, width, height);
  return [x + gap, y - height / 2];
}
