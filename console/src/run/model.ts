/** One run, live or past, from one broker. */

import { batch, effect, signal, type ReadonlySignal } from "@preact/signals";
import { lines, text } from "../broker/head.ts";
import { Link } from "../broker/link.ts";
import type { Source } from "../config.ts";
import { Assembler } from "./live/assembler.ts";
import { RunClock, type Timeline } from "./clock.ts";
import { Commands, type Parameters } from "./commands.ts";
import { Follower } from "./live/follower.ts";
import { History } from "./stored/history.ts";
import { Live } from "./live/live.ts";
import { Pace } from "./pace.ts";
import { Stock } from "./stored/stock.ts";
import { NOTHING, type Moment } from "./types.ts";
import type { Answer, Clock, ClockState, LinkState, View } from "./view.ts";

/** While another moment is shown, live frames are decoded only this often, for the trails [ms]. */
const ASIDE_MS = 500;
const FIRST_SPAN_MS = 20_000;

type Message = Awaited<ReturnType<View["message"]>>;

export class Model implements View {
  readonly name: string;
  readonly played: boolean;
  readonly #moment = signal<Moment>(NOTHING);
  readonly #link: Link;
  readonly #stock: Stock;
  readonly #assembler = new Assembler(() => performance.now());
  readonly #live: Live;
  readonly #clock: RunClock;
  readonly #history: History;
  readonly #follower: Follower;
  readonly #commands: Commands;
  readonly #pace = new Pace(() => this.#update());
  #mode: ClockState["mode"] = "live";
  #past: Moment | null = null;
  #asideAt = 0;
  #isDirty = false;

  constructor(source: Source) {
    this.name = source.name;
    this.played = source.played;
    const link = (this.#link = new Link(source.url));
    const stock = (this.#stock = new Stock(link));
    const live = (this.#live = new Live(stock, source.played));
    const clock = (this.#clock = new RunClock(this.#timeline(), () => performance.now()));
    this.#commands = new Commands(link, source.played);
    this.#history = new History(stock, {
      show: (place, moment, isWhole) => this.#showPast(place, moment, isWhole),
      newest: () => clock.state.peek().span?.newest ?? 0,
      now: () => this.#follower.now(),
    });
    const assembler = this.#assembler;
    const ask = (): void => this.#ask();
    const forget = (): void => this.#history.clear();
    this.#follower = new Follower({ link, stock, live, assembler, clock, ask, forget, ready: () => this.#obey() });
  }

  get moment(): ReadonlySignal<Moment> {
    return this.#moment;
  }

  get link(): ReadonlySignal<LinkState> {
    return this.#link.state;
  }

  get clock(): Clock {
    return this.#clock;
  }

  get answers(): ReadonlySignal<readonly Answer[]> {
    return this.#commands.answers;
  }

  /** Connect, and follow the newest frame. */
  start(): void {
    this.#follower.start();
    this.#link.start();
    effect(() => this.#obey());
  }

  /** Connect as an operator until a time, Unix milliseconds; then the viewer is back. Returns why he is refused, or "". */
  operate(user: string, password: string, untilMs: number): Promise<string> {
    return this.#link.withCredentials(user, password, untilMs);
  }

  command(name: string, parameters: Parameters): Promise<Answer> {
    return this.#commands.send(name, parameters);
  }

  async message(stream: string, sequence: number): Promise<Message> {
    const found = await this.#stock.past.one(stream, { seq: sequence }).catch(() => null);
    if (found === null) return null;
    return { subject: found.subject, time: found.storedAt, headers: lines(found.head), body: text(found.body) };
  }

  #timeline(): Timeline {
    const { notices } = this.#stock;
    const again = (): void => this.#pace.ask();
    return {
      known: (place) => notices.known(place),
      load: (place) => void notices.at(place).then(again, again),
      find: (run, frame) => this.#find(run, frame),
    };
  }

  /** Return the place of a run's frame; null if it is not stored. The address may ask before the page is connected. */
  async #find(run: string, frame: number): Promise<number | null> {
    await this.#spanKnown();
    const { span } = this.#clock.state.peek();
    const begin = span?.runs.find((one) => one.run === run);
    if (!span || !begin) return null;
    return await this.#stock.notices.find(run, frame, begin.sequence, span.newest).catch(() => null);
  }

  #spanKnown(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, FIRST_SPAN_MS);
      const stop = effect(() => {
        if (this.#clock.state.value.span === null) return;
        clearTimeout(timer);
        resolve();
        queueMicrotask(() => stop());
      });
    });
  }

  /** Read the moment that the clock asks for. */
  #obey(): void {
    const { mode, place, reading } = this.#clock.state.value;
    if (mode !== this.#mode && mode !== "past") this.#ask();
    this.#mode = mode;
    if (mode === "live") this.#history.rest();
    else if (reading) this.#history.wish(place);
  }

  #showPast(place: number, moment: Moment, isWhole: boolean): void {
    this.#past = moment;
    if (isWhole) this.#clock.shown(place);
    this.#pace.ask();
  }

  #ask(): void {
    this.#isDirty = true;
    this.#pace.ask();
  }

  /** Change what is shown, once for each animation frame. */
  #update(): void {
    batch(() => {
      this.#clock.tick();
      const isLive = this.#clock.state.peek().mode === "live";
      if (isLive || performance.now() - this.#asideAt > ASIDE_MS) this.#takeFrame();
      if (isLive && this.#isDirty) this.#moment.value = this.#live.moment(this.#follower.now());
      else if (!isLive && this.#past !== null) this.#moment.value = this.#past;
      if (isLive) this.#isDirty = false;
      this.#past = null;
    });
    if (this.#clock.state.peek().mode === "replay") this.#pace.ask();
  }

  #takeFrame(): void {
    const assembled = this.#assembler.take();
    if (assembled === null) return;
    this.#asideAt = performance.now();
    this.#clock.newest(this.#live.show(assembled, this.#follower.now()));
    this.#isDirty = true;
  }
}
