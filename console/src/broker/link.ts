/** The connection to a broker: as the viewer, or as an operator for a while. It never gives up. */

import { wsconnect, type NatsConnection } from "@nats-io/nats-core";
import { signal, type ReadonlySignal } from "@preact/signals";
import type { LinkState } from "../run/view.ts";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 2000;
/** Two pings without an answer: a dead broker is noticed after three intervals. */
const PING_MS = 1500;
const OPEN_WITHIN_MS = 5000;
/** A user that was just made may not be known to the broker yet. */
const REFUSALS = 3;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly until: number;
}

/** Opens connections one after the other; the listeners make their subscriptions on each. */
export class Link {
  readonly #state = signal<LinkState>({ state: "connecting", who: "viewer", since: null, reason: "", until: null });
  readonly #url: string;
  readonly #openers: ((connection: NatsConnection) => void)[] = [];
  #credentials: Credentials | null = null;
  #connection: NatsConnection | null = null;
  #begun = false;
  #refusals = 0;
  #expiry: ReturnType<typeof setTimeout> | undefined;
  #wake: () => void = () => undefined;
  #settled: (refusal: string) => void = () => undefined;

  constructor(url: string) {
    this.#url = url;
  }

  get state(): ReadonlySignal<LinkState> {
    return this.#state;
  }

  /** The open connection; null while there is none. */
  get connection(): NatsConnection | null {
    return this.#connection;
  }

  /** Call a function for each new connection. It must not throw. */
  onOpen(opener: (connection: NatsConnection) => void): void {
    this.#openers.push(opener);
  }

  start(): void {
    if (this.#begun) return;
    this.#begun = true;
    void this.#run();
  }

  /**
   * Connect as a user until a time, Unix milliseconds. Never throws.
   *
   * @returns why the broker refuses him; empty once he is connected, or others took his place
   */
  withCredentials(user: string, password: string, until: number): Promise<string> {
    this.#settled("");
    this.#credentials = { user, password, until };
    this.#refusals = 0;
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(() => this.#forget(), Math.min(Math.max(until - Date.now(), 0), LONGEST_TIMER_MS));
    const settled = new Promise<string>((resolve) => (this.#settled = resolve));
    this.#again();
    return settled;
  }

  /** Be the viewer again. */
  #forget(): void {
    this.#settled("");
    this.#credentials = null;
    clearTimeout(this.#expiry);
    this.#again();
  }

  /** Connect again at once. */
  #again(): void {
    const old = this.#connection;
    this.#wake();
    void old?.close();
  }

  async #run(): Promise<void> {
    for (let wait = FIRST_WAIT_MS; ; ) {
      const credentials = this.#credentials;
      const isUsed = await this.#try(credentials);
      const isSame = credentials === this.#credentials;
      if (isUsed || !isSame) wait = FIRST_WAIT_MS;
      if (!isSame) continue;
      await this.#pause(wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  }

  /** Connect, and serve the connection until it ends; return whether there was one. */
  async #try(credentials: Credentials | null): Promise<boolean> {
    try {
      const connection = await connect(this.#url, credentials);
      if (credentials === this.#credentials) await this.#use(connection, credentials);
      else void connection.close();
      return true;
    } catch (error) {
      this.#lost(words(error));
      if (credentials !== null && credentials === this.#credentials && isRefusal(error)) this.#refused(words(error));
      return false;
    }
  }

  /** Serve a connection until it ends. */
  async #use(connection: NatsConnection, credentials: Credentials | null): Promise<void> {
    this.#connection = connection;
    this.#refusals = 0;
    const who = credentials === null ? "viewer" : "operator";
    this.#state.value = { state: "open", who, since: null, reason: "", until: credentials?.until ?? null };
    for (const opener of this.#openers) opener(connection);
    if (credentials !== null) this.#settled("");
    const reason = await ended(connection);
    this.#connection = null;
    void connection.close();
    if (credentials === this.#credentials) this.#lost(reason);
    else this.#state.value = { ...this.#state.value, state: "connecting" };
  }

  #lost(reason: string): void {
    const before = this.#state.value;
    const since = before.state === "lost" ? before.since : Date.now();
    this.#state.value = { ...before, state: "lost", since, reason };
  }

  #refused(reason: string): void {
    if (++this.#refusals < REFUSALS) return;
    this.#credentials = null;
    clearTimeout(this.#expiry);
    this.#state.value = { ...this.#state.value, who: "viewer", until: null };
    this.#settled(reason);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Open one connection. The library's reconnecting is off: it keeps its user, and waits for a dead socket to close. */
async function connect(url: string, credentials: Credentials | null): Promise<NatsConnection> {
  const attempt = wsconnect({
    servers: url,
    name: "operator-page",
    reconnect: false,
    pingInterval: PING_MS,
    maxPingOut: 2,
    timeout: OPEN_WITHIN_MS,
    noAsyncTraces: true,
    ...(credentials && { user: credentials.user, pass: credentials.password }),
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer from ${url}`)), OPEN_WITHIN_MS + 500);
  });
  try {
    return await Promise.race([attempt, late]);
  } catch (error) {
    attempt.then((connection) => connection.close()).catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Wait until a connection ends or no longer answers, and return why. */
async function ended(connection: NatsConnection): Promise<string> {
  const closed = connection.closed().then((error) => (error ? words(error) : "the connection was closed"));
  return await Promise.race([closed, silence(connection)]);
}

async function silence(connection: NatsConnection): Promise<string> {
  for await (const status of connection.status()) {
    if (status.type === "staleConnection") return "the broker does not answer";
    if (status.type === "disconnect") return "the connection broke";
  }
  return "the connection was closed";
}

function isRefusal(error: unknown): boolean {
  return /authoriz|authentic|expired/i.test(words(error));
}

function words(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text && text !== "undefined" ? text : "no connection to the broker";
}
