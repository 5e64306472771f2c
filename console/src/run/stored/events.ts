/** Events of the streams: the newest few hundred of any run, without the audit records. */

import { readEvent } from "../../broker/decode.ts";
import type { Past, StoredMessage } from "../../broker/past.ts";
import { AUDIT, EVENTS, EVENTS_STREAM } from "../../wire/topics.ts";
import type { Happening } from "../types.ts";
import { NEAR, Window, type Part } from "./window.ts";

/** Events of a moment, at most. */
export const MOST_EVENTS = 300;
const DEPTH = 6000;
const BATCH = 256;
const MOST_SUBJECTS = 64;
const MOST_OF_SUBJECT = 1000;

/** Return the events among messages of the stream. */
export function eventsOf(messages: readonly StoredMessage[]): Happening[] {
  return messages
    .filter((message) => message.subject !== AUDIT)
    .map(readEvent)
    .filter((event) => event !== null);
}

/** Read events as a window of QIKI_EVENTS_V1. */
export function eventWindow(past: Past): Window<Happening> {
  // A short stretch is read with its audit records.
  return new Window(DEPTH, (from, to) => (to - from < NEAR ? all(past, from, to) : bySubject(past, from, to)));
}

async function all(past: Past, from: number, to: number): Promise<Part<Happening>> {
  const { messages } = await past.get(EVENTS_STREAM, { seq: from, batch: NEAR });
  return { items: eventsOf(messages), to: Math.max(to, messages.at(-1)?.sequence ?? 0) };
}

/** Read each subject but the audit's, whose records are many times as many as all others. */
async function bySubject(past: Past, from: number, to: number): Promise<Part<Happening>> {
  const { subjects } = await past.info(EVENTS_STREAM, EVENTS);
  const wanted = subjects.filter((subject) => subject !== AUDIT).slice(0, MOST_SUBJECTS);
  const found = await Promise.all(wanted.map((subject) => ofSubject(past, subject, from, to)));
  return { items: found.flat().sort((one, other) => one.sequence - other.sequence), to };
}

/** Read the events of a subject; of more than fit, the newest. */
async function ofSubject(past: Past, subject: string, from: number, to: number): Promise<Happening[]> {
  let events: Happening[] = [];
  for (let seq = from; seq <= to; ) {
    const { messages, pending } = await past.get(EVENTS_STREAM, { seq, next_by_subj: subject, batch: BATCH });
    events = [...events, ...eventsOf(messages)].filter(({ sequence }) => sequence <= to).slice(-MOST_OF_SUBJECT);
    const last = messages.at(-1);
    if (last === undefined || pending === 0) break;
    seq = last.sequence + 1;
  }
  return events;
}
