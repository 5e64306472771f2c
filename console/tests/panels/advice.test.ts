import "./browser.ts";
import { expect, test } from "vitest";
import { linkAdvice, missing } from "../../src/panels/values/advice.ts";
import type { LinkState } from "../../src/run/view.ts";
import { AT, FakeView, moment } from "./fake.ts";

const OPEN: LinkState = { state: "open", who: "viewer", since: null, reason: "", until: null };
const health = (names: readonly string[], storedAt: number) =>
  new Map(names.map((service) => [service, { value: { timestamp: "", service, ready: true, status: "ok" }, sequence: 1, storedAt }]));
const ALL = ["q-sim-service", "q-sim-radar", "faststream-bridge", "qiki-dev", "registrar"];
const texts = (shown: ReturnType<typeof moment>, played = false) =>
  missing(shown, new FakeView().state.value, played).map((advice) => advice.text);

test("a lost connection says since when and why", () => {
  expect(linkAdvice(OPEN, AT)).toBeNull();
  expect(linkAdvice({ ...OPEN, state: "lost", since: AT - 12_000, reason: "refused" }, AT)).toEqual({
    kind: "bad",
    text: "The connection was lost at 04:05:48 UTC. It is tried again; what you see is old. (refused)",
    aside: "12 s",
  });
  expect(linkAdvice({ ...OPEN, state: "connecting" }, AT)?.kind).toBe("warn");
});

test("a whole stack lacks nothing", () => {
  expect(texts(moment({ health: health(ALL, AT - 1000) }))).toEqual([]);
});

test("a service that does not report is named, with what to do", () => {
  expect(texts(moment({ health: health(ALL.slice(0, 4), AT - 1000) }))).toEqual([
    "registrar has not reported: no audit log. See `qiki ps`; `qiki restart registrar`.",
  ]);
  const old = new Map([...health(ALL, AT - 1000), ...health(["faststream-bridge"], AT - 60_000)]);
  expect(texts(moment({ health: old }))[0]).toContain("faststream-bridge has not reported since 04:05:00 UTC: no tracks");
});

test("nothing stored is said, and a recording needs no services", () => {
  expect(texts(moment({ frame: null, telemetry: null }))).toHaveLength(1);
  expect(texts(moment(), true)).toEqual([]);
});
