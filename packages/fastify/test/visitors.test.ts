/** A request costs what it uses: a visitor's session is made when it is asked for, and a listener when something may change. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { expect, test } from "vitest";
import { appWith, counting, exchange, listen } from "./harness.ts";

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

/** How many listen for the end of a response when its handler is done. */
async function listeners(handler: Handler, { isVisitor = false } = {}): Promise<number> {
  const app = await appWith();
  let count = -1;
  app.get("/", async (request, reply) => {
    await handler(request, reply);
    count = reply.raw.listenerCount("close");
    return "done";
  });
  const port = await listen(app);
  const { cookie } = await exchange(port, "/login/ann", { method: "POST" });
  await exchange(port, "/", isVisitor ? {} : { cookie });
  return count;
}

test("nobody listens for the end of a response where nothing is to be written", async () => {
  const without = await listeners(() => {}, { isVisitor: true });
  expect(await listeners(({ session }) => session.n, { isVisitor: true })).toBe(without);
  expect(await listeners(({ session }) => [session.principal, session.n])).toBe(without);
  const write: Handler = ({ session }) => {
    session.n = 1;
    session.cart = [];
  };
  expect(await listeners(write)).toBe(without + 1);
  expect(await listeners(write, { isVisitor: true })).toBe(without + 1);
});

test("a visitor whose session nobody asks for gets the answer as it is", async () => {
  const { store, calls } = counting();
  const app = await appWith({ store });
  app.get("/", () => "hello");
  const port = await listen(app);
  calls.length = 0;
  const { headers, body } = await exchange(port, "/", { cookie: "theme=dark" });
  expect(body).toBe("hello");
  expect(headers).not.toHaveProperty("vary");
  expect(headers).not.toHaveProperty("set-cookie");
  expect(calls).toEqual([]);
});

test("a visitor's session that is asked for in a hook, or late, is one and the same", async () => {
  const app = await appWith();
  app.addHook("preHandler", async (request) => void (request.session.n = 1));
  app.get("/", async ({ session }) => ({ n: session.n, isNew: session.isNew }));
  const port = await listen(app);
  const { cookie, body } = await exchange(port, "/");
  expect(JSON.parse(body)).toEqual({ n: 1, isNew: true });
  expect(JSON.parse((await exchange(port, "/", { cookie })).body)).toEqual({ n: 1, isNew: false });
});

test("what another site sent as our cookie is judged, whether the session is asked for or not", async () => {
  const app = await appWith();
  app.get("/", () => "hello");
  const rejected: unknown[] = [];
  app.sessions.on("cookie-rejected", ({ reason }) => rejected.push(reason));
  const port = await listen(app);
  await exchange(port, "/", { cookie: "sid=forged" });
  expect(rejected).toEqual(["malformed"]);
});

test("a hijacked reply counts as a use, and what it changes is written when it is over", async () => {
  let now = Date.now();
  const { store, calls } = counting();
  const clock = { now: () => now };
  const app = await appWith({ store: Object.assign(store, { clock }) });
  app.get("/raw", (request, reply) => {
    reply.hijack();
    reply.raw.end(String(request.session.principal));
  });
  const port = await listen(app);
  const { cookie } = await exchange(port, "/login/ann", { method: "POST" });
  now += 120_000;
  calls.length = 0;
  const touched = new Promise((resolve) => app.sessions.on("touched", resolve));
  expect((await exchange(port, "/raw", { cookie })).body).toBe("ann");
  await touched;
  expect(calls).toEqual(["read", "touch"]);
});

test.each([["with a cookie"], ["without one"]])(
  "a route that goes without has no session for a browser %s",
  async (which) => {
    const { store, calls } = counting();
    const app = await appWith({ store });
    app.get("/", { config: { session: false } }, (request) => request.session.n ?? "none");
    const port = await listen(app);
    const { cookie } = await exchange(port, "/login/ann", { method: "POST" });
    calls.length = 0;
    const answer = await exchange(port, "/", which === "with a cookie" ? { cookie } : {});
    expect(JSON.parse(answer.body)).toMatchObject({ code: "SOJOURN_ADAPTER_MISUSE" });
    expect(calls).toEqual([]);
  },
);
