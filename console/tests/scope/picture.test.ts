import { describe, expect, it } from "vitest";
import type { Moment, Vector } from "../../src/run/types.ts";
import { STEP, type StyleName } from "../../src/scope/parts/ink.ts";
import { picture, type Picture, type PictureOptions } from "../../src/scope/picture.ts";
import { planOf, type Sight } from "../../src/scope/projection.ts";
import { AT, crowd, measure, moment, telemetry, text, track } from "./invented.ts";

const SIZE = { width: 800, height: 600 };
const SIGHT: Sight = { metresPerPixel: 10, right: 0, up: 0, headingUp: false };
const OPTIONS: PictureOptions = { rules: [], chosen: null, text, measure };

function pictured(shown: Moment, options: Partial<PictureOptions> = {}, turn = 0, sight = SIGHT): Picture {
  return picture(shown, planOf(sight, SIZE, turn), { ...OPTIONS, ...options });
}

/** The corners of the paths of a style, each as x, y. */
function corners(made: Picture, style: StyleName): number[][] {
  const steps = made.inks.get(style)?.steps ?? [];
  const found: number[][] = [];
  for (let at = 0; at < steps.length; ) {
    const step = steps[at];
    if (step !== STEP.close) found.push([steps[at + 1] ?? NaN, steps[at + 2] ?? NaN]);
    at += step === STEP.ellipse ? 8 : step === STEP.close ? 1 : 3;
  }
  return found;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The plates of the labels: those of rings have one line only. */
function labelBoxes(made: Picture): Box[] {
  const plates = corners(made, "plate");
  return plates.flatMap(([left = 0, top = 0], index) => {
    const [right = 0, bottom = 0] = plates[index + 2] ?? [];
    return index % 4 === 0 && bottom - top > 20 ? [{ left, top, right, bottom }] : [];
  });
}

function overlap(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

function near(points: number[][], x: number, y: number): boolean {
  return points.some(([px, py]) => Math.hypot((px ?? NaN) - x, (py ?? NaN) - y) < 0.01);
}

describe("symbols", () => {
  it.each([
    [1, "circle", "friend"],
    [2, "diamond", "foe"],
    [3, "square", "unknown"],
    [0, "square", "unknown"],
  ] as const)("tell side %s by the %s", (iff, shape, colour) => {
    const [drawn] = pictured(moment([track("a", [500, 1000, 0], { iff })])).tracks;
    expect(drawn).toMatchObject({ id: "a", x: 450, y: 200, shape, colour });
  });

  it.each([
    [1, "new"],
    [2, "tracked"],
    [3, "lost"],
    [4, "coasting"],
  ] as const)("tell status %s by the style %s", (status, name) => {
    const made = pictured(moment([track("a", [500, 0, 0], { status, iff: 1 })]));
    expect(made.tracks[0]?.status).toBe(name);
    const styles = [...made.inks.keys()].filter((style) => /^(new|tracked|lost|coasting)-/.test(style));
    expect(styles).toEqual([`${name}-friend`]);
  });

  it("cross out a lost track", () => {
    const lost = corners(pictured(moment([track("a", [500, 0, 0], { status: 3 })])), "lost-unknown");
    expect(lost.length).toBe(corners(pictured(moment([track("a", [500, 0, 0])])), "tracked-unknown").length + 4);
  });

  it("mark a false identity", () => {
    const made = pictured(moment([track("a", [500, 0, 0], { transponder_mode: 3, transponder_id: "SHP-ALBA" })]));
    expect(made.tracks[0]).toMatchObject({ spoof: true });
    expect(made.tracks[0]?.label).toMatch(/^!SHP-ALBA /);
    expect(made.inks.has("spoof")).toBe(true);
    expect(pictured(moment([track("a", [500, 0, 0])])).inks.has("spoof")).toBe(false);
  });

  it("stand where range and angles say, without a position", () => {
    const bare = { ...track("a", [1000, 0, 0]), position: null };
    const [drawn] = pictured(moment([bare])).tracks;
    expect(drawn?.x).toBeCloseTo(500);
    expect(drawn?.y).toBeCloseTo(300);
  });

  it("are not drawn beyond the edges, which is said", () => {
    const made = pictured(moment([track("a", [9000, 0, 0]), track("b", [100, 0, 0])]));
    expect(made.tracks.map(({ id }) => id)).toEqual(["b"]);
    expect(made.notes).toEqual(["Beyond the edges: 1."]);
  });
});

describe("motion", () => {
  const trails = new Map([
    [
      "a",
      [
        { frame: 290, position: [1000, 0, 0] as Vector },
        { frame: 295, position: [1000, 500, 0] as Vector },
        { frame: 300, position: [1000, 1000, 0] as Vector },
      ],
    ],
  ]);

  it("has a trail that starts from the places in the world, as seen from the vehicle's present place", () => {
    const shown = moment([track("a", [500, 1000, 0])], { trails, own: [500, 0, 0] });
    const trail = corners(pictured(shown), "trail-unknown");
    expect(trail).toEqual([[450, 300], [450, 250], [450, 200]]);
  });

  it("has a velocity in the world, some seconds long", () => {
    const shown = moment([track("a", [500, 0, 0], { velocity: { x: 10, y: 0, z: 0 } })], { speed: [4, 20, 0] });
    // 10 m/s east as seen from the vehicle, which goes at 4 m/s east and 20 m/s north: 5 s of it at 10 m a pixel.
    expect(corners(pictured(shown), "vector-unknown")).toEqual([[450, 300], [457, 290]]);
    expect(near(corners(pictured(shown), "ownVector"), 402, 290)).toBe(true);
  });

  it("has an ellipse of the position's covariance", () => {
    const shown = moment([track("a", [500, 0, 0], { position_covariance: [10_000, 0, 0, 40_000, 0, 1] })]);
    const steps = pictured(shown).inks.get("ellipse-unknown")?.steps ?? [];
    expect(steps[3]).toBeCloseTo(20 * 2.4477, 2);
    expect(steps[4]).toBeCloseTo(10 * 2.4477, 2);
  });
});

describe("heading up", () => {
  it("turns all but the vehicle, whose dart points up", () => {
    const shown = moment([track("a", [1000, 0, 0])], { telemetry: { value: telemetry({ heading: 90 }), sequence: 1, storedAt: AT } });
    const up = pictured(shown, {}, 90);
    expect(up.tracks[0]?.x).toBeCloseTo(400);
    expect(up.tracks[0]?.y).toBeCloseTo(200);
    expect(near(corners(up, "own"), 400, 289)).toBe(true);
    expect(near(corners(pictured(shown), "own"), 411, 300)).toBe(true);
  });
});

describe("thrust", () => {
  const burning = telemetry({ propulsion: { propellant_kg: 1, rcs_active: true } });
  const readings = [28, 29].map((seconds) => ({ seconds, nearest: null, telemetry: telemetry({ position: { x: 0, y: 10 * seconds, z: 0 } }) }));
  const parts = { telemetry: { value: burning, sequence: 1, storedAt: AT }, readings };

  it("is the direction in which the velocity grows", () => {
    const made = pictured(moment([], { ...parts, speed: [0, 10.5, 0] }));
    expect(made.own?.thrust).toEqual([0, 1, 0]);
    // The flame is behind the vehicle.
    expect(corners(made, "thrust").every(([, y]) => (y ?? 0) > 300)).toBe(true);
  });

  it("has no direction where nothing tells it, but is shown", () => {
    const made = pictured(moment([], { ...parts, readings: [], speed: [0, 10.5, 0] }));
    expect(made.own).toMatchObject({ burning: true, thrust: null });
    expect(made.inks.has("thrust")).toBe(true);
  });

  it("is none while no thruster burns", () => {
    const made = pictured(moment([], { readings, speed: [0, 10.5, 0] }));
    expect(made.own).toMatchObject({ burning: false, thrust: null });
    expect(made.inks.has("thrust")).toBe(false);
  });
});

describe("around the vehicle", () => {
  it("are rings with their ranges", () => {
    const words = pictured(moment([])).words.map((word) => word.text);
    expect(words).toEqual(expect.arrayContaining(["1 km", "2 km", "N", "090"]));
    const [x, y, a] = (pictured(moment([])).inks.get("ring")?.steps ?? []).slice(1, 4);
    expect([x, y, a]).toEqual([400, 300, 100]);
  });

  it("are the guard zones that can be seen", () => {
    const rule = { id: "SPOOFING_DETECTED", description: "", severity: "warning", max_range_m: 500 };
    const rules = [rule, { ...rule, id: "FAR", max_range_m: 9e5 }, { ...rule, id: "ALL", max_range_m: null }];
    const made = pictured(moment([]), { rules });
    expect(made.inks.get("guard")?.steps.slice(0, 4)).toEqual([STEP.ellipse, 400, 300, 50]);
    expect(made.inks.get("guard")?.steps).toHaveLength(8);
    expect(made.words.map((word) => word.text)).toContain("SPOOFING 500 m");
  });

  it("are rings of the distance, from beyond the edge too, as short arcs", () => {
    const made = pictured(moment([]), {}, 0, { ...SIGHT, right: 300_000 });
    const steps = made.inks.get("ring")?.steps ?? [];
    expect(steps.length).toBeGreaterThan(0);
    const [radius, , , from, to] = steps.slice(3, 8);
    expect((radius ?? 0) * ((to ?? 0) - (from ?? 0))).toBeLessThan(1000);
  });
});

describe("labels", () => {
  it("have the identity, the id and the range", () => {
    const one = track("3f2a91c0-1111", [1200, 0, 0], { transponder_id: "SHP-ORION", iff: 1 });
    expect(pictured(moment([one])).tracks[0]?.label).toBe("SHP-ORION 3f2a 1.20 km");
    expect(pictured(moment([{ ...one, transponder_id: null }])).tracks[0]?.label).toBe("3f2a91c0 1.20 km");
  });

  it("are short and without markers of direction, whatever a transponder sends", () => {
    const one = track("a", [1200, 0, 0], { transponder_id: `\u202e<b>\u0007${"x".repeat(10_000)}` });
    const label = pictured(moment([one])).tracks[0]?.label ?? "";
    expect(label).toBe("<b> xxxxxx… a 1.20 km");
  });

  it("cover no other label and no symbol", () => {
    const made = pictured(crowd(80));
    const boxes = labelBoxes(made);
    expect(boxes.length).toBe(made.tracks.filter((one) => one.label !== null).length);
    expect(boxes.length).toBeGreaterThan(20);
    for (const [index, box] of boxes.entries()) {
      expect(boxes.slice(index + 1).filter((other) => overlap(box, other))).toEqual([]);
      expect(made.tracks.filter(({ x, y }) => overlap(box, { left: x, top: y, right: x, bottom: y }))).toEqual([]);
    }
  });

  it("stand where they stood before while it is free, and move once it is not", () => {
    const one = track("a", [1200, 0, 0]);
    const places = new Map<string, number>();
    const boxOf = (other: Vector) => labelBoxes(pictured(moment([one, track("b", other)]), { chosen: "a", places }))[0];
    const right = boxOf([-2000, 0, 0]);
    const moved = boxOf([1700, 0, 0]); // in the way of the label
    expect(right?.left).toBeGreaterThan(520);
    expect(moved?.right).toBeLessThan(520);
    expect(boxOf([-2000, 0, 0])).toEqual(moved);
    expect(boxOf([700, 0, 0])).toEqual(right);
  });

  it("jump far less than without the places of before, among many", () => {
    /** Count the labels that change their place from frame to frame. */
    const jumps = (kept: boolean): number => {
      let before = new Map<string, number>();
      let count = 0;
      for (let frame = 0; frame < 100; frame++) {
        const places = new Map(kept ? before : []);
        pictured(crowd(80, 30 + frame / 10), { places });
        for (const [id, place] of places) if (before.has(id) && before.get(id) !== place) count++;
        before = places;
      }
      return count;
    };
    expect(jumps(true)).toBeLessThan(0.5 * jumps(false));
  });

  it("of tracks that are gone are forgotten", () => {
    const places = new Map<string, number>();
    pictured(moment([track("a", [1200, 0, 0]), track("b", [-1200, 0, 0])]), { places });
    pictured(moment([track("b", [-1200, 0, 0])]), { places });
    expect([...places.keys()]).toEqual(["b"]);
  });

  it("are left out where there is no room, but never that of the chosen track", () => {
    const heap = Array.from({ length: 400 }, (_, index) => track(`t${index}`, [500 + (index % 20) * 100, (index / 20) * 100, 0]));
    const made = pictured(moment(heap), { chosen: "t210" });
    const labelled = made.tracks.filter((one) => one.label !== null);
    expect(labelled.length).toBeLessThan(60);
    expect(made.tracks[0]).toMatchObject({ id: "t210" });
    expect(made.tracks[0]?.label).not.toBeNull();
    expect(made.notes.join()).toContain(`no room for ${400 - labelled.length}`);
  });
});

describe("tracks of one run only", () => {
  const tracks = [track("a", [1200, 0, 0]), track("b", [-1200, 0, 0]), track("far", [90_000, 0, 0])];

  it("have a ring and a star, and are counted", () => {
    const made = pictured(moment(tracks), { only: new Set(["a", "far"]) });
    expect(made.tracks.map(({ id, only, label }) => [id, only, label])).toEqual([
      ["a", true, "a* 1.20 km"],
      ["b", false, "b 1.20 km"],
    ]);
    expect(corners(made, "only")).toEqual([[520, 300]]);
    expect(made.notes[0]).toBe("Ringed, only in this run: 2.");
  });

  it("are not marked where no other run is shown, or both have all", () => {
    for (const only of [undefined, new Set<string>()]) {
      const made = pictured(moment(tracks), { only });
      expect([made.inks.has("only"), made.notes]).toEqual([false, ["Beyond the edges: 1."]]);
    }
  });
});

describe("many tracks", () => {
  it("are drawn whole while they are few, and nothing is said", () => {
    const few = Array.from({ length: 8 }, (_, index) => track(`t${index}`, [index * 700 - 2400, (index % 3) * 900 - 800, 0], { position_covariance: [1e5, 0, 0, 1e5, 0, 1] }));
    const made = pictured(moment(few));
    expect(made.notes).toEqual([]);
    expect(corners(made, "ellipse-unknown")).toHaveLength(8);
  });

  it("lose ellipses, then velocities and trails, and the picture says so", () => {
    const some = pictured(crowd(200), {}, 0, { ...SIGHT, metresPerPixel: 40 });
    expect([...some.inks.keys()].some((style) => style.startsWith("ellipse-"))).toBe(false);
    expect(some.inks.has("trail-foe")).toBe(true);
    expect(some.notes[0]).toMatch(/^Tracks in view: 200; no ellipses,/);
    const many = pictured(crowd(1000), {}, 0, { ...SIGHT, metresPerPixel: 40 });
    expect(many.inks.has("trail-foe")).toBe(false);
    expect(many.notes[0]).toMatch(/^Tracks in view: 1000; no ellipses, no trails, no velocities, labelled \d+, no room for \d+\.$/);
    expect(many.tracks).toHaveLength(1000);
  });

  it("leave the chosen one whole", () => {
    const shown = crowd(1000);
    const chosen = shown.frame?.tracks[17]?.track_id ?? "";
    const made = pictured(shown, { chosen }, 0, { ...SIGHT, metresPerPixel: 40 });
    expect(made.tracks[0]?.id).toBe(chosen);
    expect(made.inks.has("choice")).toBe(true);
    expect([...made.inks.keys()].filter((style) => style.startsWith("trail-"))).toHaveLength(1);
  });
});

describe("what it says of itself", () => {
  it("is the frame that it shows", () => {
    const plot = { range_m: 1000, bearing_deg: 0, elev_deg: 0, vr_mps: 0, snr_db: 9, rcs_dbsm: 0 };
    const made = pictured(moment([], { plots: [plot, { ...plot, bearing_deg: 90 }, { ...plot, range_m: 1e5 }] }));
    expect(made).toMatchObject({ run: "run", frame: 300, at: AT + 100, plots: 2, stale: false });
  });

  it("is that there is no frame", () => {
    expect(pictured({ ...moment([]), frame: null }).notes).toEqual(["No radar frame yet."]);
  });

  it("is that the frame is old, unless the simulation stands", () => {
    const old = { ...moment([track("a", [100, 0, 0])]), at: AT + 12_000 };
    expect(pictured(old)).toMatchObject({ stale: true, notes: ["The newest frame is 12 s old."] });
    const sim = { running: true, paused: true, speed: 1, tick: 1, run_id: "run", behind_s: 0 };
    const paused = { ...old, telemetry: { value: telemetry({ sim_state: sim }), sequence: 1, storedAt: AT } };
    expect(pictured(paused)).toMatchObject({ stale: false, notes: [] });
  });

  it("is where the chosen track is, when it is beyond the edge", () => {
    const made = pictured(moment([track("a", [9000, 0, 0])]), { chosen: "a" });
    expect(near(corners(made, "choice"), 779, 300)).toBe(true);
  });
});
