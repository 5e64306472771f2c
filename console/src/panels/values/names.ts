/** Words for the wire's enumerations. */

import { t, type Key } from "../../text/index.ts";

const KINDS: readonly Key[] = ["none", "kind1", "kind2", "kind3", "kind4", "kind5"];
const SIDES: readonly Key[] = ["side3", "scopeFriendly", "scopeHostile", "side3"];
const STATUSES: readonly Key[] = ["none", "scopeStatusNew", "status2", "scopeStatusLost", "scopeStatusCoasting"];
const PROPOSALS: readonly Key[] = ["none", "proposal1", "proposal2", "proposal3", "proposal4", "proposal5"];
const MODES: readonly Key[] = ["none", "mode1", "mode2", "mode2", "mode4", "mode5"];

export const TRANSPONDER = ["OFF", "ON", "SILENT", "SPOOF"] as const;
export const SPOOF = 3;
export const FSM = ["UNSPECIFIED", "BOOTING", "IDLE", "ACTIVE", "ERROR_STATE", "SHUTDOWN"] as const;
/** Purposes of proposals and conditions of devices: program words, the same in all languages. */
export const PURPOSES = ["UNSPECIFIED", "SAFETY", "PLANNING", "DIAGNOSTICS", "EXPLORATION"] as const;
export const CONDITIONS = ["UNSPECIFIED", "OK", "WARNING", "ERROR", "NOT_FOUND"] as const;

export const kindName = (value: number | undefined) => word(KINDS, value);
export const sideName = (value: number | undefined) => word(SIDES, value);
export const statusName = (value: number | undefined) => word(STATUSES, value);
export const proposalName = (value: number | undefined) => word(PROPOSALS, value);
export const modeName = (value: number | undefined) => word(MODES, value);

function word(keys: readonly Key[], value = 0): string {
  const key = keys[value];
  return key ? t(key) : String(value);
}

/** Return the class of a side's colour. */
export function sideClass(iff: number | undefined): "friend" | "foe" | "unknown" {
  return iff === 1 ? "friend" : iff === 2 ? "foe" : "unknown";
}
