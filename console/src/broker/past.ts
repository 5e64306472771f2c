/** Stored messages, by DIRECT.GET: the one way of a viewer to them. */

import { createInbox, type Msg, type NatsConnection } from "@nats-io/nats-core";
import { count, description, lastHeader, rawOf, status, text, type Raw } from "./head.ts";
import type { Link } from "./link.ts";

const WITHIN_MS = 5000;
const NO_RESPONDERS = 503;
const END_OF_BATCH = 204;
const MISSING = 404;

/** A message of a stream. */
export interface StoredMessage extends Raw {
  readonly sequence: number;
  /** Time of its storing, as the broker writes it, to the nanosecond. */
  readonly stamp: string;
  /** The same, Unix milliseconds. */
  readonly storedAt: number;
}

/** The answer to a request. */
export interface Batch {
  readonly messages: readonly StoredMessage[];
  /** Matching messages behind the last one. */
  readonly pending: number;
  /** With `up_to_time`: sequence of the last message before it, of any subject; 0 where the broker does not say. */
  readonly upTo: number;
}

/** A request for stored messages (NATS ADR-31). */
export interface Query {
  readonly seq?: number;
  readonly start_time?: string;
  readonly next_by_subj?: string;
  readonly last_by_subj?: string;
  readonly multi_last?: readonly string[];
  readonly up_to_time?: string;
  readonly batch?: number;
}

/** State of a stream. `created` differs once it was deleted and made again. */
export interface StreamState {
  readonly created: string;
  readonly first: number;
  readonly last: number;
  readonly subjects: readonly string[];
  /** The broker's time then, less this machine's [ms]. */
  readonly offset: number;
}

interface Waiting {
  readonly take: (raw: Raw) => void;
  readonly fail: (error: Error) => void;
}

/** Requests on one link. They fail when it is lost. */
export class Past {
  readonly #link: Link;
  readonly #waiting = new Map<string, Waiting>();
  #inbox = "";
  #number = 0;

  constructor(link: Link) {
    this.#link = link;
    link.onOpen((connection) => this.#open(connection));
  }

  /** Return the messages that a query asks for; none if there are none. */
  get(stream: string, query: Query): Promise<Batch> {
    const isBatch = query.batch !== undefined || query.multi_last !== undefined;
    return this.#ask(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(query), isBatch ? collect : collectOne);
  }

  /** Return the one message that a query asks for; null without it. */
  async one(stream: string, query: Query): Promise<StoredMessage | null> {
    return (await this.get(stream, query)).messages[0] ?? null;
  }

  /** Return the state of a stream, with its subjects that match a pattern. */
  async info(stream: string, subjects = ""): Promise<StreamState> {
    const sent = Date.now();
    const body = subjects ? JSON.stringify({ subjects_filter: subjects }) : "";
    const answer = await this.#ask(`$JS.API.STREAM.INFO.${stream}`, body, single);
    return streamState(answer, (sent + Date.now()) / 2);
  }

  #open(connection: NatsConnection): void {
    this.#inbox = createInbox();
    for (const waiting of [...this.#waiting.values()]) waiting.fail(new Error("the connection was lost"));
    connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => (error ? undefined : this.#dispatch(message)),
    });
  }

  #dispatch(message: Msg): void {
    const raw = rawOf(message);
    this.#waiting.get(raw.subject.slice(this.#inbox.length + 1))?.take(raw);
  }

  #ask<T>(subject: string, body: string, reader: Reader<T>): Promise<T> {
    const connection = this.#link.connection;
    if (connection === null) return Promise.reject(new Error("no connection"));
    const id = String(++this.#number);
    return new Promise<T>((resolve, reject) => {
      const messages: StoredMessage[] = [];
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
      };
      const fail = (error: Error): void => {
        settle();
        reject(error);
      };
      const late = (): void => fail(new Error(`${subject}: no answer in ${WITHIN_MS / 1000} s`));
      let timer = setTimeout(late, WITHIN_MS);
      const take = (raw: Raw): void => {
        clearTimeout(timer);
        timer = setTimeout(late, WITHIN_MS);
        try {
          const answer = reader(raw, messages);
          if (answer === undefined) return;
          settle();
          resolve(answer);
        } catch (error) {
          fail(error instanceof Error ? error : new Error(String(error)));
        }
      };
      this.#waiting.set(id, { take, fail });
      connection.publish(subject, body, { reply: `${this.#inbox}.${id}` });
    });
  }
}

/** A reader of replies: it returns the answer once it is complete, else undefined. */
type Reader<T> = (raw: Raw, messages: StoredMessage[]) => T | undefined;

/** Collect the messages of a batch, up to its end mark. */
function collect(raw: Raw, messages: StoredMessage[]): Batch | undefined {
  const code = status(raw.head);
  if (code === END_OF_BATCH || code === MISSING) {
    return { messages, pending: orZero(raw.head, "Nats-Num-Pending"), upTo: orZero(raw.head, "Nats-UpTo-Sequence") };
  }
  if (code === NO_RESPONDERS) throw new Error("no such stream");
  if (code >= 300) throw new Error(`${code} ${description(raw.head)}`);
  const message = storedMessage(raw);
  if (message !== null) messages.push(message);
  return undefined;
}

/** Take the answer without a batch: it has no end mark. */
function collectOne(raw: Raw, messages: StoredMessage[]): Batch {
  return collect(raw, messages) ?? { messages, pending: 0, upTo: 0 };
}

function single(raw: Raw): string | undefined {
  if (status(raw.head) === NO_RESPONDERS) throw new Error("no such stream");
  return text(raw.body);
}

function orZero(head: string, name: string): number {
  return count(head, name, lastHeader) || 0;
}

/** Return a reply with its place; null if it says none. */
function storedMessage(raw: Raw): StoredMessage | null {
  const sequence = count(raw.head, "Nats-Sequence", lastHeader);
  const stamp = lastHeader(raw.head, "Nats-Time-Stamp");
  const storedAt = milliseconds(stamp);
  if (Number.isNaN(sequence) || Number.isNaN(storedAt)) return null;
  return { ...raw, subject: lastHeader(raw.head, "Nats-Subject"), sequence, stamp, storedAt };
}

/** Return a time of RFC 3339 as Unix milliseconds with their fraction; NaN for another text. */
export function milliseconds(stamp: string): number {
  const [, seconds, fraction = ""] = /^(.{19})(?:\.(\d+))?Z$/.exec(stamp) ?? [];
  return Date.parse(`${seconds}Z`) + Number(`0.${fraction || 0}`) * 1000;
}

interface Info {
  readonly created?: string;
  readonly ts?: string;
  readonly state?: {
    readonly first_seq?: number;
    readonly last_seq?: number;
    readonly subjects?: Readonly<Record<string, number>>;
  };
  readonly error?: { readonly description?: string };
}

function streamState(answer: string, asked: number): StreamState {
  const info = JSON.parse(answer) as Info;
  if (info.state === undefined) throw new Error(info.error?.description ?? "no such stream");
  const now = milliseconds(info.ts ?? "");
  return {
    created: info.created ?? "",
    first: info.state.first_seq ?? 0,
    last: info.state.last_seq ?? 0,
    subjects: Object.keys(info.state.subjects ?? {}),
    offset: Number.isNaN(now) ? 0 : now - asked,
  };
}
