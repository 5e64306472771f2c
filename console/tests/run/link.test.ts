import { beforeEach, describe, expect, test, vi } from "vitest";

/** A connection of the library, whose end the test decides. */
class Connection {
  close = vi.fn(async () => this.end());
  #end: (error?: Error) => void = () => undefined;
  #status: (status: { type: string }) => void = () => undefined;
  readonly #closed = new Promise<Error | void>((resolve) => (this.#end = resolve));
  readonly #first = new Promise<{ type: string }>((resolve) => (this.#status = resolve));

  closed(): Promise<Error | void> {
    return this.#closed;
  }
  async *status(): AsyncGenerator<{ type: string }> {
    yield await this.#first;
    await new Promise(() => undefined);
  }
  end(error?: Error): void {
    this.#end(error);
  }
  silent(): void {
    this.#status({ type: "staleConnection" });
  }
}

const wsconnect = vi.hoisted(() => vi.fn());
vi.mock("@nats-io/nats-core", () => ({ wsconnect }));

const { Link } = await import("../../src/broker/link.ts");

let connections: Connection[];
let link: InstanceType<typeof Link>;
let fails: ((options: { user?: string }) => Error | null) | null;

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(0);
  connections = [];
  fails = null;
  wsconnect.mockReset().mockImplementation(async (options: { user?: string }) => {
    const error = fails?.(options) ?? null;
    if (error) throw error;
    const connection = new Connection();
    connections.push(connection);
    return connection;
  });
  link = new Link("ws://broker");
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const state = () => link.state.value;
const users = () => wsconnect.mock.calls.map(([{ user }]) => (user as string | undefined) ?? "viewer");

async function start(): Promise<void> {
  link.start();
  await pass(0);
}

describe("a link", () => {
  test("is open as the viewer, and its listeners know each connection", async () => {
    const opened: unknown[] = [];
    link.onOpen((connection) => opened.push(connection));
    await start();
    expect(state()).toEqual({ state: "open", who: "viewer", since: null, reason: "", until: null });
    connections[0]?.end();
    await pass(3000);
    expect(opened).toEqual(connections);
    expect(opened).toHaveLength(2);
  });

  test("says since when it is lost and why, and tries for ever, at least every two seconds", async () => {
    await start();
    await pass(1000);
    fails = () => new Error("refused");
    connections[0]?.end(new Error("broken"));
    await pass(0);
    expect(state()).toMatchObject({ state: "lost", since: 1000, reason: "broken" });
    expect(link.connection).toBeNull();
    await pass(3_600_000);
    expect(wsconnect.mock.calls.length).toBeGreaterThan(1700);
    expect(state()).toMatchObject({ state: "lost", since: 1000, reason: "refused" });
    fails = null;
    await pass(2000);
    expect(state()).toMatchObject({ state: "open", since: null, reason: "" });
    const tried = wsconnect.mock.calls.length;
    connections[1]?.end();
    await pass(250);
    expect(wsconnect.mock.calls.length).toBe(tried + 1);
  });

  test("begins again with a short wait", async () => {
    await start();
    connections[0]?.end();
    await pass(249);
    expect(connections).toHaveLength(1);
    await pass(1);
    expect(connections).toHaveLength(2);
  });

  test("leaves a broker that does not answer, without waiting for the socket", async () => {
    await start();
    connections[0]?.close.mockImplementation(() => new Promise(() => undefined));
    connections[0]?.silent();
    await pass(0);
    expect(state()).toMatchObject({ state: "lost", reason: "the broker does not answer" });
    await pass(250);
    expect(state().state).toBe("open");
  });

  test("gives up a connection that never opens", async () => {
    wsconnect.mockImplementationOnce(() => new Promise(() => undefined));
    await start();
    await pass(6000);
    expect(state().state).toBe("open");
  });
});

describe("an operator", () => {
  test("is connected at once, until his time", async () => {
    await start();
    const done = vi.fn();
    void link.withCredentials("page-1", "secret", 60_000).then(done);
    await pass(0);
    expect(done).toHaveBeenCalledWith("");
    expect(state()).toMatchObject({ state: "open", who: "operator", until: 60_000 });
    expect(connections[0]?.close).toHaveBeenCalled();
    connections[1]?.end();
    await pass(1000);
    expect(state().who).toBe("operator");
    await pass(59_000);
    expect(state()).toMatchObject({ state: "open", who: "viewer", until: null });
    expect(users()).toEqual(["viewer", "page-1", "page-1", "viewer"]);
  });

  test("who is refused is the viewer again", async () => {
    await start();
    fails = ({ user }) => (user ? new Error("Authorization Violation") : null);
    const done = vi.fn();
    void link.withCredentials("page-1", "wrong", 60_000).then(done);
    await pass(0);
    expect(state()).toMatchObject({ state: "lost", who: "viewer", reason: "Authorization Violation" });
    expect(done).not.toHaveBeenCalled();
    await pass(1000);
    expect(done).toHaveBeenCalledWith("Authorization Violation");
    expect(state()).toMatchObject({ state: "open", who: "viewer" });
    expect(users()).toEqual(["viewer", "page-1", "page-1", "page-1", "viewer"]);
  });

  test("whom another one replaces, or whose time ends, before the broker answers is not said to be refused", async () => {
    wsconnect.mockImplementation(() => new Promise(() => undefined));
    await start();
    const [first, second] = [vi.fn(), vi.fn()];
    void link.withCredentials("page-1", "secret", 60_000).then(first);
    void link.withCredentials("page-2", "secret", 2_000).then(second);
    await pass(0);
    expect([first.mock.calls, second.mock.calls]).toEqual([[[""]], []]);
    await pass(2_000);
    expect(second.mock.calls).toEqual([[""]]);
  });

  test("whom the broker comes to know a little later is connected", async () => {
    await start();
    fails = ({ user }) => (user ? new Error("Authorization Violation") : null);
    void link.withCredentials("page-1", "secret", 60_000);
    await pass(100);
    fails = null;
    await pass(400);
    expect(state()).toMatchObject({ state: "open", who: "operator" });
  });

  test("stays one while the broker is away", async () => {
    await start();
    void link.withCredentials("page-1", "secret", 60_000);
    await pass(0);
    fails = () => new Error("connection refused");
    connections[1]?.end();
    await pass(10_000);
    expect(state()).toMatchObject({ state: "lost", who: "operator" });
    fails = null;
    await pass(2000);
    expect(state()).toMatchObject({ state: "open", who: "operator" });
  });

  test("may come before the link begins", async () => {
    void link.withCredentials("page-1", "secret", 60_000);
    await start();
    expect(state().who).toBe("operator");
    expect(users()).toEqual(["page-1"]);
  });
});
