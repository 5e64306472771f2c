/** Plots of the vehicle over simulated seconds. */

import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Moment } from "../run/types.ts";
import type { View } from "../run/view.ts";
import { t } from "../text/index.ts";
import { frameRate } from "./values/ages.ts";
import { number } from "./values/format.ts";
import { charts, columns, type Chart } from "./values/series.ts";
import { theme } from "./widgets/theme.ts";

const HEIGHT_PX = 74;
const COLOURS = ["--line-1", "--line-2", "--line-3", "--line-4", "--line-5", "--line-6"];
const FONT = "10px system-ui, sans-serif";

/** All plots, with one cursor; a click goes to its time. */
export function Plots({ view }: { readonly view: View }) {
  const cursor = useSignal<number | null>(null);
  const moment = view.moment.value;
  if (moment.readings.length < 2) return <p class="empty">{t("noReadings")}</p>;
  const go = (seconds: number) => {
    const run = moment.frame?.run;
    if (run) void view.clock.goToFrame(run, Math.round(seconds * frameRate(moment)));
  };
  return (
    <section class="plots" aria-label={t("plots")}>
      {charts(moment.readings.at(-1)).map((chart) => (
        <Plot
          key={`${chart.title} ${chart.lines.length} ${theme.value}`}
          chart={chart}
          moment={moment}
          cursor={cursor}
          go={go}
        />
      ))}
    </section>
  );
}

interface Properties {
  readonly chart: Chart;
  readonly moment: Moment;
  /** Index of the reading under the pointer; null: that of the moment. */
  readonly cursor: Signal<number | null>;
  readonly go: (seconds: number) => void;
}

function Plot({ chart, moment, cursor, go }: Properties) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef({ seconds: 0, go });
  latest.current = { seconds: moment.seconds, go };
  useEffect(() => {
    if (!box.current) return undefined;
    const made = makePlot(box.current, chart, latest, cursor);
    plot.current = made;
    const watch = new ResizeObserver(([entry]) => entry && made.setSize({ width: entry.contentRect.width, height: HEIGHT_PX }));
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(columns(chart, moment.readings)), [moment.readings]);
  useEffect(() => plot.current?.redraw(false), [moment.seconds]);
  return (
    <figure>
      <Caption chart={chart} moment={moment} index={cursor.value} />
      <div ref={box} class="plot" aria-hidden="true" />
    </figure>
  );
}

interface CaptionProperties {
  readonly chart: Chart;
  readonly moment: Moment;
  readonly index: number | null;
}

function Caption({ chart, moment, index }: CaptionProperties) {
  const { readings, seconds } = moment;
  const reading = index === null ? readings.findLast((one) => one.seconds <= seconds) : readings[index];
  return (
    <figcaption>
      <strong>{t(chart.title)}</strong>
      {chart.lines.map((line, place) => (
        <span>
          <i class={`swatch line-${(place % COLOURS.length) + 1}`} /> {line.label}{" "}
          {number(reading ? line.value(reading) : null, chart.digits, chart.unit)}
        </span>
      ))}
      {index !== null && <span class="dim right">{number(reading?.seconds, 0, "s")}</span>}
    </figcaption>
  );
}

function makePlot(
  box: HTMLElement,
  chart: Chart,
  latest: { readonly current: { readonly seconds: number; readonly go: (seconds: number) => void } },
  cursor: Signal<number | null>,
): uPlot {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = { stroke: colour("--dim"), font: FONT, grid: { stroke: colour("--rule"), width: 1 }, ticks: { show: false } };
  const made = new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT_PX,
      padding: [4, 8, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: "qiki" }, y: false, drag: { x: false, y: false } },
      scales: { x: { time: false } },
      axes: [
        { ...axis, size: 18, gap: 2 },
        { ...axis, size: 44, gap: 2 },
      ],
      series: [{}, ...chart.lines.map((_, place) => lineOptions(colour, place))],
      hooks: {
        draw: [(plot) => markMoment(plot, latest.current.seconds, colour("--choice"))],
        setCursor: [(plot) => (cursor.value = plot.cursor.idx ?? null)],
      },
    },
    [[]],
    box,
  );
  made.over.addEventListener("click", () => latest.current.go(made.posToVal(made.cursor.left ?? 0, "x")));
  return made;
}

function lineOptions(colour: (name: string) => string, place: number): uPlot.Series {
  const name = COLOURS[place % COLOURS.length] ?? "--text";
  const dash = place ? { dash: [[6, 2], [2, 2], [8, 2, 2, 2], [4, 4]][(place - 1) % 4] ?? [] } : {};
  return { stroke: colour(name), width: 1.5, points: { show: false }, ...dash };
}

/** Draw where the moment is; it may be a little behind the last reading. */
function markMoment(plot: uPlot, seconds: number, colour: string): void {
  const { ctx, bbox } = plot;
  const x = Math.min(Math.max(plot.valToPos(seconds, "x", true), bbox.left), bbox.left + bbox.width);
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}
