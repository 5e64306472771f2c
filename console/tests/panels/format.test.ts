import "./browser.ts";
import { afterEach, expect, test } from "vitest";
import { age, brief, clip, clockTime, eventTime, metres, number, shortId, uuidIn } from "../../src/panels/values/format.ts";
import { language } from "../../src/text/index.ts";

const UUID = "d5ae3f0b-eac9-583f-bf33-908aeeadaba8";

afterEach(() => {
  language.value = "en";
});

test("numbers have fixed decimals, a real minus sign, and no negative zero", () => {
  expect([number(1.25, 1), number(-3, 2, "m/s"), number(-0.01, 1), number(null), number(NaN)]).toEqual(["1.3", "−3.00 m/s", "0.0", "–", "–"]);
});

test("distances are kilometres from 10 km on", () => {
  expect([metres(46.23), metres(999.97), metres(4002.8), metres(9999.6), metres(-12_345)]).toEqual(["46.2 m", "1000 m", "4003 m", "10.00 km", "−12.35 km"]);
});

test("units follow the language", () => {
  language.value = "ru";
  expect([metres(46.2), number(1, 0, "m/s"), age(3000)]).toEqual(["46.2 м", "1 м/с", "3.0 с"]);
});

test("ages take the unit that suits them", () => {
  expect([age(null), age(-5), age(340), age(45_000), age(600_000), age(3 * 3600_000)]).toEqual(["–", "0.0 s", "0.3 s", "45 s", "10 min", "3 h"]);
});

test("times are UTC, and impossible ones are none", () => {
  expect([clockTime(17_100), clockTime(17_100, 0), clockTime(17_123, 3), clockTime(1e300)]).toEqual(["00:00:17.1", "00:00:17", "00:00:17.123", "–"]);
});

test("an event of another day shows its day", () => {
  expect([eventTime(1000, 5000), eventTime(86_400_000 * 40, 5000)]).toEqual(["00:00:01.0", "02-10 00:00:00"]);
});

test("texts from the wire are one short line without unseen characters", () => {
  expect(clip("a\u0000\n\u202eb\u2028c")).toBe("a b c");
  expect(clip("<b>".repeat(4000), 10)).toBe("<b><b><b><…");
  expect(clip("😀".repeat(50), 3)).toBe("😀😀😀…");
  expect(clip({ a: [1] })).toBe('{"a":[1]}');
  expect(clip(undefined)).toBe("");
});

test("identities are shown by their first digits", () => {
  expect(shortId(UUID)).toBe("d5ae3f0b");
  expect(brief(`close by (track ${UUID})`)).toBe("close by (track d5ae3f0b)");
  expect([uuidIn(`track ${UUID})`), uuidIn("none")]).toEqual([UUID, undefined]);
});
