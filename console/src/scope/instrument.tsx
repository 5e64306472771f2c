/** A canvas with what belongs to it: pointers and keys, the readout at the pointer, notes, and words for screen readers. */

import { useSignal, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import type { GuardRule } from "../config.ts";
import { chosenTrack } from "../run/choice.ts";
import type { Moment } from "../run/types.ts";
import type { View } from "../run/view.ts";
import { t } from "../text/index.ts";
import { keepDrawn } from "./drawing.ts";
import { followPointers } from "./gestures.ts";
import { look, press } from "./keys.ts";
import type { Measure } from "./parts/labels.ts";
import type { Picture } from "./picture.ts";
import { panned, zoomed, type Size } from "./projection.ts";
import { headingUp } from "./sight.ts";
import { chosenSentence, chosenState, summaryOf } from "./summary.ts";
import "./scope.css";

/** Properties of the plan view and the side view. */
export interface SightProps {
  readonly view: View;
  readonly rules?: readonly GuardRule[];
  /** The run's name where there are several. */
  readonly run?: string;
  /** Tracks that only this one of two runs has; what it reads of signals decides when it is asked again. */
  readonly only?: () => ReadonlySet<string> | undefined;
}

/** Properties of an instrument. */
export interface InstrumentProps {
  /** Its key in `window.qikiDrawn`. */
  readonly name: string;
  readonly title: string;
  readonly kind: "plan" | "side";
  /** The moment that is shown. */
  readonly moment: () => Moment;
  /** Make the picture; what it reads of signals decides when it is made again. */
  readonly make: (size: Size, measure: Measure) => Picture;
  /** Words for a place under the pointer [px]. */
  readonly readout: (size: Size, x: number, y: number) => string;
}

const REACH = 24;
const SUMMARY_MS = 4_000;
/** Of more tracks than this the side view is painted less often, so that the plan view keeps its pace. */
const CROWD = 40;
const CROWD_PAUSE_MS = 90;

/** Draw a view of the surroundings, with its keys, pointers, notes and words. */
export function Instrument(props: InstrumentProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useSignal(props);
  const [notes, readout, summary, said] = [useSignal(""), useSignal(""), useSignal(props.title), useSignal("")];
  const help = useId();
  useEffect(() => {
    latest.value = props;
  });
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const beside = props.kind === "side";
    const teller = new Teller({ notes, summary, said }, () => latest.peek().moment());
    let drawn: Picture | null = null;
    const stopDrawing = keepDrawn(
      element,
      props.name,
      (size, measure) => latest.value.make(size, measure),
      (picture) => teller.tell((drawn = picture)),
      () => (beside && drawn && drawn.tracks.length > CROWD ? CROWD_PAUSE_MS : 0),
    );
    const stopPointers = followPointers(element, {
      zoom: (factor, x, y) => {
        const [dx, dy] = [x - element.clientWidth / 2, beside ? 0 : y - element.clientHeight / 2];
        look((now, size) => zoomed(now, factor, size, dx, dy));
      },
      pan: (dx, dy) => look((now) => panned(now, dx, beside ? 0 : dy)),
      pick: (x, y) => {
        chosenTrack.value = nearestTo(drawn, x, y);
      },
      point: (place) => {
        readout.value = place && drawn ? latest.peek().readout(drawn, ...place) : "";
      },
    });
    return () => {
      stopDrawing();
      stopPointers();
      teller.stop();
    };
  }, [props.name, props.kind]);
  const key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey || !press(event.key, props.moment())) return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <section class={`scope scope-${props.kind}`} aria-label={props.title}>
      <canvas
        ref={canvas}
        class="scope-canvas"
        role="application"
        tabIndex={0}
        aria-label={summary}
        aria-describedby={help}
        onKeyDown={key}
      />
      <p class="scope-said" id={help}>{t("scopeKeys")}</p>
      <div class="scope-foot">
        <p class="scope-notes">{notes}</p>
        <p class="scope-readout" aria-hidden="true">{readout}</p>
        {props.kind === "plan" && <Buttons moment={props.moment} />}
      </div>
      {props.kind === "plan" && <p class="scope-said" aria-live="polite">{said}</p>}
    </section>
  );
}

interface Said {
  readonly notes: Signal<string>;
  readonly summary: Signal<string>;
  readonly said: Signal<string>;
}

/** Puts painted pictures into words, seldom enough to be listened to. */
class Teller {
  private state = chosenState(null, null);
  private timer = 0;
  private summed = -Infinity;

  constructor(
    private readonly words: Said,
    private readonly moment: () => Moment,
  ) {}

  tell(picture: Picture): void {
    this.words.notes.value = picture.notes.join(" ");
    const due = this.summed + SUMMARY_MS - performance.now();
    if (due <= 0) this.sum();
    else this.timer ||= window.setTimeout(() => this.sum(), due);
    const chosen = chosenTrack.peek();
    const state = chosenState(this.moment(), chosen);
    if (state !== this.state) this.words.said.value = chosenSentence(this.moment(), chosen, t);
    this.state = state;
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private sum(): void {
    this.timer = 0;
    this.summed = performance.now();
    this.words.summary.value = summaryOf(this.moment(), t);
  }
}

/** Return the drawn track that is nearest to a pixel, if it is near. */
function nearestTo(picture: Picture | null, x: number, y: number): string | null {
  let [best, reach]: [string | null, number] = [null, REACH];
  for (const track of picture?.tracks ?? []) {
    const far = Math.hypot(track.x - x, track.y - y);
    if (far < reach) [best, reach] = [track.id, far];
  }
  return best;
}

function Buttons({ moment }: { readonly moment: () => Moment }): JSX.Element {
  const button = (key: string, label: string, sign: string, pressed?: boolean): JSX.Element => (
    <button type="button" aria-label={label} title={`${label} (${key})`} aria-pressed={pressed} onClick={() => press(key, moment())}>
      {sign}
    </button>
  );
  return (
    <div class="scope-buttons">
      {button("+", t("scopeZoomIn"), "+")}
      {button("-", t("scopeZoomOut"), "−")}
      {button("f", t("scopeFit"), "⤢")}
      {button("h", t("scopeHeadingUp"), "▲", headingUp.value)}
    </div>
  );
}
