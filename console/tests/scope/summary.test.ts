import { describe, expect, it } from "vitest";
import { chosenSentence, chosenState, summaryOf } from "../../src/scope/summary.ts";
import { moment, text, track } from "./invented.ts";

const FOE = track("3f2a91c0-1111", [46.2, 0, 0], { iff: 2, transponder_mode: 3, transponder_id: "SHP-ALBA" });
const SHOWN = moment([track("a", [0, 1500, 0], { iff: 1 }), FOE, track("gone", [1, 0, 0], { status: 3 })]);

describe("summary", () => {
  it("counts live tracks by side, and names the nearest", () => {
    expect(summaryOf(SHOWN, text)).toBe(
      "Tracks: 2. Friends 1, foes 1, unknown 0, false identities 1. Nearest: !SHP-ALBA, 46.2 m, bearing 90°.",
    );
  });

  it("says that there is nothing", () => {
    expect(summaryOf(moment([]), text)).toBe("No tracks.");
    expect(summaryOf({ ...moment([]), frame: null }, text)).toBe("No radar frame yet.");
  });
});

describe("chosen track", () => {
  it("is told in a sentence", () => {
    expect(chosenSentence(SHOWN, FOE.track_id, text)).toBe("!SHP-ALBA, foe, tracked, 46.2 m, bearing 90°. Its identity is false.");
    expect(chosenSentence(SHOWN, "elsewhere", text)).toBe("The chosen track is not in this frame.");
    expect(chosenSentence(SHOWN, null, text)).toBe("");
  });

  it("is told again when it changes its state, not when it moves", () => {
    const moved = moment([{ ...FOE, range_m: 99 }]);
    const coasting = moment([{ ...FOE, status: 4 }]);
    expect(chosenState(moved, FOE.track_id)).toBe(chosenState(SHOWN, FOE.track_id));
    expect(chosenState(coasting, FOE.track_id)).not.toBe(chosenState(SHOWN, FOE.track_id));
  });
});
