/** The bar of time: all stored frames, and the one that is shown. */

import { useRef } from "preact/hooks";
import type { Clock, ClockState, Span, View } from "../run/view.ts";
import type { Moment } from "../run/types.ts";
import { t, type Key } from "../text/index.ts";
import { frameRate } from "./values/ages.ts";
import { clip, clockTime, day, number, shortId } from "./values/format.ts";
import { orderLine } from "./values/orders.ts";

const LEAP_S = 10;

interface Properties {
  readonly view: View;
  /** Place of the first difference of two runs; null without one. */
  readonly divergence?: number | null;
}

/** The bar with its buttons. */
export function TimeBar({ view, divergence }: Properties) {
  const state = view.clock.state.value;
  const moment = view.moment.value;
  const leap = Math.round(LEAP_S * frameRate(moment));
  return (
    <section class="timebar" aria-label={t("time")}>
      <Slider clock={view.clock} state={state} moment={moment} leap={leap} divergence={divergence ?? null} />
      <div class="bar">
        <Buttons clock={view.clock} state={state} leap={leap} />
        <Runs clock={view.clock} state={state} moment={moment} />
        <Place state={state} moment={moment} />
      </div>
    </section>
  );
}

interface SliderProperties {
  readonly clock: Clock;
  readonly state: ClockState;
  readonly moment: Moment;
  readonly leap: number;
  readonly divergence: number | null;
}

function Slider({ clock, state, moment, leap, divergence }: SliderProperties) {
  const { span } = state;
  const shown = state.mode === "live" && span ? span.newest : state.place;
  const drag = useDrag((share) => span && clock.goTo(placeAt(span, share)));
  return (
    <div
      class="slider"
      role="slider"
      tabIndex={0}
      aria-label={t("placeInTime")}
      aria-valuemin={span?.oldest ?? 0}
      aria-valuemax={span?.newest ?? 0}
      aria-valuenow={shown}
      aria-valuetext={valueText(state, moment)}
      aria-disabled={!span}
      onKeyDown={(event) => span && moveByKey(event, clock, span, leap)}
      {...drag}
    >
      <div class="track-line">
        <div class="past-line" style={{ width: percent(span, shown) }} />
      </div>
      {span?.runs.map((run) => (
        <i class="run-mark" title={`${clip(run.scenario, 60)} ${shortId(run.run)}`} style={{ left: percent(span, run.sequence) }} />
      ))}
      {span?.orders.map(({ sequence, order }) => (
        <i class="order-mark" title={`${clockTime(order.time)} ${orderLine(order)}`} style={{ left: percent(span, sequence) }} />
      ))}
      {divergence !== null && <i class="divergence-mark" title={t("divergence")} style={{ left: percent(span, divergence) }} />}
      <div class="thumb" style={{ left: percent(span, shown) }} />
    </div>
  );
}

/** Return the place in words. The live one stays the same, or it would be read out all the time. */
function valueText({ mode }: ClockState, { frame }: Moment): string {
  const name = t(`clock_${mode}`);
  if (mode === "live") return name;
  return frame ? `${name}, ${clockTime(frame.time)} UTC, ${t("frameNumber", { number: frame.number })}` : t("noFrame");
}

function percent(span: Span | null, place: number): string {
  if (!span || span.newest <= span.oldest) return "100%";
  const share = (place - span.oldest) / (span.newest - span.oldest);
  return `${(100 * Math.max(0, Math.min(1, share))).toFixed(3)}%`;
}

/** Return the place at a share of the bar's length. */
export function placeAt(span: Span, share: number): number {
  return Math.round(span.oldest + Math.max(0, Math.min(1, share)) * (span.newest - span.oldest));
}

