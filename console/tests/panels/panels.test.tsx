import { Element } from "./browser.ts";
import { render, type ComponentChildren } from "preact";
import { beforeEach, expect, test } from "vitest";
import { AgentPanel } from "../../src/panels/agent.tsx";
import { Commands } from "../../src/panels/commands.tsx";
import { Decisions } from "../../src/panels/decisions.tsx";
import { Events } from "../../src/panels/events.tsx";
import { Banner } from "../../src/panels/banner.tsx";
import { Orders } from "../../src/panels/orders.tsx";
import { RunBefore } from "../../src/panels/runbefore.tsx";
import { Services } from "../../src/panels/services.tsx";
import { placeAt, TimeBar } from "../../src/panels/timebar.tsx";
import { TrackPanel } from "../../src/panels/track.tsx";
import { TrackTable } from "../../src/panels/tracktable.tsx";
import { chosenTrack } from "../../src/run/choice.ts";
import type { AgentState } from "../../src/wire/payloads.ts";
import { AT, FakeView, frame, happening, moment, order, RUN, track, TRACKS } from "./fake.ts";

const EVIL = "<script>alert(1)</script>";
const settled = () => new Promise((then) => setTimeout(then, 20));

function shown(panel: ComponentChildren): Element {
  const root = new Element("div");
  render(panel, root as unknown as globalThis.Element);
  return root;
}

function named(root: Element, name: string): Element[] {
  return root.all((element) => element.localName === name);
}

beforeEach(() => {
  chosenTrack.value = null;
});

test("the table draws a row for each track, and of a thousand only those in sight", () => {
  const rows = (view: FakeView) => shown(<TrackTable view={view} />).all((one) => one.getAttribute("aria-rowindex") !== null);
  expect(rows(new FakeView()).map((row) => row.textContent.slice(0, 8))).toEqual(TRACKS.map((one) => one.track_id.slice(0, 8)));
  const many = Array.from({ length: 1000 }, (_, index) => track(index, { track_id: `${index}` }));
  expect(rows(new FakeView({ moment: moment({ frame: frame({ tracks: many }) }) })).length).toBeLessThan(40);
});

test("arrow keys choose tracks, a click of the head sorts", async () => {
  const root = shown(<TrackTable view={new FakeView()} />);
  const [table] = named(root, "table");
  table?.fire("keydown", { key: "ArrowDown" });
  table?.fire("keydown", { key: "ArrowDown" });
  await settled();
  table?.fire("keydown", { key: "ArrowDown" });
  expect(chosenTrack.value).toBe(TRACKS[1]?.track_id);
  root.button("Range▴")?.fire("click");
  await settled();
  const head = named(root, "th").find((cell) => cell.textContent.startsWith("Range"));
  expect(head?.getAttribute("aria-sort")).toBe("descending");
});

test("an identity with markup is shown as text", () => {
  const view = new FakeView({ moment: moment({ frame: frame({ tracks: [track(1, { transponder_id: EVIL })] }) }) });
  const root = shown(<TrackTable view={view} />);
  expect(root.textContent).toContain("<script>alert(");
  expect(named(root, "script")).toEqual([]);
});

test("the chosen track has its values, and the messages that it rests on", () => {
  chosenTrack.value = TRACKS[3]?.track_id ?? null;
  const text = shown(<TrackPanel view={new FakeView()} />).textContent;
  for (const part of ["SHP-ALBA", "false identity", "400.0 m", "0.0 m in 133 s", "frame 100", "track 104"]) expect(text).toContain(part);
});

test("the kind of the chosen track comes with its probability", () => {
  const certainty = (index: number) => {
    chosenTrack.value = TRACKS[index]?.track_id ?? null;
    return /Certainty of kind(.*?)Quality/.exec(shown(<TrackPanel view={new FakeView()} />).textContent)?.[1];
  };
  expect([certainty(1), certainty(7)]).toEqual(["97 %", "–"]);
});

test("orders are told newest first, with what they ask for and who gave them", () => {
  const orders = [
    order(0, { origin: "scenario", sender: "", name: "sensor.fail", parameters: { sensor: "radar", until_s: null } }),
    order(1, { origin: "grpc", sender: "qiki-dev", name: EVIL, parameters: { value: 0.123456 } }),
    order(2),
    order(3, { origin: "grpc", sender: "qiki-dev", name: "mode.set", parameters: { mode: 4 } }),
    order(4, { name: "mode.set", parameters: { mode: 99 } }),
    order(5, { origin: "later", sender: "", name: "run.fork", parameters: { scenario: { name: "crossing" } } }),
  ];
  const root = shown(<Orders view={new FakeView({ moment: moment({ orders }) })} />);
  expect(named(root, "li").map((row) => row.textContent)).toEqual([
    "00:00:05.0 run.fork scenario=crossing later · at tick 100",
    "00:00:04.0 mode.set mode=99 by operator_page (command) · at tick 80",
    "00:00:03.0 mode.set mode=ERROR_STATE by qiki-dev (gRPC) · at tick 60",
    "00:00:02.0 xpdr.mode mode=SILENT by operator_page (command) · at tick 40",
    `00:00:01.0 ${EVIL} value=0.1235 by qiki-dev (gRPC) · at tick 20`,
    "00:00:00.0 sensor.fail sensor=radar scenario · at tick 0",
  ]);
  expect(shown(<Orders view={new FakeView()} />).textContent).toContain("No orders took effect");
});

