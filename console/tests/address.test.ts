import "./panels/browser.ts";
import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { keepAddress, parseAddress, withAddress } from "../src/address.ts";
import { chosenTrack } from "../src/run/choice.ts";
import { NOTHING, type Frame, type Moment } from "../src/run/types.ts";
import type { ClockState, View } from "../src/run/view.ts";

const RUN = "aaaaaaaa-0000-4000-8000-000000000001";

describe("an address", () => {
  test.each([
    ["", { run: null, frame: null, track: null }],
    [`#run=${RUN}&frame=12&track=t1`, { run: RUN, frame: 12, track: "t1" }],
    ["#track=t1", { run: null, frame: null, track: "t1" }],
    ["#frame=12", { run: null, frame: null, track: null }],
    [`#run=${RUN}&frame=-1`, { run: null, frame: null, track: null }],
    [`#run=${RUN}&frame=1e5`, { run: null, frame: null, track: null }],
    [`#run=${"r".repeat(5000)}&frame=1&track=${"t".repeat(5000)}`, { run: null, frame: null, track: null }],
    ["#%%%&&&==", { run: null, frame: null, track: null }],
  ])("is read from %j", (hash, address) => {
    expect(parseAddress(hash)).toEqual(address);
  });

  test("comes back as it was written, and leaves the rest of the hash", () => {
    const address = { run: RUN, frame: 0, track: "a&b=c#d" };
    expect(parseAddress(withAddress("", address))).toEqual(address);
    expect(withAddress("#token=x&track=t", { run: null, frame: null, track: null })).toBe("#token=x");
    expect(withAddress("#track=t", { run: null, frame: null, track: null })).toBe("");
  });
});

describe("the page's address", () => {
  const clock = signal<ClockState>({ mode: "live", place: 5, rate: 1, span: null, reading: false });
  const moment = signal<Moment>(NOTHING);
  const goToFrame = vi.fn(async () => true);
  const live = vi.fn();
  const view = { clock: { state: clock, goToFrame, live }, moment } as unknown as View;
  const written = vi.fn((_state: unknown, _title: string, url: string) => {
    vi.stubGlobal("location", { ...where, hash: url.slice(url.indexOf("#") >= 0 ? url.indexOf("#") : url.length) });
  });
  const where = { pathname: "/", search: "", hash: "" };
  const listeners = new Map<string, () => void>();
  let stop: () => void = () => undefined;

  const open = (hash: string) => {
    vi.stubGlobal("location", { ...where, hash });
    stop = keepAddress(view);
  };

  beforeEach(() => {
    vi.useFakeTimers();
    vi.clearAllMocks();
    vi.stubGlobal("history", { state: null, replaceState: written });
    vi.stubGlobal("addEventListener", (name: string, listener: () => void) => listeners.set(name, listener));
    vi.stubGlobal("removeEventListener", (name: string) => listeners.delete(name));
    clock.value = { ...clock.value, mode: "live", place: 5 };
    chosenTrack.value = null;
  });

  afterEach(() => {
    stop();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const rest = () => vi.advanceTimersByTimeAsync(1000);

  test("is gone to at the begin, and when it changes", async () => {
    open(`#run=${RUN}&frame=12&track=t1`);
    expect(goToFrame).toHaveBeenCalledWith(RUN, 12);
    expect(chosenTrack.value).toBe("t1");
    await rest();
    vi.stubGlobal("location", { ...where, hash: `#run=${RUN}&frame=13` });
    listeners.get("hashchange")?.();
    expect(goToFrame).toHaveBeenLastCalledWith(RUN, 13);
    expect(chosenTrack.value).toBeNull();
  });

  test("names the frame that stands, once it stands", async () => {
    open("");
    moment.value = { ...NOTHING, frame: { run: RUN, number: 9 } as Frame };
    for (let place = 1; place < 20; place++) {
      clock.value = { ...clock.value, mode: "past", place, reading: true };
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(written).not.toHaveBeenCalled();
    clock.value = { ...clock.value, reading: false };
    await rest();
    expect(written.mock.calls.map(([, , url]) => url)).toEqual([`/#run=${RUN}&frame=9`]);
    clock.value = { ...clock.value, mode: "live" };
    await rest();
    expect(written).toHaveBeenLastCalledWith(null, "", "/");
  });

  test("names the chosen track while live goes on", async () => {
    open("");
    chosenTrack.value = "t2";
    for (let place = 6; place < 26; place++) {
      clock.value = { ...clock.value, place };
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(written.mock.calls.map(([, , url]) => url)).toEqual(["/#track=t2"]);
  });

  test("of a frame that is gone becomes live", async () => {
    goToFrame.mockResolvedValueOnce(false);
    open(`#run=${RUN}&frame=12`);
    await rest();
    expect(live).toHaveBeenCalled();
    expect(written).toHaveBeenLastCalledWith(null, "", "/");
  });

  test("is not touched while the frame that it names is looked for", async () => {
    let found: (found: boolean) => void = () => undefined;
    goToFrame.mockReturnValueOnce(new Promise((resolve) => (found = resolve)));
    open(`#run=${RUN}&frame=12`);
    chosenTrack.value = "t3";
    await rest();
    expect(written).not.toHaveBeenCalled();
    found(true);
    await rest();
    expect(written).toHaveBeenCalled();
  });
});
