/** A scrolled grid of which only the seen rows are in the document. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { seenRows } from "../values/rows.ts";

interface Properties<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly columns: number;
  /** Height of a row [px], the same for all. */
  readonly height: number;
  readonly head: ComponentChildren;
  readonly row: (value: T, index: number) => ComponentChildren;
  /** Index of the chosen row, -1 without one, and its element's id; it is scrolled to when it becomes another one. */
  readonly chosen: number;
  readonly chosenId: string | undefined;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/** A grid with windowed rows: one stop of the tab key. */
export function Roll<T>({ label, rows, columns, height, head, row, chosen, chosenId, onKeyDown }: Properties<T>) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 400 });
  const look = () => box.current && setSeen({ top: box.current.scrollTop, height: box.current.clientHeight });
  useLayoutEffect(() => {
    if (!box.current) return undefined;
    const watch = new ResizeObserver(look);
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  useLayoutEffect(() => scrollTo(box.current, chosen, height), [chosenId, height]);
  const [first, end] = seenRows(rows.length, seen.top, seen.height, height);
  return (
    <div class="roll" ref={box} onScroll={look}>
      <table
        role="grid"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        aria-activedescendant={chosen >= first && chosen < end ? chosenId : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <thead>{head}</thead>
        <tbody>
          <Room rows={first} height={height} columns={columns} />
          {rows.slice(first, end).map((value, index) => row(value, first + index))}
          <Room rows={rows.length - end} height={height} columns={columns} />
        </tbody>
      </table>
    </div>
  );
}

/** The place of rows that are not drawn. */
function Room({ rows, height, columns }: { readonly rows: number; readonly height: number; readonly columns: number }) {
  if (rows <= 0) return null;
  return (
    <tr aria-hidden="true" class="room">
      <td colSpan={columns} style={{ height: `${rows * height}px` }} />
    </tr>
  );
}

function scrollTo(box: HTMLDivElement | null, index: number, row: number): void {
  if (!box || index < 0) return;
  const head = box.querySelector("thead")?.clientHeight ?? 0;
  const top = index * row;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + row + head > box.scrollTop + box.clientHeight) box.scrollTop = top + row + head - box.clientHeight;
}
