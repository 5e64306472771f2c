/** The agent: its mode with the causes, its inputs, engines and self test. */

import { chosenTrack } from "../run/choice.ts";
import type { Happening, Moment } from "../run/types.ts";
import type { View } from "../run/view.ts";
import { t } from "../text/index.ts";
import type { AgentState } from "../wire/payloads.ts";
import { age, brief, clip, clockTime, number, uuidIn } from "./values/format.ts";
import { FSM, modeName } from "./values/names.ts";
import { faultyDevices } from "./values/sentences.ts";

const ERROR_STATE = 4;
const FINE = new Set([2, 3]);

/** The agent's mode, and what it follows from. */
export function AgentPanel({ view }: { readonly view: View }) {
  const moment = view.moment.value;
  const agent = moment.agent?.value;
  return (
    <section class="panel agent" aria-labelledby="agent-title">
      <header>
        <h2 id="agent-title">{t("agent")}</h2>
        {agent ? <Mode agent={agent} /> : <span class="empty">{t("noAgent")}</span>}
      </header>
      {agent && (
        <div class="agent-body">
          <Causes agent={agent} />
          <Inputs agent={agent} />
          <Health agent={agent} moment={moment} />
        </div>
      )}
    </section>
  );
}

function Mode({ agent }: { readonly agent: AgentState }) {
  const state = agent.fsm.current_state;
  const last = agent.fsm.history.at(-1);
  const kind = FINE.has(state) ? "good" : state === ERROR_STATE ? "bad" : "warn";
  return (
    <>
      <strong class={`chip ${kind}`} role="status">
        {modeName(state)}
      </strong>
      <span class="dim">
        {FSM[state]}
        {last && ` · ${t("since", { time: clockTime(Date.parse(last.timestamp)), trigger: clip(last.trigger_event, 60) })}`}
      </span>
    </>
  );
}

function Causes({ agent }: { readonly agent: AgentState }) {
  if (agent.causes.length)
    return (
      <ul class="causes" aria-label={t("causes")}>
        {agent.causes.map((cause) => (
          <Cause cause={cause} />
        ))}
      </ul>
    );
  const waits = agent.fsm.current_state === ERROR_STATE;
  return <p class="dim">{waits ? t("causesGone", { checks: agent.good_checks }) : t("noCauses")}</p>;
}

/** A cause; one that is about a track chooses it. */
function Cause({ cause }: { readonly cause: string }) {
  const track = cause.includes("(track ") ? uuidIn(cause) : undefined;
  return (
    <li>
      {brief(cause)}{" "}
      {track && (
        <button type="button" class="link" onClick={() => (chosenTrack.value = track)}>
          {t("showTrack")}
        </button>
      )}
    </li>
  );
}

function Inputs({ agent }: { readonly agent: AgentState }) {
  return (
    <ul class="marks" aria-label={t("inputs")}>
      {Object.entries(agent.inputs).map(([name, input]) => (
        <li class={input.alive ? "good" : "bad"} title={clip(input.subject)}>
          {clip(name, 30)}: {t(input.alive ? "alive" : "dead")}
          {input.age_s !== null && `, ${age(input.age_s * 1000)}`}
        </li>
      ))}
      <li class="plain">{t("agentCounts", { tracks: agent.tracks, alerts: agent.alerts })}</li>
    </ul>
  );
}

function Health({ agent, moment }: { readonly agent: AgentState; readonly moment: Moment }) {
  const devices = agent.bios_ok === false ? faultyDevices(newest(moment.events, "BiosStatus")) : "";
  return (
    <ul class="marks" aria-label={t("engines")}>
      <li class={agent.bios_ok ? "good" : agent.bios_ok === null ? "warn" : "bad"}>
        {t(agent.bios_ok ? "biosOk" : agent.bios_ok === null ? "biosNone" : "biosFaulty")} {devices}
      </li>
      {Object.entries(agent.engines).map(([name, engine]) => (
        <li class={engine.fault ? "bad" : "good"}>
          {clip(name, 40)}:{" "}
          {engine.fault
            ? clip(engine.fault)
            : t("engineFine", { proposals: engine.proposals, ms: number(engine.duration_s * 1000, 1) })}
        </li>
      ))}
    </ul>
  );
}

function newest(events: readonly Happening[], kind: string): Happening | undefined {
  return events.findLast((event) => event.kind === kind);
}
