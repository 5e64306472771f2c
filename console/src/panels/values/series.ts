/** Columns of the plots, from the readings of telemetry. */

import type { Reading } from "../../run/types.ts";
import type { Key } from "../../text/index.ts";
import { clip } from "./format.ts";

export interface Line {
  readonly label: string;
  readonly value: (reading: Reading) => number | null;
}

export interface Chart {
  readonly title: Key;
  readonly unit: string;
  readonly digits: number;
  readonly lines: readonly Line[];
}

/** Return the charts; the vehicle's nodes of heat are those of the newest reading. */
export function charts(newest: Reading | undefined): readonly Chart[] {
  const nodes = newest?.telemetry.thermal.nodes ?? [];
  return [
    chart("battery", "%", 1, { "": (reading) => reading.telemetry.power.soc_pct }),
    chart("power", "W", 1, {
      in: (reading) => reading.telemetry.power.power_in_w,
      out: (reading) => reading.telemetry.power.power_out_w,
    }),
    chart("propellant", "kg", 2, { "": (reading) => reading.telemetry.propulsion.propellant_kg }),
    chart("nearest", "m", 0, { "": (reading) => reading.nearest }),
    {
      title: "temperatures",
      unit: "°C",
      digits: 1,
      lines: nodes.map(({ id }) => ({
        label: clip(id, 20),
        value: (reading) => reading.telemetry.thermal.nodes.find((node) => node.id === id)?.temp_c ?? null,
      })),
    },
  ];
}

function chart(title: Key, unit: string, digits: number, lines: Readonly<Record<string, Line["value"]>>): Chart {
  return { title, unit, digits, lines: Object.entries(lines).map(([label, value]) => ({ label, value })) };
}

/** Return the columns of a chart: seconds, then each line. */
export function columns(chart: Chart, readings: readonly Reading[]): [number[], ...(number | null)[][]] {
  return [
    readings.map((reading) => reading.seconds),
    ...chart.lines.map((line) => readings.map((reading) => line.value(reading))),
  ];
}
