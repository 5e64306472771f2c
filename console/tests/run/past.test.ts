import type { NatsConnection } from "@nats-io/nats-core";
import { beforeEach, describe, expect, test, vi } from "vitest";

vi.mock("@nats-io/nats-core", () => ({ createInbox: () => "_INBOX.page" }));
const { Past } = await import("../../src/broker/past.ts");

type Callback = (error: Error | null, message: unknown) => void;
type Asked = { subject: string; body: string; reply: string };

let past: InstanceType<typeof Past>;
let asked: Asked[];
let answer: Callback;
let open: () => void;
let connection: NatsConnection | null;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  connection = null;
  const openers: ((connection: NatsConnection) => void)[] = [];
  const link = {
    onOpen: (opener: (connection: NatsConnection) => void) => openers.push(opener),
    get connection() {
      return connection;
    },
  };
  past = new Past(link as never);
  open = () => {
    connection = {
      subscribe: (_: string, { callback }: { callback: Callback }) => (answer = callback),
      publish: (subject: string, body: string, { reply }: { reply: string }) => asked.push({ subject, body, reply }),
    } as unknown as NatsConnection;
    for (const opener of openers) opener(connection);
  };
});

function reply(to: Asked | undefined, head: string, body = ""): void {
  const block = new TextEncoder().encode(`${head}\r\n\r\n`);
  const data = new TextEncoder().encode(body);
  answer(null, { subject: to?.reply, data, _msg: { hdr: block.length }, _rdata: new Uint8Array([...block, ...data]) });
}

const place = (sequence: number, more = "") =>
  `NATS/1.0\r\n${more}Nats-Stream: S\r\nNats-Subject: a.b\r\nNats-Sequence: ${sequence}\r\n` +
  "Nats-Time-Stamp: 2026-12-01T12:00:00.123456789Z\r\nNats-Num-Pending: 1\r\nNats-Last-Sequence: 0";

describe("a request", () => {
  test("of a batch is answered by messages up to the end mark", async () => {
    open();
    const found = past.get("S", { seq: 3, next_by_subj: "a.b", batch: 2 });
    expect(asked[0]).toMatchObject({ subject: "$JS.API.DIRECT.GET.S", reply: "_INBOX.page.1" });
    expect(JSON.parse(asked[0]?.body ?? "")).toEqual({ seq: 3, next_by_subj: "a.b", batch: 2 });
    reply(asked[0], place(3), "x");
    reply(asked[0], place(4), "y");
    reply(asked[0], "NATS/1.0 204 EOB\r\nNats-Num-Pending: 7\r\nNats-Last-Sequence: 4\r\nNats-UpTo-Sequence: 9");
    const { messages, pending, upTo } = await found;
    expect(messages.map(({ sequence, subject }) => [sequence, subject])).toEqual([[3, "a.b"], [4, "a.b"]]);
    expect([pending, upTo]).toEqual([7, 9]);
    expect(messages[0]?.storedAt).toBeCloseTo(Date.parse("2026-12-01T12:00:00.123Z") + 0.457, 3);
  });

  test("without a batch is answered by its message", async () => {
    open();
    const found = past.one("S", { seq: 3 });
    reply(asked[0], place(3), "x");
    expect((await found)?.sequence).toBe(3);
  });

  test("for what is not there is answered by nothing", async () => {
    open();
    const found = Promise.all([past.get("S", { seq: 3, batch: 5 }), past.one("S", { seq: 3 })]);
    for (const one of asked) reply(one, "NATS/1.0 404 Message Not Found");
    expect(await found).toEqual([{ messages: [], pending: 0, upTo: 0 }, null]);
  });

  test("is not deceived by headers that a message brings along", async () => {
    open();
    const found = past.one("S", { seq: 3 });
    reply(asked[0], place(3, "Nats-Sequence: 99\r\nNats-Subject: forged\r\nNats-Num-Pending: 5\r\n"), "x");
    expect(await found).toMatchObject({ sequence: 3, subject: "a.b" });
  });

  test("fails with the broker's reason", async () => {
    open();
    const found = past.get("S", { batch: 1 });
    reply(asked[0], "NATS/1.0 413 Too Many Results");
    await expect(found).rejects.toThrow("413 Too Many Results");
    const none = past.get("S", { batch: 1 });
    reply(asked[1], "NATS/1.0 503");
    await expect(none).rejects.toThrow("no such stream");
  });

  test("fails without an answer, without a connection, and when that is lost", async () => {
    await expect(past.get("S", {})).rejects.toThrow("no connection");
    open();
    const late = past.get("S", { batch: 9 });
    const caught = expect(late).rejects.toThrow("no answer in 5 s");
    await vi.advanceTimersByTimeAsync(4000);
    reply(asked[0], place(3));
    await vi.advanceTimersByTimeAsync(4999);
    reply(asked[0], place(4));
    await vi.advanceTimersByTimeAsync(5001);
    await caught;
    const lost = past.get("S", { batch: 9 });
    open();
    await expect(lost).rejects.toThrow("the connection was lost");
  });
});

test("a stream's state has its sequences, subjects, and the broker's time", async () => {
  vi.setSystemTime(Date.parse("2026-12-01T12:00:00Z"));
  open();
  const found = past.info("S", "a.>");
  expect(JSON.parse(asked[0]?.body ?? "")).toEqual({ subjects_filter: "a.>" });
  const state = { first_seq: 5, last_seq: 9, subjects: { "a.b": 3 } };
  const info = { created: "then", ts: "2026-12-01T12:00:07Z", state };
  reply(asked[0], "", JSON.stringify(info));
  expect(await found).toEqual({ created: "then", first: 5, last: 9, subjects: ["a.b"], offset: 7000 });
  const none = past.info("S");
  reply(asked[1], "", JSON.stringify({ error: { code: 404, description: "stream not found" } }));
  await expect(none).rejects.toThrow("stream not found");
});