/** Return handlers that give the pointer's share of the bar, once a picture at most. */
function useDrag(move: (share: number) => void) {
  const asked = useRef<{ share: number } | null>(null);
  const follow = (event: PointerEvent) => {
    if (!(event.currentTarget instanceof HTMLElement) || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const box = event.currentTarget.getBoundingClientRect();
    const first = asked.current === null;
    asked.current = { share: (event.clientX - box.left) / box.width };
    if (first)
      requestAnimationFrame(() => {
        if (asked.current) move(asked.current.share);
        asked.current = null;
      });
  };
  const begin = (event: PointerEvent) => {
    if (event.button !== 0 || !(event.currentTarget instanceof HTMLElement)) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    event.currentTarget.focus();
    follow(event);
  };
  return { onPointerDown: begin, onPointerMove: follow };
}

function moveByKey(event: KeyboardEvent, clock: Clock, span: Span, leap: number): void {
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowDown: -1,
    ArrowRight: 1,
    ArrowUp: 1,
    PageDown: -leap,
    PageUp: leap,
  };
  const step = steps[event.key];
  if (step !== undefined) clock.step(step);
  else if (event.key === "Home") clock.goTo(span.oldest);
  else if (event.key === "End") clock.live();
  else return;
  event.preventDefault();
}

function Buttons({ clock, state, leap }: { readonly clock: Clock; readonly state: ClockState; readonly leap: number }) {
  const live = state.mode === "live";
  const step = (text: string, label: Key, frames: number) => (
    <button
      type="button"
      aria-label={`${text} ${t(label)}`}
      title={t(label)}
      disabled={!state.span}
      onClick={() => clock.step(frames)}
    >
      {text}
    </button>
  );
  const replay = (rate: number) => (
    <button
      type="button"
      aria-label={`▶ ${rate}× ${t("replay", { rate })}`}
      title={t("replay", { rate })}
      aria-pressed={state.mode === "replay" && state.rate === rate}
      disabled={live}
      onClick={() => clock.replay(rate)}
    >
      ▶ {rate}×
    </button>
  );
  return (
    <div class="group" role="group" aria-label={t("timeButtons")}>
      {step("−10 s", "leapBack", -leap)}
      {step("−1", "frameBack", -1)}
      {step("+1", "frameOn", 1)}
      {step("+10 s", "leapOn", leap)}
      {replay(1)}
      {replay(4)}
      <button
        type="button"
        title={t("stopReplay")}
        aria-label={`■ ${t("stopReplay")}`}
        disabled={state.mode === "past"}
        onClick={() => (live ? clock.goTo(state.span?.newest ?? 0) : clock.stop())}
      >
        ■
      </button>
      <button type="button" class="live" aria-pressed={live} onClick={() => clock.live()}>
        {t("live")}
      </button>
    </div>
  );
}

interface StateProperties {
  readonly state: ClockState;
  readonly moment: Moment;
}

/** A choice of runs, where there are several: it goes to the beginning of one. */
function Runs({ clock, state, moment }: StateProperties & { readonly clock: Clock }) {
  const runs = state.span?.runs ?? [];
  if (runs.length < 2) return null;
  return (
    <select
      aria-label={t("goToRun")}
      value={moment.frame?.run ?? ""}
      onChange={(event) => {
        const run = runs[event.currentTarget.selectedIndex];
        if (run) clock.goTo(run.sequence);
      }}
    >
      {runs.map((run) => (
        <option value={run.run}>
          {clip(run.scenario, 30) || t("run")} {shortId(run.run)}
        </option>
      ))}
    </select>
  );
}

function Place({ state, moment }: StateProperties) {
  const { frame } = moment;
  const behind = state.span ? (state.span.newest - state.place) / frameRate(moment) : 0;
  return (
    <p class="place">
      <strong class={`chip ${state.mode}`}>{t(`clock_${state.mode}`)}</strong>
      {state.mode !== "live" && <span class="past-words">{t("pastWords", { seconds: number(behind, 1) })}</span>}
      {state.reading && <span>{t("reading")}</span>}
      {frame && (
        <span class="dim">
          {day(frame.time)} {clockTime(frame.time)} UTC · t = {number(moment.seconds, 1, "s")} ·{" "}
          {t("frameNumber", { number: frame.number })} · {t("run")} {shortId(frame.run)}
        </span>
      )}
    </p>
  );
}
