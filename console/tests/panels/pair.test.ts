import "./browser.ts";
import { expect, test } from "vitest";
import { difference, follow, goToNewestRun, shownNames } from "../../src/panels/ways/pair.ts";
import { FakeView, frame, moment, track, TRACKS } from "./fake.ts";

const sets = (found: ReturnType<typeof difference>) => found && [[...found.onlyA], [...found.onlyB], [...found.changed]].map((one) => one.length);

test("the same frame of both has no differences", () => {
  expect(sets(difference(frame(), frame()))).toEqual([0, 0, 0]);
});

test("tracks of one only, and other values, are found", () => {
  const other = frame({ tracks: [track(0, { range_m: 101 }), ...TRACKS.slice(2), track(9)] });
  expect(sets(difference(frame(), other))).toEqual([1, 1, 1]);
});

test("between runs with other ids a track is the one at the same place", () => {
  const renamed = TRACKS.map((one) => ({ ...one, track_id: `other-${one.track_id}` }));
  expect(sets(difference(frame(), frame({ run: "other", tracks: renamed })))?.slice(0, 2)).toEqual([0, 0]);
  expect(sets(difference(frame(), frame({ tracks: renamed })))?.slice(0, 2)).toEqual([8, 8]);
});

test("other frames are not compared", () => {
  expect(difference(frame(), frame({ number: 10 }))).toBeNull();
  expect(difference(frame(), null)).toBeNull();
});

test("one view follows the other's frame, and its way back to live", () => {
  const [lead, other] = [new FakeView(), new FakeView()];
  const end = follow(lead, other);
  lead.state.value = { ...lead.state.value, mode: "past" };
  lead.moment.value = moment({ frame: frame({ number: 33 }) });
  lead.state.value = { ...lead.state.value, mode: "live" };
  end();
  lead.moment.value = moment();
  expect(other.went).toEqual(["live", "frame 9 of deaea8d5", "frame 33 of deaea8d5", "live"]);
});

test("a run that is shorter stays at its last frame", async () => {
  const [lead, other] = [new FakeView({ clock: { mode: "past" } }), new FakeView()];
  other.clock.goToFrame = () => Promise.resolve(false);
  const end = follow(lead, other);
  lead.moment.value = moment({ frame: frame({ number: 33 }) });
  await Promise.resolve();
  end();
  expect(other.went).toEqual(["place 101"]);
});

test("a frame of the newest run is gone to", () => {
  const view = new FakeView();
  goToNewestRun(view, 404);
  expect(view.went).toEqual(["frame 404 of deaea8d5"]);
});

test("names of runs go without their folders where these do not tell them apart", () => {
  const named = (...names: string[]) => shownNames(names.map((name) => Object.assign(new FakeView(), { name })));
  expect(named("/a/one.mcap", "/a/two.mcap")).toEqual(["one.mcap", "two.mcap"]);
  expect(named("/a/one.mcap", "/b/one.mcap")).toEqual(["/a/one.mcap", "/b/one.mcap"]);
});
