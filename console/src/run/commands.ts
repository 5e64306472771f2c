/** Commands to the simulator, or to the player of a recording, and their acknowledgements. */

import { signal, type ReadonlySignal } from "@preact/signals";
import { readAnswer } from "../broker/decode.ts";
import type { Link } from "../broker/link.ts";
import { t } from "../text/index.ts";
import type { CommandMessage } from "../wire/payloads.ts";
import { COMMANDS } from "../wire/topics.ts";
import type { Answer } from "./view.ts";

const WITHIN_MS = 10_000;
/** A step is acknowledged when its ticks are done: so much longer for each [ms]. */
const PER_TICK_MS = 100;
const LONGEST_MS = 600_000;
const KEPT = 50;

export type Parameters = Readonly<Record<string, unknown>>;

export class Commands {
  readonly #link: Link;
  readonly #played: boolean;
  readonly #answers = signal<readonly Answer[]>([]);

  constructor(link: Link, played: boolean) {
    this.#link = link;
    this.#played = played;
  }

  /** The newest answers, newest first. */
  get answers(): ReadonlySignal<readonly Answer[]> {
    return this.#answers;
  }

  /** Send a command, and return its answer. Never throws. */
  async send(command: string, parameters: Parameters): Promise<Answer> {
    const { ok, reason } = await this.#ask(command, parameters).catch((error: unknown) => this.#failed(error));
    const answer = { command, ok, reason, at: Date.now() };
    this.#answers.value = [answer, ...this.#answers.peek()].slice(0, KEPT);
    return answer;
  }

  async #ask(command: string, parameters: Parameters): Promise<Pick<Answer, "ok" | "reason">> {
    const { connection } = this.#link;
    const { who } = this.#link.state.peek();
    if (connection === null) return { ok: false, reason: t("runNotConnected") };
    if (who === "viewer") return { ok: false, reason: t("runViewer") };
    const body = JSON.stringify(messageOf(command, parameters));
    const timeout = deadlineOf(parameters);
    const reply = await connection.request(COMMANDS, body, { timeout }).catch((error: unknown) => {
      throw isLate(error) ? new Error(t("runLate", { seconds: timeout / 1000 })) : error;
    });
    const answer = readAnswer({ body: reply.data });
    if (answer === null) return { ok: false, reason: t("runUnreadable") };
    return { ok: answer.ok, reason: answer.ok ? "" : (answer.error_detail?.message ?? answer.error ?? "") };
  }

  #failed(error: unknown): Pick<Answer, "ok" | "reason"> {
    const text = error instanceof Error ? error.message : String(error);
    const isNobody = /no responders/i.test(text);
    return { ok: false, reason: isNobody ? t(this.#played ? "runNobodyPlays" : "runNobody") : text };
  }
}

function messageOf(command: string, parameters: Parameters): CommandMessage {
  const metadata = {
    message_id: uuid(),
    timestamp: new Date().toISOString(),
    message_type: "control_command",
    source: "operator_page",
    destination: "q_sim_service",
  };
  return { command_name: command, parameters, metadata };
}

/** Return a fresh UUID. `crypto.randomUUID` is missing on a page from another machine without TLS. */
function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const variant = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const groups = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`];
  return [...groups, `${variant.toString(16)}${hex.slice(18, 20)}`, hex.slice(20)].join("-");
}

function deadlineOf({ ticks }: Parameters): number {
  const further = typeof ticks === "number" && ticks > 0 ? ticks * PER_TICK_MS : 0;
  return Math.min(WITHIN_MS + further, LONGEST_MS);
}

function isLate(error: unknown): boolean {
  return error instanceof Error && /timeout/i.test(`${error.name} ${error.message}`);
}
