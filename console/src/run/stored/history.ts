/**
 * Past moments, read from the streams.
 *
 * The newest wish wins: while one is read, only the last of those that come is kept. Of a moment, the frame and the
 * state are read and shown first; events, readings and trails follow once nobody wishes another one.
 */

import { readAudit } from "../../broker/decode.ts";
import { milliseconds } from "../../broker/past.ts";
import { AUDIT, EVENTS, EVENTS_STREAM, STATE_STREAM, TRACKED, TRACKER_STREAM } from "../../wire/topics.ts";
import { endOf } from "../clock.ts";
import { MOST_EVENTS } from "./events.ts";
import { storedNotice, type StoredNotice } from "./notices.ts";
import { ofRun } from "./orders.ts";
import { beginOf, periodOf, readingsOf } from "./readings.ts";
import { after, NO_STATE, STATE_SUBJECTS, type State } from "../live/state.ts";
import type { Stock } from "./stock.ts";
import { Trails } from "../live/trails.ts";
import { NOTHING, type Frame, type Happening, type Moment, type Order, type Reading } from "../types.ts";

const KEPT = 32;
const STEADY_MS = 150;
const TRIES = 3;
/** Distance over which a moment takes what was read for an earlier one, until its own is read [sequences]. */
const CLOSE = 400;

/** All that a moment is made of, but for what looks back. */
interface Facts {
  readonly place: number;
  readonly frame: Frame;
  readonly state: State;
  /** Last sequences before its end, in QIKI_STATE_V1 and QIKI_EVENTS_V1. */
  readonly stateTo: number;
  readonly eventsTo: number;
  readonly audit: number | null;
  readonly at: number;
  /** False for the newest frame: what comes still belongs to it. */
  readonly isOver: boolean;
}

export interface HistoryParts {
  /** Takes a moment; `isWhole` once all of it was read. */
  readonly show: (place: number, moment: Moment, isWhole: boolean) => void;
  /** The newest place. */
  readonly newest: () => number;
  /** The broker's time, Unix milliseconds. */
  readonly now: () => number;
}

export class History {
  readonly #stock: Stock;
  readonly #parts: HistoryParts;
  readonly #trails = new Trails();
  readonly #whole = new Map<number, Moment>();
  #wish: number | null = null;
  #current: number | null = null;
  #isReading = false;
  #isLooking = false;
  #waiting: Facts | null = null;
  #readings: { to: number; run: string; items: readonly Reading[] } = { to: 0, run: "", items: [] };
  #happened: { to: number; items: readonly Happening[] } = { to: 0, items: [] };
  /** All that were read last. */
  #orders: readonly Order[] = [];

  constructor(stock: Stock, parts: HistoryParts) {
    this.#stock = stock;
    this.#parts = parts;
  }

  /** Forget all: the streams were made again. */
  clear(): void {
    this.#trails.clear();
    this.#whole.clear();
    this.#readings = { to: 0, run: "", items: [] };
    this.#happened = { to: 0, items: [] };
    this.#orders = [];
  }

  /** Ask for the moment of a place. */
  wish(place: number): void {
    this.#wish = this.#current = place;
    if (!this.#isReading) void this.#serve();
  }

  /** Ask for nothing more. */
  rest(): void {
    this.#wish = this.#current = null;
  }

  async #serve(): Promise<void> {
    this.#isReading = true;
    for (let failed = 0; this.#wish !== null; ) {
      const place = this.#wish;
      this.#wish = null;
      try {
        await this.#read(place);
        failed = 0;
      } catch {
        // Of a lost connection: the place is asked for again once there is another.
        await steady();
        if (++failed <= TRIES && this.#current === place) this.#wish ??= place;
      }
    }
    this.#isReading = false;
  }

  async #read(place: number): Promise<void> {
    const known = this.#whole.get(place);
    if (known !== undefined) return this.#parts.show(place, known, true);
    const facts = await this.#facts(place);
    if (facts === null) return this.#parts.show(place, NOTHING, true);
    this.#stock.nearest.add(facts.frame);
    this.#trails.add(facts.frame);
    this.#show(facts, false);
    void this.#look(facts);
  }

  /** Read what is shown first. */
  async #facts(place: number): Promise<Facts | null> {
    const { notices, reader, runs } = this.#stock;
    const { newest, now } = this.#parts;
    const notice = (await notices.at(place)) ?? (await this.#next(place));
    if (notice === null) return null;
    const next = notice.sequence < newest() ? await notices.at(notice.sequence + 1) : null;
    const end = endOf(notice, next, (run) => runs.describedAt(run));
    const [frame, { state, to }, log] = await Promise.all([
      reader.read(notice, notices.known(notice.sequence - 1) ?? null),
      this.#state(end, notice.run),
      this.#log(end),
    ]);
    const at = end === null ? now() : milliseconds(end);
    return { place, frame, state, stateTo: to, eventsTo: log.to, audit: log.record, at, isOver: next !== null };
  }

