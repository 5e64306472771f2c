/** A long list, of which the first rows are shown. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { t } from "../../text/index.ts";

const STEP = 50;

interface Properties<T> {
  readonly rows: readonly T[];
  readonly row: (value: T) => ComponentChildren;
  readonly empty: string;
}

export function More<T>({ rows, row, empty }: Properties<T>) {
  const shown = useSignal(STEP);
  if (!rows.length) return <p class="empty">{empty}</p>;
  return (
    <>
      <ol class="list">{rows.slice(0, shown.value).map(row)}</ol>
      {rows.length > shown.value && (
        <button type="button" onClick={() => (shown.value += STEP)}>
          {t("more", { count: rows.length - shown.value })}
        </button>
      )}
    </>
  );
}
