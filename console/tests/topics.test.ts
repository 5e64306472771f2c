import { expect, test } from "vitest";
import * as topics from "../src/wire/topics.ts";
import wire from "../../docs/wire.md?raw";

/** Subjects and streams of the page; the others are headers. */
const named = Object.entries(topics).filter(([, value]) => /^(qiki\.|QIKI_)/.test(value));

test("there are subjects and streams", () => {
  expect(named.length).toBeGreaterThan(10);
});

test.each(named)("%s is one of the wire's", (_, value) => {
  expect(wire).toContain(value.startsWith("qiki.") ? `\`${value}\`` : `\n| ${value} |`);
});