  /** Return the first notice behind a place: what was there is discarded. */
  async #next(place: number): Promise<StoredNotice | null> {
    const message = await this.#stock.past.one(TRACKER_STREAM, { seq: place, next_by_subj: TRACKED, batch: 1 });
    return message && storedNotice(message);
  }

  async #state(end: string | null, run: string): Promise<{ state: State; to: number }> {
    const { past, runs } = this.#stock;
    const query = { multi_last: STATE_SUBJECTS, ...(end !== null && { up_to_time: end }) };
    const { messages, upTo } = await past.get(STATE_STREAM, query);
    const state = messages.reduce((before, message) => after(before, message, runs), NO_STATE);
    const isOther = state.description?.value.run_id !== run;
    const description = isOther ? (runs.describe(run) ?? state.description) : state.description;
    return { state: { ...state, description }, to: upTo || (messages.at(-1)?.sequence ?? 0) };
  }

  async #log(end: string | null): Promise<{ to: number; record: number | null }> {
    const { past, chain } = this.#stock;
    const until = end !== null && { up_to_time: end };
    let { messages, upTo } = await past.get(EVENTS_STREAM, { multi_last: [AUDIT], ...until });
    const record = messages[0] ? readAudit(messages[0]) : null;
    if (record !== null) chain.take(record);
    // Without a registrar there are other events only.
    else ({ messages, upTo } = await past.get(EVENTS_STREAM, { multi_last: [EVENTS], ...until }));
    return { to: upTo || (messages.at(-1)?.sequence ?? 0), record: record?.sequence ?? null };
  }

  /** Read what looks back, once the wishes rest. Only the newest moment that waits for it is looked at. */
  async #look(facts: Facts): Promise<void> {
    this.#waiting = facts;
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      while (this.#waiting !== null) await this.#lookAt(this.#waiting);
    } catch {
      this.#waiting = null;
    }
    this.#isLooking = false;
  }

  async #lookAt(facts: Facts): Promise<void> {
    const { frame, state } = facts;
    const period = periodOf(state.description?.value ?? null);
    const isWanted = (): boolean => this.#waiting === facts && this.#current !== null;
    const isSteady = (): boolean => isWanted() && this.#current === facts.place;
    const isNear = this.#stock.telemetry.isNear(facts.stateTo) && this.#stock.events.isNear(facts.eventsTo);
    if (!isNear) await steady();
    if (!isWanted()) return this.#looked(facts);
    const { telemetry, orders, events } = this.#stock;
    await Promise.all([telemetry.read(facts.stateTo), orders.read(facts.stateTo), events.read(facts.eventsTo)]);
    if (isWanted()) this.#show(facts, false);
    if (isNear) await steady();
    if (isSteady()) await this.#stock.lookback.trails(this.#trails, frame, period, isSteady);
    if (isSteady()) this.#show(facts, true);
    if (isSteady()) await this.#stock.lookback.nearest(this.#readings.items, frame, period, isSteady);
    if (isSteady()) this.#show(facts, true);
    this.#looked(facts);
  }

  #looked(facts: Facts): void {
    if (this.#waiting === facts) this.#waiting = null;
  }

  #show(facts: Facts, isWhole: boolean): void {
    if (this.#current === null) return;
    const { frame, state, audit } = facts;
    const begin = beginOf(frame, state.description?.value ?? null);
    const moment: Moment = {
      ...state,
      frame,
      seconds: (frame.time - begin) / 1000,
      events: this.#eventsOf(facts),
      orders: this.#ordersOf(facts),
      trails: this.#trails.upTo(frame),
      readings: this.#readingsOf(facts, begin),
      audit: audit === null ? null : { sequence: audit, whole: this.#stock.chain.isWhole(audit) },
      at: facts.at,
    };
    if (isWhole && facts.isOver) this.#keep(facts.place, moment);
    this.#parts.show(facts.place, moment, isWhole);
  }

  #keep(place: number, moment: Moment): void {
    this.#whole.delete(place);
    this.#whole.set(place, moment);
    const oldest = this.#whole.keys().next();
    if (this.#whole.size > KEPT && !oldest.done) this.#whole.delete(oldest.value);
  }

  #eventsOf({ eventsTo: to }: Facts): readonly Happening[] {
    const known = this.#stock.events.known(to);
    if (known !== null) this.#happened = { to, items: known.slice(-MOST_EVENTS) };
    const { to: before, items } = this.#happened;
    return known !== null || (to >= before && to - before < CLOSE) ? items : [];
  }

  #ordersOf({ stateTo: to, frame: { run } }: Facts): readonly Order[] {
    this.#orders = this.#stock.orders.known(to) ?? this.#orders;
    return ofRun(this.#orders.filter(({ sequence }) => sequence <= to), run);
  }

  #readingsOf({ stateTo: to, frame: { run } }: Facts, begin: number): readonly Reading[] {
    const known = this.#stock.telemetry.known(to);
    if (known !== null) this.#readings = { to, run, items: readingsOf(known, run, begin, this.#stock.nearest) };
    const { to: before, items } = this.#readings;
    const isClose = run === this.#readings.run && to >= before && to - before < CLOSE;
    return known !== null || isClose ? items : [];
  }
}

function steady(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, STEADY_MS));
}