test("the bar has a mark for each order, with who gave it", () => {
  const span = { oldest: 1, newest: 101, runs: [], orders: [{ sequence: 51, order: order(2) }] };
  const root = shown(<TimeBar view={new FakeView({ clock: { span } })} />);
  const mark = root.all((one) => one.getAttribute("class") === "order-mark")[0];
  expect(mark?.getAttribute("title")).toBe("00:00:02.0 xpdr.mode mode=SILENT · by operator_page (command)");
});

test("a chosen track that is not in the frame is said to be missing", () => {
  chosenTrack.value = "somebody";
  expect(shown(<TrackPanel view={new FakeView()} />).textContent).toContain("not in this frame");
});

test("the agent's mode comes with its causes and inputs", () => {
  const value = {
    fsm: { current_state: 4, history: [{ timestamp: "2026-01-01T00:00:40.500000Z", trigger_event: "RADAR_ALERT_FOE_APPROACH" }] },
    causes: [`RADAR_ALERT_FOE_APPROACH: Foe close by (track ${TRACKS[2]?.track_id})`],
    inputs: { telemetry: { subject: "qiki.telemetry", sequence: null, age_s: 9, alive: false } },
    engines: { planner: { proposals: 0, duration_s: 1, fault: "raised ValueError" } },
    bios_ok: true,
    tracks: 8,
    alerts: 1,
  } as unknown as AgentState;
  const root = shown(<AgentPanel view={new FakeView({ moment: moment({ agent: { value, sequence: 1, storedAt: AT } }) })} />);
  for (const part of ["SAFE_MODE", "since 00:00:40.5", "Foe close by (track 20000000)", "telemetry: dead, 9.0 s", "planner: raised ValueError"])
    expect(root.textContent).toContain(part);
  root.button("show the track")?.fire("click");
  expect(chosenTrack.value).toBe(TRACKS[2]?.track_id);
});

test("a decision shows its actions and evidence; evidence leads to its frame", async () => {
  const payload = {
    type: 1,
    status: 4,
    source: "rules",
    justification: "the vehicle has to be in ERROR_STATE",
    actions: [{ actuator: "system_controller", command: "SET_MODE", value: 4, accepted: true, message: "takes effect" }],
    rests_on: [{ subject: "qiki.tracker.v1.frames", sequence: 42, age_s: 0.1 }],
  };
  const view = new FakeView({ moment: moment({ events: [happening("Decision", 300, payload)] }) });
  const root = shown(<Decisions view={view} />);
  expect(root.textContent).toContain("executed SAFETY · rules the vehicle has to be in ERROR_STATE");
  expect(root.textContent).toContain("→ system_controller SET_MODE 4: accepted (takes effect)");
  root.button("qiki.tracker.v1.frames 42 (0.1 s)")?.fire("click");
  await settled();
  expect(view.went).toEqual(["place 42"]);
});

test("events show the audit chain, and who commanded", () => {
  const events = [happening("Refusal", 802, { command: "sim.reset", sender: "mallory", reason: EVIL })];
  const root = shown(<Events view={new FakeView({ moment: moment({ events, audit: { sequence: 7, whole: false } }) })} />);
  expect(root.textContent).toContain("AUDIT CHAIN BROKEN at 7");
  expect(root.textContent).toContain(`Refused: sim.reset of mallory: ${EVIL}`);
  expect(root.textContent).toContain("by mallory");
});

test("a service that does not report looks stale, in a word too", () => {
  const value = { timestamp: "", service: "registrar", ready: true, status: "ok" };
  const health = new Map([["registrar", { value, sequence: 1, storedAt: AT - 40_000 }]]);
  const root = shown(<Services view={new FakeView({ moment: moment({ health }) })} />);
  expect(named(root, "tr")[1]?.textContent).toContain("ready (stale)–40 s");
});

test("a viewer has no buttons to command, and learns how to get the right", () => {
  const root = shown(<Commands view={new FakeView()} scenarios={[]} />);
  expect(named(root, "button")).toEqual([]);
  expect(root.textContent).toContain("`qiki console`");
});

