/** The live moment, kept up with what comes. Memory is bounded: the page may be open for days. */

import { readAudit } from "../../broker/decode.ts";
import type { StoredMessage } from "../../broker/past.ts";
import { AUDIT, TELEMETRY } from "../../wire/topics.ts";
import { frameOf, type Assembled } from "./assembler.ts";
import { eventsOf, MOST_EVENTS } from "../stored/events.ts";
import type { StoredNotice } from "../stored/notices.ts";
import { MOST_ORDERS, ofRun } from "../stored/orders.ts";
import { beginOf, MOST, readingOf, readingsOf, SPAN_MS, type StoredTelemetry } from "../stored/readings.ts";
import { after, NO_STATE, worldOf, type State } from "./state.ts";
import type { Stock } from "../stored/stock.ts";
import { Trails } from "./trails.ts";
import type { Frame, Happening, Moment, Order, Reading } from "../types.ts";

/** The part of the stock that it shares with past moments. */
export type LiveStock = Pick<Stock, "runs" | "nearest" | "chain">;

export class Live {
  readonly trails = new Trails();
  readonly #stock: LiveStock;
  readonly #isPlayed: boolean;
  #state: State = NO_STATE;
  #frame: Frame | null = null;
  #world = "";
  #events: readonly Happening[] = [];
  #orders: readonly Order[] = [];
  #readings: readonly Reading[] = [];
  #audit: number | null = null;
  #anchor: StoredNotice | null = null;

  /**
   * @param isPlayed - what notices say about places is about a recording's streams, not about these
   */
  constructor(stock: LiveStock, isPlayed: boolean) {
    this.#stock = stock;
    this.#isPlayed = isPlayed;
  }

  get frame(): Frame | null {
    return this.#frame;
  }

  get readings(): readonly Reading[] {
    return this.#readings;
  }

  get state(): State {
    return this.#state;
  }

  /** The newest orders of any run. */
  get orders(): readonly Order[] {
    return this.#orders;
  }

  /** The run that the simulator is at; empty if nothing says so. */
  get world(): string {
    return this.#world;
  }

  /** Forget all: the streams were made again. */
  clear(): void {
    this.#state = NO_STATE;
    this.#events = [];
    this.#orders = [];
    this.#audit = null;
    this.#anchor = null;
    this.#begin("");
  }

