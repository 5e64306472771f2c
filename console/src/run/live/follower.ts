/** Keeps the live moment up with the streams: what comes, what came before, and what is stored at all. */

import type { NatsConnection } from "@nats-io/nats-core";
import { rawOf, type Raw } from "../../broker/head.ts";
import type { Link } from "../../broker/link.ts";
import type { StoredMessage } from "../../broker/past.ts";
import { Tail } from "../../broker/tail.ts";
import {
  AGENT_STATE,
  EVENTS,
  EVENTS_STREAM,
  FRAMES,
  HEALTH,
  ORDERS,
  RUNS,
  STATE_STREAM,
  TELEMETRY,
  TRACKED,
  TRACKER_STREAM,
  TRACKS,
} from "../../wire/topics.ts";
import type { Assembler } from "./assembler.ts";
import type { RunClock } from "../clock.ts";
import type { Live } from "./live.ts";
import { storedNotice, type StoredNotice } from "../stored/notices.ts";
import { ordersOf, placesOf } from "../stored/orders.ts";
import { periodOf } from "../stored/readings.ts";
import { STATE_SUBJECTS } from "./state.ts";
import type { Stock } from "../stored/stock.ts";

const REFRESH_MS = 1000;
/** Messages that are read back at first: the audit records among them begin the chain. */
const EVENTS_BACK = 100;
const WAKING = [TELEMETRY, AGENT_STATE, RUNS, ORDERS, HEALTH];

export interface FollowerParts {
  readonly link: Link;
  readonly stock: Stock;
  readonly live: Live;
  readonly assembler: Assembler;
  readonly clock: RunClock;
  /** Something is to be shown. */
  readonly ask: () => void;
  /** The streams were made again: past moments are gone. */
  readonly forget: () => void;
  /** The connection is there again, and what is stored is known. */
  readonly ready: () => void;
}

export class Follower {
  readonly #parts: FollowerParts;
  readonly #states: Tail;
  readonly #events: Tail;
  #offset = 0;
  #created = "";
  #isCaughtUp = false;
  #isFilled = false;
  #isRefreshing = false;

