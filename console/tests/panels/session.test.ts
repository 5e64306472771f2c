import "./browser.ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openSession, sessionNotice } from "../../src/session.ts";

const RIGHT = { user: "page-1", password: "secret", until: Date.now() + 60_000 };
const operate = vi.fn(() => Promise.resolve(""));
const replaceState = vi.fn();

function open(hash: string, status = 200, body: unknown = RIGHT): Promise<void> {
  vi.stubGlobal("location", { hash, pathname: "/", search: "" });
  vi.stubGlobal("history", { state: null, replaceState });
  vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(new Response(JSON.stringify(body), { status }))));
  return openSession({ operate });
}

beforeEach(() => {
  operate.mockClear();
  replaceState.mockClear();
  sessionStorage.removeItem("qiki-operator");
  sessionNotice.value = "";
});
afterEach(() => vi.unstubAllGlobals());

test("a token becomes a right, and leaves the address; the rest stays", async () => {
  await open("#token=abc&track=7");
  expect(fetch).toHaveBeenCalledWith("session", expect.objectContaining({ method: "POST", body: '{"token":"abc"}' }));
  expect(replaceState).toHaveBeenCalledWith(null, "", "/#track=7");
  expect(operate).toHaveBeenCalledWith("page-1", "secret", RIGHT.until);
});

test("a reload takes up the right until it ends", async () => {
  await open("#token=abc");
  await open("");
  expect(operate).toHaveBeenCalledTimes(2);
  expect(fetch).not.toHaveBeenCalled();
  sessionStorage.setItem("qiki-operator", JSON.stringify({ ...RIGHT, until: Date.now() - 1 }));
  await open("");
  expect(operate).toHaveBeenCalledTimes(2);
  expect(sessionStorage.getItem("qiki-operator")).toBeNull();
});

test("a refused token says why, and the page stays a viewer's", async () => {
  await open("#token=old", 403, { reason: "this link was used already" });
  expect(sessionNotice.value).toBe("The link gives no right to command: this link was used already");
  expect(operate).not.toHaveBeenCalled();
});

test("a right that the broker refuses is said to be refused, and not taken up again", async () => {
  operate.mockResolvedValueOnce("Authorization Violation");
  await open("#token=abc");
  expect(sessionNotice.value).toBe(
    "The broker refuses the right to command: Authorization Violation. Run `qiki console` for a new link.",
  );
  await open("");
  expect(operate).toHaveBeenCalledTimes(1);
  expect(sessionNotice.value).toBe("");
});

test("an answer of another form gives no right", async () => {
  await open("#token=abc", 200, { user: 1 });
  expect(sessionNotice.value).toContain("200");
  expect(operate).not.toHaveBeenCalled();
});

test("without a token nothing is asked", async () => {
  await open("#track=7");
  expect([operate.mock.calls.length, replaceState.mock.calls.length, sessionNotice.value]).toEqual([0, 0, ""]);
});