  /** Take messages of the state's stream; return the telemetry among them. */
  takeState(messages: readonly StoredMessage[]): StoredTelemetry[] {
    const found: StoredTelemetry[] = [];
    for (const message of messages) {
      const before = this.#state.telemetry;
      this.#state = after(this.#state, message, this.#stock.runs);
      const world = worldOf(this.#state);
      if (world !== this.#world) this.#begin(world);
      const { telemetry } = this.#state;
      if (message.subject !== TELEMETRY || telemetry === null || telemetry === before) continue;
      this.#read(telemetry);
      found.push(telemetry);
    }
    return found;
  }

  /** Take messages of the events' stream; return the events among them. */
  takeEvents(messages: readonly StoredMessage[]): Happening[] {
    for (const message of messages) if (message.subject === AUDIT) this.#record(message);
    const events = eventsOf(messages);
    this.addEvents(events);
    return events;
  }

  /** Add events, which may be older than those that are there. */
  addEvents(events: readonly Happening[]): void {
    if (events.length > 0) this.#events = merged(this.#events, events).slice(-MOST_EVENTS);
  }

  /** Add orders, which may be older than those that are there. */
  addOrders(orders: readonly Order[]): void {
    if (orders.length > 0) this.#orders = merged(this.#orders, orders).slice(-MOST_ORDERS);
  }

  /** Put the readings of earlier telemetry before those that are there. */
  addReadings(telemetry: readonly StoredTelemetry[]): void {
    const first = this.#readings[0]?.telemetry.ts_unix_ms ?? Infinity;
    const before = readingsOf(telemetry, this.#runShown(), this.#beginTime(), this.#stock.nearest);
    this.#readings = [...before.filter(({ telemetry }) => telemetry.ts_unix_ms < first), ...this.#readings];
  }

  /** Look up the distances to the nearest track again. */
  refreshReadings(): void {
    const { nearest } = this.#stock;
    this.#readings = this.#readings.map((one) =>
      one.nearest === null ? readingOf(one.telemetry, this.#beginTime(), nearest) : one,
    );
  }

  /**
   * Note where the newest notice is stored. Live messages do not say it, and frames are numbered without a gap: places
   * of further ones of the run are counted from this. It is looked up about once a second, which corrects the rest.
   */
  setAnchor(notice: StoredNotice): void {
    this.#anchor = notice;
  }

  /** Show a frame that came; return its place. */
  show(assembled: Assembled, storedAt: number): number {
    const { notice, frame } = assembled;
    const sequence = this.#placeOf(notice.run, notice.number);
    const radar = frame === null || this.#isPlayed ? null : notice.radarSequence;
    const sequences = { frame: radar, tracks: new Map<string, number>() };
    this.seed(frameOf(assembled, { sequence, storedAt }, sequences, this.#frame));
    return sequence;
  }

  /** Show a frame. */
  seed(frame: Frame): void {
    if (this.#frame !== null && this.#frame.run !== frame.run) this.#clearRun();
    this.#frame = frame;
    this.#stock.nearest.add(frame);
    this.trails.add(frame);
  }

  moment(now: number): Moment {
    const frame = this.#frame;
    return {
      ...this.#state,
      frame,
      seconds: frame === null ? 0 : (frame.time - this.#beginTime()) / 1000,
      events: this.#events,
      orders: ofRun(this.#orders, frame?.run ?? this.#world),
      trails: frame === null ? new Map() : this.trails.upTo(frame),
      readings: this.#readings,
      audit: this.#audit === null ? null : { sequence: this.#audit, whole: this.#stock.chain.isWhole(this.#audit) },
      at: this.#isPlayed ? this.#newestStored(now) : now,
    };
  }

  /** Return the newest time of storage: at the end of a recording its inputs do not become stale. */
  #newestStored(now: number): number {
    const { telemetry, agent } = this.#state;
    const newest = Math.max(...[this.#frame, telemetry, agent].map((one) => one?.storedAt ?? 0));
    return newest > 0 ? newest : now;
  }

  /** Begin another run: nothing of it was seen yet. */
  #begin(world: string): void {
    const before = this.#world;
    this.#world = world;
    if (before === "" && world === this.#frame?.run) return;
    if (this.#frame?.run !== world) this.#frame = null;
    this.#clearRun();
  }

  #clearRun(): void {
    this.trails.clear();
    this.#readings = [];
  }

  #runShown(): string {
    return this.#world || (this.#frame?.run ?? "");
  }

  #beginTime(): number {
    const description = this.#state.description?.value ?? null;
    const isOf = description?.run_id === this.#frame?.run;
    return beginOf(this.#frame, this.#frame === null || isOf ? description : null);
  }

  #read(telemetry: StoredTelemetry): void {
    const newest = this.#readings.at(-1)?.telemetry.ts_unix_ms ?? -Infinity;
    const time = telemetry.value.ts_unix_ms; // Paused, the same comes again.
    if (Number.isNaN(this.#beginTime()) || time < newest) return;
    const oldest = time - SPAN_MS;
    const kept = this.#readings
      .filter((one) => one.telemetry.ts_unix_ms >= oldest && one.telemetry.ts_unix_ms < time)
      .slice(1 - MOST);
    this.#readings = [...kept, readingOf(telemetry.value, this.#beginTime(), this.#stock.nearest)];
  }

  #record(message: StoredMessage): void {
    const record = readAudit(message);
    if (record === null) return;
    this.#stock.chain.take(record);
    this.#audit = record.sequence;
  }

  #placeOf(run: string, number: number): number {
    const anchor = this.#anchor;
    if (anchor !== null && anchor.run === run) return Math.max(1, anchor.sequence + number - anchor.number);
    const before = this.#frame?.sequence ?? anchor?.sequence ?? 0;
    return before + 1;
  }
}

/** Return the things of two lists by their sequence, each once. */
function merged<T extends { readonly sequence: number }>(known: readonly T[], added: readonly T[]): readonly T[] {
  const all = new Map([...known, ...added].map((one) => [one.sequence, one]));
  return [...all.values()].sort((one, other) => one.sequence - other.sequence);
}
