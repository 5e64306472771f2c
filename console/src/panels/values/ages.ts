/** Ages of the page's inputs, and when each is stale: after five periods without a message. */

import type { Moment } from "../../run/types.ts";
import type { Key } from "../../text/index.ts";

const PERIODS = 5;
const TELEMETRY_MS = 1000;
const AGENT_MS = 1000;
const HEALTH_MS = 5000;

export interface InputAge {
  readonly name: Key;
  /** Since its newest message [ms]; null: none came. */
  readonly age: number | null;
  readonly stale: boolean;
}

/** Return the ages of telemetry, frames, the agent's state and the services' health. */
export function inputAges(moment: Moment): readonly InputAge[] {
  const health = Math.max(...Array.from(moment.health.values(), (one) => one.storedAt));
  return [
    input("inTelemetry", moment.at, moment.telemetry?.storedAt, TELEMETRY_MS),
    input("inFrames", moment.at, moment.frame?.storedAt, isHeld(moment) ? Infinity : framePeriod(moment)),
    input("inAgent", moment.at, moment.agent?.storedAt, AGENT_MS),
    input("inHealth", moment.at, moment.health.size ? health : undefined, HEALTH_MS),
  ];
}

function input(name: Key, at: number, storedAt: number | undefined, period: number): InputAge {
  const age = storedAt === undefined ? null : Math.max(0, at - storedAt);
  return { name, age, stale: age === null || age > PERIODS * period };
}

/** Return true if a service's health is older than five periods. */
export function isHealthStale(at: number, storedAt: number): boolean {
  return at - storedAt > PERIODS * HEALTH_MS;
}

/** Return true while simulated time stands still: no frames are due. */
export function isHeld(moment: Moment): boolean {
  const state = moment.telemetry?.value.sim_state;
  return state !== undefined && (state.paused || !state.running);
}

/** Return the frames of a second of simulated time, as the scenario has it. */
export function frameRate(moment: Moment): number {
  const rate = moment.description?.value.scenario["frame_rate_hz"];
  return typeof rate === "number" && rate > 0 ? rate : 10;
}

function framePeriod(moment: Moment): number {
  const speed = moment.telemetry?.value.sim_state.speed ?? 1;
  return 1000 / (frameRate(moment) * Math.min(1, speed > 0 ? speed : 1));
}
