/** The newest of each state: telemetry, the agent, the run's description, the services' health. */

import { readAgent, readHealth } from "../../broker/decode.ts";
import type { StoredMessage } from "../../broker/past.ts";
import type { AgentState, ServiceHealth, SimRun, TelemetrySnapshot } from "../../wire/payloads.ts";
import { AGENT_STATE, HEALTH, RUNS, TELEMETRY } from "../../wire/topics.ts";
import { storedAs, telemetryOf } from "../stored/readings.ts";
import type { Runs } from "../stored/runs.ts";
import type { Stored } from "../types.ts";

/** Subjects of QIKI_STATE_V1 that make a state. */
export const STATE_SUBJECTS = [TELEMETRY, AGENT_STATE, RUNS, HEALTH];

const HEALTH_BEGIN = HEALTH.slice(0, -1);
const MOST_SERVICES = 64;

/** Values that are replaced, never changed. */
export interface State {
  readonly telemetry: Stored<TelemetrySnapshot> | null;
  readonly agent: Stored<AgentState> | null;
  readonly description: Stored<SimRun> | null;
  readonly health: ReadonlyMap<string, Stored<ServiceHealth>>;
}

export const NO_STATE: State = { telemetry: null, agent: null, description: null, health: new Map() };

/** Return the state after a message. One that cannot be read changes nothing. */
export function after(state: State, message: StoredMessage, runs: Runs): State {
  const { subject } = message;
  if (subject === TELEMETRY) return { ...state, telemetry: telemetryOf(message) ?? state.telemetry };
  if (subject === AGENT_STATE) return { ...state, agent: storedAs(message, readAgent(message)) ?? state.agent };
  if (subject === RUNS) return { ...state, description: runs.take(message) ?? state.description };
  return subject.startsWith(HEALTH_BEGIN) ? withHealth(state, message) : state;
}

function withHealth(state: State, message: StoredMessage): State {
  const health = storedAs(message, readHealth(message));
  const name = message.subject.slice(HEALTH_BEGIN.length);
  if (health === null || (state.health.size >= MOST_SERVICES && !state.health.has(name))) return state;
  const all = [...new Map(state.health).set(name, health)];
  return { ...state, health: new Map(all.sort(([one], [other]) => (one < other ? -1 : 1))) };
}

/** Return the run that the simulator is at, by the newest of what says so; empty if nothing does. */
export function worldOf({ telemetry, description }: State): string {
  if (telemetry !== null && (description === null || telemetry.sequence > description.sequence)) {
    return telemetry.value.sim_state.run_id;
  }
  return description?.value.run_id ?? "";
}