test("a refusal shows its reason, and what was done can be taken back", async () => {
  const view = new FakeView({ operator: true, refuse: { "sim.rcs.stop": "the vehicle is in safe mode" } });
  const root = shown(<Commands view={view} scenarios={["clutter"]} />);
  root.button("Stop thrust")?.fire("click");
  await settled();
  expect(root.textContent).toContain("sim.rcs.stop refused: the vehicle is in safe mode");
  expect(root.button("Undo")).toBeUndefined();
  root.button("SILENT")?.fire("click");
  await settled();
  root.button("Undo")?.fire("click");
  await settled();
  expect(view.sent.slice(1)).toEqual([
    ["sim.xpdr.mode", { mode: "SILENT" }],
    ["sim.xpdr.mode", { mode: "ON" }],
  ]);
  expect(root.button("Undo")).toBeUndefined();
});

test("a recording obeys pause, speed and seek only", () => {
  const root = shown(<Commands view={new FakeView({ operator: true, played: true })} scenarios={[]} />);
  expect(named(root, "button").map((button) => button.textContent)).toEqual(["Pause", "Go on", "Seek"]);
});

test("an undo stays while another tab is looked at", async () => {
  const view = new FakeView({ operator: true });
  const root = shown(<Commands view={view} scenarios={[]} />);
  root.button("SILENT")?.fire("click");
  await settled();
  render(<Orders view={view} />, root as unknown as globalThis.Element);
  await settled();
  render(<Commands view={view} scenarios={[]} />, root as unknown as globalThis.Element);
  await settled();
  root.button("Undo")?.fire("click");
  await settled();
  expect(view.sent.at(-1)).toEqual(["sim.xpdr.mode", { mode: "ON" }]);
});

test("in the past no undo is offered that would rest on a past state", async () => {
  const view = new FakeView({ operator: true, clock: { mode: "past", place: 50 } });
  const root = shown(<Commands view={view} scenarios={[]} />);
  expect(root.textContent).toContain("Commands act on the simulation now");
  root.button("OFF")?.fire("click");
  await settled();
  expect(root.button("Undo")).toBeUndefined();
});

test("a reset is told with the run before, its last moment and the command that keeps it", async () => {
  const first = { sequence: 1, run: RUN, scenario: "mixed-traffic" };
  const view = new FakeView({ operator: true });
  const [banner, commands] = [<Banner view={view} name="" />, <Commands view={view} scenarios={[]} />].map(shown);
  await settled();
  expect(banner?.textContent).toBe("");
  expect(commands?.textContent).not.toContain("The run before");
  const runs = [first, { sequence: 61, run: "5ca1ab1e-0000-4000-8000-000000000011", scenario: "crossing" }];
  view.state.value = { ...view.state.value, span: { oldest: 1, newest: 101, runs, orders: [] } };
  await settled();
  const before = "The run before: mixed-traffic deaea8d5. Its last moment It stays stored for an hour. To keep it: qiki record --run deaea8d5";
  expect(banner?.textContent).toBe(`A new run has begun: crossing 5ca1ab1e. ${before}`);
  expect(commands?.textContent).toContain(before);
  commands?.button("Its last moment")?.fire("click");
  expect(view.went).toEqual(["place 60"]);
});

test("of a recording that is played nothing is said to be kept", () => {
  const runs = [{ sequence: 1, run: RUN, scenario: "a" }, { sequence: 61, run: "b", scenario: "b" }];
  const view = new FakeView({ played: true, clock: { span: { oldest: 1, newest: 101, runs, orders: [] } } });
  expect(shown(<RunBefore view={view} />).textContent).toBe("The run before: a deaea8d5. Its last moment ");
});

test("the bar moves by keys and buttons, and says that the past is shown", async () => {
  const view = new FakeView({ clock: { mode: "past", place: 51 } });
  const root = shown(<TimeBar view={view} />);
  expect(root.textContent).toContain("You look at the past, 5.0 s before the newest frame");
  const slider = root.all((one) => one.getAttribute("role") === "slider")[0];
  expect(slider?.getAttribute("aria-valuetext")).toBe("PAST, 00:00:01.0 UTC, frame 9");
  for (const key of ["ArrowLeft", "PageUp", "Home", "End"]) slider?.fire("keydown", { key });
  root.button("−10 s")?.fire("click");
  root.button("▶ 4×")?.fire("click");
  expect(view.went).toEqual(["step -1", "step 100", "place 1", "live", "step -100", "replay 4"]);
});

test("a share of the bar is a place between the ends", () => {
  const span = { oldest: 11, newest: 111, runs: [], orders: [] };
  expect([placeAt(span, -1), placeAt(span, 0.5), placeAt(span, 2)]).toEqual([11, 61, 111]);
});
