import "./browser.ts";
import { afterEach, expect, test } from "vitest";
import { filteredEvents } from "../../src/panels/events.tsx";
import { CODES } from "../../src/panels/values/codes.ts";
import { commander, deviceNames, faultyDevices, sentence } from "../../src/panels/values/sentences.ts";
import { language } from "../../src/text/index.ts";
import { panelsEn, panelsRu } from "../../src/text/panels.ts";
import table from "../../../docs/events.md?raw";
import { happening } from "./fake.ts";

const TRACK = "d5ae3f0b-eac9-583f-bf33-908aeeadaba8";

afterEach(() => {
  language.value = "en";
});

test("every kind of event in docs/events.md has a sentence, except the audit log's own", () => {
  const kinds = new Set(Array.from(table.matchAll(/\[qiki\.events\.v1\.(\w+)\]/g), (found) => found[1] ?? ""));
  const keys = Object.keys(panelsEn);
  const unsaid = [...kinds].filter((kind) => !keys.some((key) => key === `ev_${kind}` || key.startsWith(`ev_${kind}_`)));
  expect(unsaid.filter((kind) => !/^Audit|^Radar(Frames|Tracks)Seen$/.test(kind))).toEqual([]);
});

test("every code in docs/events.md has its name", () => {
  const codes = new Map(Array.from(table.matchAll(/^\| (\d{3}) (\w+) \|/gm), ([, code, name]) => [code, name]));
  for (const [code, name] of codes) if (code !== "210" && code !== "211") expect(CODES[Number(code)]).toBe(name);
});

test("both languages have the same places for values", () => {
  const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const [key, text] of Object.entries(panelsRu)) expect([key, places(text)]).toEqual([key, places(panelsEn[key as keyof typeof panelsEn])]);
});

test("sentences say what their payload has", () => {
  const alert = { message: "Foe with its transponder off close by: 148 m", track_id: TRACK };
  expect(sentence(happening("RadarGuardAlert", 802, alert))).toBe("Foe with its transponder off close by: 148 m (track d5ae3f0b)");
  expect(sentence(happening("RunStarted", 500, { scenario: "mixed-traffic", seed: 42 }))).toBe("A run of mixed-traffic begins, seed 42");
  expect(sentence(happening("HealthChange", 702, { source: "registrar", problems: { nats: "no connection" } }))).toBe("registrar is not ready: nats: no connection");
  language.value = "ru";
  expect(sentence(happening("SensorAvailability", 202, { sensor: "lidar", available: false }))).toBe("lidar отказал");
});

test("an unknown kind is told by its values, without what is for programs", () => {
  const event = happening("Novelty", 999, { ts_epoch: 1, category: "x", depth_m: 3.14159, note: "" });
  expect(sentence(event)).toBe("depth_m=3.142");
});

test("a sentence stays a short line of text, with markup as text", () => {
  const evil = happening("Refusal", 802, { command: "<img onerror=alert(1)>", sender: "a\u202eb", reason: "x".repeat(10_000) });
  expect(sentence(evil)).toContain("<img onerror=alert(1)> of a b: xxx");
  expect(sentence(evil).length).toBeLessThanOrEqual(501);
});

test("devices are named by the newest self test", () => {
  const device = { device_id: "c0648061", device_name: "system_controller", status: 3, error_message: "hot" };
  const bios = happening("BiosStatus", 702, { all_systems_go: false, post_results: [device, { status: 1 }, "no object"] });
  expect(faultyDevices(bios)).toBe("system_controller ERROR hot");
  expect(sentence(bios)).toBe("The self test finds system_controller ERROR hot");
  const outcome = happening("ActuatorOutcome", 301, { actuator: "c0648061", accepted: true, message: "accepted", identity: "qiki-dev" });
  expect(sentence(outcome, deviceNames([bios]))).toBe("system_controller accepts a command: accepted");
  expect(commander(outcome)).toBe("qiki-dev");
});

test("filters let through by code, severity and source, newest first", () => {
  const events = [
    happening("A", 500, {}),
    happening("B", 802, {}, { severity: "WARNING" }),
    happening("C", 801, {}, { severity: "CRITICAL", source: "urn:qiki:registrar:audit" }),
  ];
  const kinds = (filter: object) =>
    filteredEvents(events, { code: "", severity: "DEBUG", source: "", ...filter }).map((event) => event.kind);
  expect(kinds({})).toEqual(["C", "B", "A"]);
  expect(kinds({ code: "8" })).toEqual(["C", "B"]);
  expect(kinds({ severity: "ERROR" })).toEqual(["C"]);
  expect(kinds({ source: "q-sim-service:world" })).toEqual(["B", "A"]);
});
