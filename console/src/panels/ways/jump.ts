/** Ways from an event, or from a message that a decision rests on, to its moment. */

import { chosenTrack } from "../../run/choice.ts";
import type { Happening } from "../../run/types.ts";
import type { View } from "../../run/view.ts";
import type { Evidence } from "../../wire/payloads.ts";
import {
  EVENTS_STREAM,
  FRAME,
  RADAR_STREAM,
  RUN,
  STATE_STREAM,
  TRACKED,
  TRACKER_STREAM,
} from "../../wire/topics.ts";

/** Return a header of a stored message. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  const line = headers.find((header) => header.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

/** Show the frame that was the newest when something was stored; false if it is not stored any more. */
export async function goToTime(view: View, storedAt: number): Promise<boolean> {
  const span = view.clock.state.peek().span;
  if (!span) return false;
  let before = span.oldest - 1;
  let after = span.newest + 1;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    const notice = await view.message(TRACKER_STREAM, middle);
    if (!notice || notice.time <= storedAt) before = middle;
    else after = middle;
  }
  if (before < span.oldest) return false;
  view.clock.goTo(before);
  return true;
}

/** Show the moment of an event, and choose the track that it is about. */
export async function goToEvent(view: View, event: Happening): Promise<boolean> {
  const went = await goToTime(view, event.storedAt);
  const track = text(event.payload["track_id"]);
  if (went && track !== undefined) chosenTrack.value = track;
  return went;
}

/**
 * Show the frame, and choose the track, of a message that a decision rests on; false if it is not stored any more.
 *
 * The streams of a recording that is played number their messages otherwise: there the decision's own moment is shown.
 *
 * @param decidedAt - when the decision was stored, Unix milliseconds
 */
export async function goToEvidence(view: View, { subject, sequence }: Evidence, decidedAt: number): Promise<boolean> {
  if (view.played) return await goToTime(view, decidedAt);
  if (sequence === null) return false;
  const span = view.clock.state.peek().span;
  if (subject === TRACKED) {
    if (!span || sequence < span.oldest) return false;
    view.clock.goTo(sequence);
    return true;
  }
  const message = await view.message(streamOf(subject), sequence);
  if (message?.subject !== subject) return false;
  const body = object(message.body);
  const run = headerOf(message.headers, RUN) ?? text(body["run_id"]);
  const frame = Number(headerOf(message.headers, FRAME) ?? body["frame"] ?? NaN);
  const went =
    run !== undefined && Number.isInteger(frame)
      ? await view.clock.goToFrame(run, frame)
      : await goToTime(view, message.time);
  const track = text(body["track_id"]);
  if (went && track !== undefined) chosenTrack.value = track;
  return went;
}

/** Return the stream that keeps a subject. */
export function streamOf(subject: string): string {
  if (subject.startsWith("qiki.radar.")) return RADAR_STREAM;
  if (subject.startsWith("qiki.events.")) return EVENTS_STREAM;
  return subject.startsWith("qiki.tracker.") ? TRACKER_STREAM : STATE_STREAM;
}

function object(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value ? value : undefined;
}