  constructor(parts: FollowerParts) {
    const { stock, live, ask } = (this.#parts = parts);
    const restart = (): void => undefined; // The tracker's stream tells it (#restart).
    const takeStates = (messages: readonly StoredMessage[]): void => {
      stock.telemetry.push(this.#takeState(messages), ...reach(messages));
      const orders = ordersOf(messages);
      stock.orders.push(orders, ...reach(messages));
      live.addOrders(orders);
      ask();
    };
    const takeEvents = (messages: readonly StoredMessage[]): void => {
      stock.events.push(live.takeEvents(messages), ...reach(messages));
      ask();
    };
    this.#states = new Tail(stock.past, STATE_STREAM, { take: takeStates, restart });
    this.#events = new Tail(stock.past, EVENTS_STREAM, { take: takeEvents, restart });
  }

  /** Follow each connection. */
  start(): void {
    this.#parts.link.onOpen((connection) => this.#open(connection));
    setInterval(() => {
      this.#refreshAgain();
      this.#parts.ask(); // Ages grow, also while nothing comes.
    }, REFRESH_MS);
  }

  /** Return the broker's time now, Unix milliseconds. */
  now(): number {
    return Date.now() + this.#offset;
  }

  /** Subscribe on a new connection, and catch up. */
  #open(connection: NatsConnection): void {
    const { assembler, ask } = this.#parts;
    const follow = (subject: string, take: (raw: Raw) => void): void => {
      connection.subscribe(subject, { callback: (error, message) => (error ? undefined : take(rawOf(message))) });
    };
    follow(TRACKS, (raw) => assembler.track(raw));
    follow(FRAMES, (raw) => assembler.frame(raw));
    follow(TRACKED, (raw) => {
      assembler.notice(raw);
      ask();
    });
    for (const subject of WAKING) follow(subject, () => this.#states.wake());
    follow(EVENTS, () => this.#events.wake());
    this.#isCaughtUp = this.#isRefreshing = false;
    this.#refreshAgain();
  }

  /** Show what is stored, the visible parts first. */
  async #catchUp(): Promise<void> {
    await Promise.all([this.#readState(), this.#refresh(true)]);
    await this.#events.follow(EVENTS_BACK);
    this.#isCaughtUp = true;
    this.#parts.ready();
  }

  async #readState(): Promise<void> {
    const { messages } = await this.#parts.stock.past.get(STATE_STREAM, { multi_last: STATE_SUBJECTS });
    this.#takeState(messages);
    await this.#states.follow(0);
  }

  #takeState(messages: readonly StoredMessage[]): ReturnType<Live["takeState"]> {
    const { live, assembler } = this.#parts;
    const telemetry = live.takeState(messages);
    assembler.setWorld(live.world);
    return telemetry;
  }

  #refreshAgain(): void {
    if (this.#isRefreshing || this.#parts.link.connection === null) return;
    this.#isRefreshing = true;
    const work = this.#isCaughtUp ? this.#refresh(false) : this.#catchUp();
    void work
      .then(() => void this.#fill().catch(ignore), ignore)
      .finally(() => (this.#isRefreshing = false));
  }

  /** Look up the stored frames, and where the newest one is. */
  async #refresh(isFirst: boolean): Promise<void> {
    const { stock, clock, live, ask } = this.#parts;
    const [state, message] = await Promise.all([
      stock.past.info(TRACKER_STREAM),
      stock.past.one(TRACKER_STREAM, { last_by_subj: TRACKED }),
    ]);
    this.#offset = state.offset;
    if (this.#created !== state.created) await this.#restart(state.created);
    const newest = message && storedNotice(message);
    if (newest === null || state.last < state.first) clock.setSpan(null);
    else {
      live.setAnchor(newest);
      await this.#seed(newest, isFirst);
      await this.#span(state.first, newest);
    }
    if (!isFirst) await Promise.all([this.#states.follow(0), this.#events.follow(EVENTS_BACK)]);
    ask();
  }

  async #span(oldest: number, newest: StoredNotice): Promise<void> {
    const { stock, clock, live } = this.#parts;
    await stock.runs.locate(oldest);
    stock.runs.note(newest.run, newest.sequence);
    const { frame } = live;
    if (frame !== null) stock.runs.note(frame.run, frame.sequence);
    const span = { oldest, newest: newest.sequence, runs: stock.runs.list(oldest) };
    const known = {
      describe: (run: string) => stock.runs.describe(run),
      numberAt: (place: number) => stock.notices.known(place)?.number ?? null,
    };
    clock.setSpan({ ...span, orders: placesOf(live.orders, span, known) });
  }

  /** The streams were made: forget what the ones before had. */
  async #restart(created: string): Promise<void> {
    const { stock, live, assembler, clock, forget } = this.#parts;
    const isAgain = this.#created !== "";
    this.#created = created;
    if (isAgain) {
      for (const one of [stock, live, assembler]) one.clear();
      forget();
      clock.setSpan(null);
      this.#isFilled = false;
    }
    await stock.runs.read();
    if (isAgain) await this.#readState();
  }

  /** Show the newest stored frame, where no newer one came. */
  async #seed(newest: StoredNotice, isFirst: boolean): Promise<void> {
    const { stock, live, assembler, ask } = this.#parts;
    const { frame, world } = live;
    if (frame !== null && !isFirst) return;
    const isKnown = frame !== null && frame.run === newest.run && frame.number >= newest.number;
    if (isKnown || (world !== "" && world !== newest.run)) return;
    const read = await stock.reader.read(newest, await stock.notices.at(newest.sequence - 1));
    if (live.frame !== frame) return;
    live.seed(read);
    assembler.goOnFrom(read.run, read.number);
    ask();
  }

  /** Read what is behind the live moment, once. */
  async #fill(): Promise<void> {
    if (this.#isFilled) return;
    this.#isFilled = true;
    await Promise.all([this.#fillTrails(), this.#fillEvents(), this.#fillOrders(), this.#fillReadings()]);
    await this.#fillNearest();
  }

  async #fillTrails(): Promise<void> {
    const { stock, live, ask } = this.#parts;
    const { frame } = live;
    if (frame !== null) await stock.lookback.trails(live.trails, frame, this.#period(), this.#whileOf(frame.run));
    ask();
  }

  async #fillNearest(): Promise<void> {
    const { stock, live, ask } = this.#parts;
    const { frame, readings } = live;
    if (frame !== null) await stock.lookback.nearest(readings, frame, this.#period(), this.#whileOf(frame.run));
    live.refreshReadings();
    ask();
  }

  #period(): number {
    return periodOf(this.#parts.live.state.description?.value ?? null);
  }

  /** Return what says whether a run is still shown. */
  #whileOf(run: string): () => boolean {
    return () => this.#parts.live.frame?.run === run;
  }

  async #fillEvents(): Promise<void> {
    const { stock, live, ask } = this.#parts;
    const { last } = await stock.past.info(EVENTS_STREAM);
    live.addEvents(await stock.events.read(last));
    ask();
  }

  async #fillOrders(): Promise<void> {
    const { stock, live, ask } = this.#parts;
    const { last } = await stock.past.info(STATE_STREAM);
    live.addOrders(await stock.orders.read(last));
    ask();
  }

  async #fillReadings(): Promise<void> {
    const { stock, live, ask } = this.#parts;
    const { last } = await stock.past.info(STATE_STREAM);
    live.addReadings(await stock.telemetry.read(last));
    ask();
  }
}

/** Return the first and last sequence of messages that follow each other. */
function reach(messages: readonly StoredMessage[]): [number, number] {
  return [messages[0]?.sequence ?? 0, messages.at(-1)?.sequence ?? 0];
}

function ignore(): void {
  // The connection was lost: the next one catches up.
}
