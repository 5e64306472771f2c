/** Tabs: one of several panels. */

import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { t, type Key } from "../../text/index.ts";

export interface Tab<N extends string> {
  readonly name: N;
  readonly title: Key;
  readonly panel: () => JSX.Element;
}

interface Properties<N extends string> {
  readonly label: string;
  readonly tabs: readonly Tab<N>[];
  readonly chosen: Signal<N>;
}

/** Tabs with arrow keys; only the chosen panel is in the document. */
export function Tabs<N extends string>({ label, tabs, chosen }: Properties<N>) {
  const list = useRef<HTMLDivElement>(null);
  const index = Math.max(0, tabs.findIndex((tab) => tab.name === chosen.value));
  const tab = tabs[index];
  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = tabs[(index + step + tabs.length) % tabs.length];
    if (!step || !next) return;
    event.preventDefault();
    chosen.value = next.name;
    list.current?.querySelector<HTMLElement>(`#tab-${next.name}`)?.focus();
  };
  if (!tab) return null;
  return (
    <div class="panel tabs">
      <div ref={list} role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map((one) => (
          <button
            type="button"
            role="tab"
            id={`tab-${one.name}`}
            aria-selected={one === tab}
            aria-controls="tab-panel"
            tabIndex={one === tab ? 0 : -1}
            onClick={() => (chosen.value = one.name)}
          >
            {t(one.title)}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="tab-panel" class="tab-panel" aria-labelledby={`tab-${tab.name}`} tabIndex={0} key={tab.name}>
        {tab.panel()}
      </div>
    </div>
  );
}
