import "./browser.ts";
import { expect, test } from "vitest";
import { COLUMNS, seenRows, sortedRows } from "../../src/panels/values/rows.ts";
import { track, TRACKS } from "./fake.ts";

const ids = (rows: readonly { track_id: string }[]) => rows.map((row) => Number(row.track_id[0]));
const BY_RANGE = { column: "range", down: false } as const;

test("rows are sorted by a column, both ways, and equal ones by identity", () => {
  expect(ids(sortedRows(TRACKS, BY_RANGE, "", "all"))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(ids(sortedRows(TRACKS, { column: "closing", down: true }, "", "all"))).toEqual([7, 6, 5, 4, 3, 2, 1, 0]);
  expect(ids(sortedRows(TRACKS, { column: "spoof", down: true }, "", "all"))[0]).toBe(3);
});

test("every column can be sorted by", () => {
  for (const column of COLUMNS) expect(sortedRows(TRACKS, { column, down: true }, "", "all")).toHaveLength(TRACKS.length);
});

test("a side lets its tracks through", () => {
  expect(ids(sortedRows(TRACKS, BY_RANGE, "", "friend"))).toEqual([1, 5]);
  expect(ids(sortedRows(TRACKS, BY_RANGE, "", "foe"))).toEqual([2]);
  expect(ids(sortedRows(TRACKS, BY_RANGE, "", "spoof"))).toEqual([3]);
  expect(ids(sortedRows(TRACKS, BY_RANGE, "", "unknown"))).toEqual([0, 3, 4, 6, 7]);
});

test("a text is looked for in identity, kind, side and status", () => {
  expect(ids(sortedRows(TRACKS, BY_RANGE, " alba ", "all"))).toEqual([1, 3]);
  expect(ids(sortedRows(TRACKS, BY_RANGE, "asteroid", "all"))).toEqual([6]);
  expect(ids(sortedRows(TRACKS, BY_RANGE, "COASTING", "all"))).toEqual([4]);
  expect(ids(sortedRows(TRACKS, BY_RANGE, "20000000", "all"))).toEqual([2]);
});

test("of a thousand rows only those in sight are drawn", () => {
  const many = Array.from({ length: 1000 }, (_, index) => track(index));
  expect(seenRows(many.length, 0, 400, 22)).toEqual([0, 25]);
  expect(seenRows(many.length, 11_000, 400, 22)).toEqual([494, 525]);
  expect(seenRows(many.length, 999_999, 400, 22)).toEqual([994, 1000]);
});
