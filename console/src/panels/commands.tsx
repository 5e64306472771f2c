/** Commands to the simulation, for operators. */

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Answer, View } from "../run/view.ts";
import { t, type Key } from "../text/index.ts";
import type { TelemetrySnapshot } from "../wire/payloads.ts";
import { frameRate } from "./values/ages.ts";
import { clip, clockTime } from "./values/format.ts";
import { TRANSPONDER } from "./values/names.ts";
import { ResetButton } from "./reset.tsx";
import { RunBefore } from "./runbefore.tsx";

const TICKS_A_SECOND = 20;
const SHOWN_ANSWERS = 5;
const AXES = ["forward", "aft", "port", "starboard", "up", "down"] as const;

/** A command that takes back another one. */
interface Undo {
  readonly answer: Answer;
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** It stays while another tab is looked at. */
const undo = signal<Undo | null>(null);

/** Send a command; `undo` takes it back. */
export type Send = (
  name: string,
  parameters?: Readonly<Record<string, unknown>>,
  undo?: readonly [name: string, parameters?: Readonly<Record<string, unknown>>],
) => Promise<Answer>;

interface Properties {
  readonly view: View;
  readonly scenarios: readonly string[];
}

/** Commands and their answers; for a viewer the way to get the right. */
export function Commands({ view, scenarios }: Properties) {
  if (view.link.value.who !== "operator") return <p class="viewer">{t(view.played ? "viewerPlayed" : "viewer")}</p>;
  const send: Send = async (name, parameters = {}, back) => {
    undo.value = null;
    const answer = await view.command(name, parameters);
    if (back && answer.ok) undo.value = { answer, name: back[0], parameters: back[1] ?? {} };
    return answer;
  };
  return (
    <section class="commands" aria-label={t("commands")}>
      {view.clock.state.value.mode !== "live" && <p class="warn">{t("commandsNow")}</p>}
      <Time view={view} send={send} />
      {view.played ? <Seek send={send} /> : <Vehicle view={view} send={send} scenarios={scenarios} />}
      <Answers view={view} send={send} />
    </section>
  );
}

interface Sender {
  readonly view: View;
  readonly send: Send;
}

/** Return the vehicle's telemetry, if it is that of now: commands act on now, not on a past that is shown. */
function present(view: View): TelemetrySnapshot | undefined {
  return view.clock.state.value.mode === "live" ? view.moment.value.telemetry?.value : undefined;
}

function Group({ label, children }: { readonly label: Key; readonly children: ComponentChildren }) {
  return (
    <fieldset class="bar">
      <legend>{t(label)}</legend>
      {children}
    </fieldset>
  );
}

interface NumberProperties {
  readonly name: string;
  readonly label: Key;
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly step?: number | "any";
}

function NumberField({ name, label, value, least, most, step = "any" }: NumberProperties) {
  return (
    <label>
      {t(label)} <input type="number" required name={name} min={least} max={most} step={step} defaultValue={String(value)} />
    </label>
  );
}

/** A form whose fields are read when it is sent. */
function Form({ onSend, children }: { readonly onSend: (fields: FormData) => void; readonly children: ComponentChildren }) {
  return (
    <form
      class="bar"
      onSubmit={(event) => {
        event.preventDefault();
        onSend(new FormData(event.currentTarget));
      }}
    >
      {children}
    </form>
  );
}

function Time({ view, send }: Sender) {
  const state = present(view)?.sim_state;
  const speed = state?.speed ?? 1;
  const goOn = (fields: FormData) => {
    const back = state?.running && !state.paused ? (["sim.start", { speed }] as const) : (["sim.pause"] as const);
    void send("sim.start", { speed: Number(fields.get("speed")) }, state && back);
  };
  return (
    <Group label="simulation">
      <button type="button" onClick={() => void send("sim.pause", {}, ["sim.start"])}>
        {t("pause")}
      </button>
      <Form onSend={goOn}>
        <NumberField name="speed" label="simSpeed" value={speed} least={0.01} most={1_000_000} />
        <button type="submit">{t("goOn")}</button>
      </Form>
      {!view.played && <Step view={view} send={send} />}
    </Group>
  );
}

function Step({ view, send }: Sender) {
  const ticksOfFrame = Math.round(TICKS_A_SECOND / frameRate(view.moment.value));
  const step = (fields: FormData) => {
    const count = Number(fields.get("count"));
    void send("sim.step", { ticks: fields.get("unit") === "ticks" ? count : count * ticksOfFrame });
  };
  return (
    <Form onSend={step}>
      <NumberField name="count" label="step" value={1} least={1} most={100_000} step={1} />
      <select name="unit" aria-label={t("unit")}>
        <option value="frames">{t("frames")}</option>
        <option value="ticks">{t("ticks")}</option>
      </select>
      <button type="submit">{t("doStep")}</button>
    </Form>
  );
}

function Seek({ send }: { readonly send: Send }) {
  return (
    <Group label="recording">
      <Form onSend={(fields) => void send("play.seek", { t_s: Number(fields.get("t_s")) })}>
        <NumberField name="t_s" label="seekTo" value={0} least={0} most={999_999_999} />
        <button type="submit">{t("seek")}</button>
      </Form>
    </Group>
  );
}

function Vehicle({ view, send, scenarios }: Sender & Properties) {
  const mode = present(view)?.comms.xpdr_mode;
  const before = mode === undefined ? undefined : TRANSPONDER[mode];
  return (
    <>
      <Group label="transponder">
        {TRANSPONDER.map((one) => (
          <button
            type="button"
            aria-pressed={one === before}
            onClick={() => void send("sim.xpdr.mode", { mode: one }, before && ["sim.xpdr.mode", { mode: before }])}
          >
            {one}
          </button>
        ))}
      </Group>
      <Thrust send={send} />
      <Group label="runs">
        <ResetButton scenarios={scenarios} send={send} />
        <RunBefore view={view} />
      </Group>
      <details>
        <summary>{t("dockingPower")}</summary>
        <Docking send={send} />
      </details>
    </>
  );
}

function Thrust({ send }: { readonly send: Send }) {
  const fire = (fields: FormData) => {
    const [pct, duration] = [Number(fields.get("pct")), Number(fields.get("duration"))];
    void send("sim.rcs.fire", { axis: String(fields.get("axis")), pct, duration_s: duration }, ["sim.rcs.stop"]);
  };
  return (
    <Group label="thrust">
      <Form onSend={fire}>
        <select name="axis" aria-label={t("axis")}>
          {AXES.map((axis) => (
            <option value={axis}>{t(`axis_${axis}`)}</option>
          ))}
        </select>
        <NumberField name="pct" label="percent" value={50} least={0} most={100} />
        <NumberField name="duration" label="seconds" value={2} least={0} most={600} />
        <button type="submit">{t("fire")}</button>
      </Form>
      <button type="button" onClick={() => void send("sim.rcs.stop")}>
        {t("stopThrust")}
      </button>
    </Group>
  );
}

function Docking({ send }: { readonly send: Send }) {
  const button = (name: string, label: string, parameters = {}) => (
    <button type="button" onClick={() => void send(name, parameters)}>
      {label}
    </button>
  );
  return (
    <>
      <Group label="docking">
        {button("sim.dock.engage", `${t("dock")} A`, { port: "A" })}
        {button("sim.dock.engage", `${t("dock")} B`, { port: "B" })}
        {button("sim.dock.release", t("undock"))}
      </Group>
      <Group label="power">
        {button("power.dock.on", t("dockPowerOn"))}
        {button("power.dock.off", t("dockPowerOff"))}
        {button("power.nbl.on", t("nblOn"))}
        {button("power.nbl.off", t("nblOff"))}
        <Form onSend={(fields) => void send("power.nbl.set_max", { max_power_w: Number(fields.get("max")) })}>
          <NumberField name="max" label="nblMax" value={100} least={0} most={1_000_000} />
          <button type="submit">{t("set")}</button>
        </Form>
      </Group>
    </>
  );
}

function Answers({ view, send }: Sender) {
  const back = undo.value;
  return (
    <ol class="answers" aria-live="polite" aria-label={t("answers")}>
      {view.answers.value.slice(0, SHOWN_ANSWERS).map((answer, index) => (
        <li class={answer.ok ? "good" : "bad"} key={`${answer.at} ${answer.command}`}>
          {clockTime(answer.at, 0)} <code>{clip(answer.command, 60)}</code>{" "}
          {answer.ok ? t("done") : t("refusedBecause", { reason: clip(answer.reason, 400) })}
          {index === 0 && back?.answer === answer && (
            <button type="button" onClick={() => void send(back.name, back.parameters)}>
              {t("undo")}
            </button>
          )}
        </li>
      ))}
    </ol>
  );
}
