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

/** Numbers of the places where labels stand beside their tracks, by track id. */
export type Places = Map<string, number>;

/** A block of text beside a symbol [px]. */
export interface Block {
  /** Middle of the symbol. */
  readonly x: number;
  readonly y: number;
  /** From there to the block. */
  readonly gap: number;
  readonly width: number;
  readonly height: number;
}

/** The upper left corner of a block, and the number of its place. */
export interface PlacedBlock {
  readonly x: number;
  readonly y: number;
  readonly place: number;
}

/** Places of a block beside its symbol: the place's number has its sign in x and y, nearest to reading first. */
const SIDES = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [1, 1], [-1, -1], [-1, 1]] as const;
/** Distances of a block that must be seen, beyond its gap [px]. */
const FARTHER = [0, 20, 45] as const;

/** Return a block at the place of before, or else at the first of eight places with room; null: there is none. */
export function place(room: Room, block: Block, before?: number): PlacedBlock | null {
  return placeAmong(room, block, inOrder(SIDES.length, before));
}

/** Return a block at the place of before; null: it is taken, or there is none. */
export function placeStill(room: Room, block: Block, before?: number): PlacedBlock | null {
  return before === undefined ? null : placeAmong(room, block, [before]);
}

/** Return a block that must be seen: farther away, or over what is there. */
export function placeAlways(room: Room, block: Block, before?: number): PlacedBlock {
  const found = placeAmong(room, block, inOrder(SIDES.length * FARTHER.length, before));
  if (found) return found;
  const [x, y] = cornerAt(block, 0);
  room.mark(x, y, block.width, block.height);
  return { x, y, place: 0 };
}

/** Return the numbers of so many places, the one of before first. */
function inOrder(most: number, before = most): readonly number[] {
  return [...(before < most ? [before] : []), ...Array(most).keys()];
}

function placeAmong(room: Room, block: Block, places: readonly number[]): PlacedBlock | null {
  for (const index of places) {
    const [x, y] = cornerAt(block, index);
    if (room.take(x, y, block.width, block.height)) return { x, y, place: index };
  }
  return null;
}

function cornerAt({ x, y, gap, width, height }: Block, index: number): readonly [number, number] {
  const [across, down] = SIDES[index % SIDES.length] ?? [1, 0];
  const far = gap + (FARTHER[Math.floor(index / SIDES.length)] ?? 0);
  const reach = across && down ? 0.8 * far : far;
  return [x + beside(across, reach, width), y + beside(down, reach, height)];
}

/** Return where a block begins that is in front of a symbol, behind it, or in its middle. */
function beside(side: number, reach: number, length: number): number {
  return side ? side * reach - (side < 0 ? length : 0) : -length / 2;
}
