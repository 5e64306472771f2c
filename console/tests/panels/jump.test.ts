import "./browser.ts";
import { beforeEach, expect, test } from "vitest";
import { goToEvent, goToEvidence, goToTime, headerOf } from "../../src/panels/ways/jump.ts";
import { chosenTrack } from "../../src/run/choice.ts";
import { AT, FakeView, happening, RUN } from "./fake.ts";

const TRACK = "d5ae3f0b-eac9-583f-bf33-908aeeadaba8";
const GUARD = "qiki.events.v1.radar.guard";
/** Notices 1 to 101, stored every 100 ms. */
const notices = Object.fromEntries(
  Array.from({ length: 101 }, (_, index) => [
    `QIKI_TRACKER_V1 ${index + 1}`,
    { subject: "qiki.tracker.v1.frames", time: AT + 100 * index, headers: [], body: "{}" },
  ]),
);

beforeEach(() => {
  chosenTrack.value = null;
});

test("headers are found by name, in any case", () => {
  expect(headerOf(["Nats-Subject: a", "X-Qiki-Run:  b "], "x-qiki-run")).toBe("b");
  expect(headerOf([], "x-qiki-run")).toBeUndefined();
});

test("a time leads to the frame that was the newest then", async () => {
  const view = new FakeView({ messages: notices });
  expect(await goToTime(view, AT + 1050)).toBe(true);
  expect(await goToTime(view, AT + 99_999)).toBe(true);
  expect(view.went).toEqual(["place 11", "place 101"]);
});

test("a time before the oldest frame leads nowhere", async () => {
  const view = new FakeView({ messages: notices });
  expect(await goToTime(view, AT - 1)).toBe(false);
  expect(view.went).toEqual([]);
});

test("an event leads to its moment and its track", async () => {
  const view = new FakeView({ messages: notices });
  await goToEvent(view, happening("GuardCleared", 801, { track_id: TRACK }, { storedAt: AT + 500 }));
  expect([view.went, chosenTrack.value]).toEqual([["place 6"], TRACK]);
});

test("evidence of a frame's notice is a place of the bar", async () => {
  const view = new FakeView();
  expect(await goToEvidence(view, { subject: "qiki.tracker.v1.frames", sequence: 42, age_s: 0 }, 0)).toBe(true);
  expect(await goToEvidence(view, { subject: "qiki.tracker.v1.frames", sequence: 0, age_s: 0 }, 0)).toBe(false);
  expect(view.went).toEqual(["place 42"]);
});

test("evidence of a message leads to its frame, and to the track in it", async () => {
  const message = { subject: GUARD, time: AT, headers: [`x-qiki-run: ${RUN}`, "x-qiki-frame: 404"], body: JSON.stringify({ track_id: TRACK }) };
  const view = new FakeView({ messages: { "QIKI_EVENTS_V1 7": message } });
  expect(await goToEvidence(view, { subject: GUARD, sequence: 7, age_s: 0.1 }, 0)).toBe(true);
  expect([view.went, chosenTrack.value]).toEqual([["frame 404 of deaea8d5"], TRACK]);
});

test("evidence that is gone, another message, or without a sequence leads nowhere", async () => {
  const other = { subject: "qiki.events.v1.life.boot", time: AT, headers: [], body: "no JSON" };
  const view = new FakeView({ messages: { "QIKI_EVENTS_V1 7": other } });
  for (const sequence of [7, 8, null]) expect(await goToEvidence(view, { subject: GUARD, sequence, age_s: 0 }, 0)).toBe(false);
  expect(view.went).toEqual([]);
});

test("in a recording evidence leads to the decision's own moment: its sequences are those of other streams", async () => {
  const view = new FakeView({ messages: notices, played: true });
  expect(await goToEvidence(view, { subject: GUARD, sequence: 7, age_s: 0 }, AT + 500)).toBe(true);
  expect(view.went).toEqual(["place 6"]);
});
