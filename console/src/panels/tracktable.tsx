/** The table of tracks. */

import { useSignal } from "@preact/signals";
import { chosenTrack } from "../run/choice.ts";
import type { Moment } from "../run/types.ts";
import type { View } from "../run/view.ts";
import { t, type Key } from "../text/index.ts";
import type { RadarTrack } from "../wire/payloads.ts";
import { centreOn } from "./ways/centre.ts";
import { clip, metres, number, shortId } from "./values/format.ts";
import { kindName, sideClass, sideName, statusName } from "./values/names.ts";
import { Roll } from "./widgets/roll.tsx";
import { COLUMNS, isSpoof, sortedRows, type Column, type Order, type SideFilter } from "./values/rows.ts";

const ROW_PX = 22;
const PAGE = 10;
const SIDES: readonly SideFilter[] = ["all", "friend", "foe", "unknown", "spoof"];
const TEXTUAL = new Set<Column>(["id", "kind", "side", "identity", "status", "spoof"]);
const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: PAGE,
  PageUp: -PAGE,
  Home: -Infinity,
  End: Infinity,
};

interface Properties {
  readonly view: View;
  /** Tracks that only this one of two runs has. */
  readonly only?: ReadonlySet<string>;
}

/** The table of tracks: sorted, filtered, chosen from. */
export function TrackTable({ view, only }: Properties) {
  const order = useSignal<Order>({ column: "range", down: false });
  const text = useSignal("");
  const side = useSignal<SideFilter>("all");
  const all = view.moment.value.frame?.tracks ?? [];
  const rows = sortedRows(all, order.value, text.value, side.value);
  const chosen = rows.findIndex((track) => track.track_id === chosenTrack.value);
  const onKeyDown = (event: KeyboardEvent) => moveChoice(event, rows, chosen, view.moment.peek());
  return (
    <section class="panel tracks" aria-labelledby="tracks-title">
      <header>
        <h2 id="tracks-title">{t("tracks")}</h2>
        <span class="count">{rows.length === all.length ? all.length : `${rows.length} / ${all.length}`}</span>
        <input
          type="search"
          aria-label={t("filter")}
          placeholder={t("filter")}
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
        <select
          aria-label={t("sideFilter")}
          value={side.value}
          onChange={(event) => (side.value = SIDES[event.currentTarget.selectedIndex] ?? "all")}
        >
          {SIDES.map((one) => (
            <option value={one}>{t(`filter_${one}`)}</option>
          ))}
        </select>
      </header>
      <Roll
        label={t("tracks")}
        rows={rows}
        columns={COLUMNS.length}
        height={ROW_PX}
        head={<Head order={order.value} choose={(next) => (order.value = next)} />}
        row={(track, index) => (
          <Row
            key={track.track_id}
            track={track}
            index={index}
            only={only?.has(track.track_id)}
            centre={() => centreOn(track, view.moment.peek())}
          />
        )}
        chosen={chosen}
        chosenId={chosenTrack.value ? rowId(chosenTrack.value) : undefined}
        onKeyDown={onKeyDown}
      />
      {rows.length === 0 && <p class="empty">{t(all.length ? "noneFiltered" : "noTracks")}</p>}
    </section>
  );
}

function moveChoice(event: KeyboardEvent, rows: readonly RadarTrack[], chosen: number, moment: Moment): void {
  if (event.target !== event.currentTarget) return; // a button of the head
  const step = STEPS[event.key];
  if (step !== undefined) {
    const next = rows[Math.max(0, Math.min(rows.length - 1, chosen < 0 && step === -1 ? 0 : chosen + step))];
    if (next) chosenTrack.value = next.track_id;
  } else if (event.key === "Enter" && rows[chosen]) centreOn(rows[chosen], moment);
  else if (event.key === "Escape") chosenTrack.value = null;
  else return;
  event.preventDefault();
}

function rowId(track: string): string {
  return `row-${track}`;
}

function Head({ order, choose }: { readonly order: Order; readonly choose: (order: Order) => void }) {
  return (
    <tr>
      {COLUMNS.map((column) => {
        const sorted = order.column === column;
        const key: Key = `col_${column}`;
        return (
          <th
            scope="col"
            class={TEXTUAL.has(column) ? "" : "n"}
            aria-sort={sorted ? (order.down ? "descending" : "ascending") : undefined}
          >
            <button type="button" onClick={() => choose({ column, down: sorted && !order.down })}>
              {t(key)}
              <span aria-hidden="true">{sorted ? (order.down ? "▾" : "▴") : ""}</span>
            </button>
          </th>
        );
      })}
    </tr>
  );
}

interface RowProperties {
  readonly track: RadarTrack;
  readonly index: number;
  readonly only: boolean | undefined;
  readonly centre: () => void;
}

function Row({ track, index, only, centre }: RowProperties) {
  const chosen = chosenTrack.value === track.track_id;
  const faint = track.status === 4 || track.status === 3;
  return (
    <tr
      id={rowId(track.track_id)}
      class={`${faint ? "faint" : ""} ${only ? "only" : ""}`}
      aria-rowindex={index + 2}
      aria-selected={chosen}
      onClick={() => (chosenTrack.value = chosen ? null : track.track_id)}
      onDblClick={centre}
    >
      <td>
        {shortId(track.track_id)}
        {only && <abbr title={t("onlyHere")}>*</abbr>}
      </td>
      <td class={`side-${sideClass(track.iff)}`}>{sideName(track.iff)}</td>
      <td class="wide">{clip(track.transponder_id ?? "", 14)}</td>
      <td class="spoof">{isSpoof(track) ? t("spoofMark") : ""}</td>
      <td class="n">{metres(track.range_m)}</td>
      <td class="n">{number(track.bearing_deg, 1)}°</td>
      <td class="n">{number(track.elev_deg, 1)}°</td>
      <td class="n">{number(-track.vr_mps, 1, "m/s")}</td>
      <td>{kindName(track.object_type)}</td>
      <td>{statusName(track.status)}</td>
      <td class="n">{number(track.quality, 2)}</td>
      <td class="n">{number(track.age_s, 0, "s")}</td>
    </tr>
  );
}
