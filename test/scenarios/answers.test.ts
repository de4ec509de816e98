/** Every kind of answer: the cookie is on it, the data is committed, caches are told. */
import { expect, test } from "vitest";
import { Answer } from "./frameworks.ts";
import type { Exchange } from "./frameworks.ts";
import { everywhere } from "./matrix.ts";
import { deferred } from "./probe.ts";

type Kind = readonly [
  name: string,
  method: "GET" | "HEAD" | "POST",
  status: number,
  answer: () => unknown,
];

const kinds: readonly Kind[] = [
  ["JSON", "GET", 200, () => ({ ok: true })],
  ["a text", "POST", 201, () => new Answer(201, "made", { "content-type": "text/plain" })],
  ["HEAD", "HEAD", 200, () => ({ ok: true })],
  ["204", "POST", 204, () => new Answer(204, undefined)],
  ["304", "GET", 304, () => new Answer(304, undefined, { etag: '"1"' })],
  ["a redirect", "POST", 303, () => new Answer(303, undefined, { location: "/me" })],
  ["404", "GET", 404, () => new Answer(404, "none", { "content-type": "text/plain" })],
  [
    "a stream",
    "GET",
    200,
    () => new Answer(200, { chunks: ["one ", "two"] }, { "content-type": "text/plain" }),
  ],
  [
    "a thrown error",
    "GET",
    500,
    () => {
      throw new Error("thrown by the handler");
    },
  ],
  [
    "an error with a status",
    "POST",
    418,
    () => {
      throw Object.assign(new Error("a teapot"), { statusCode: 418 });
    },
  ],
];

const route = ([, method, , answer]: Kind, change: (exchange: Exchange) => unknown) => ({
  method: method === "POST" ? ("POST" as const) : ("GET" as const),
  path: "/answer",
  async handle(exchange: Exchange) {
    await change(exchange);
    return answer();
  },
});

everywhere(({ open }) => {
  for (const kind of kinds) {
    const [name, method, status] = kind;

    test(`[F-08] T-CACHE1 T-HDR ${name} (${status}): a login sets 1 cookie that works, and no cache may keep it`, async () => {
      const world = await open({ routes: [route(kind, ({ session }) => session.login("ada"))] });
      const client = world.client();
      const answer = await client.ask("/answer", { method });
      expect(answer.status).toBe(status);
      expect(answer.cookies).toEqual([
        expect.stringMatching(/^sid=\S+; Path=\/; HttpOnly; SameSite=Lax$/),
      ]);
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect(answer.headers.vary).toMatch(/\bcookie\b/i);
      expect((await client.get("/private")).status).toBe(200);
    });

    test(`[F-08] ${name} (${status}): changed data is committed when the answer arrives`, async () => {
      const change = ({ session }: Exchange): unknown => session.set("changed", true);
      const world = await open({ routes: [route(kind, change)] });
      const ada = await world.loggedIn("ada");
      const answer = await ada.ask("/answer", { method });
      expect([answer.status, answer.cookies]).toEqual([status, []]);
      expect(answer.headers["cache-control"]).toBe("private");
      expect(answer.headers.vary).toMatch(/\bcookie\b/i);
      expect((await world.sessions.list("ada")).items[0]?.data).toEqual({ changed: true });
    });
  }

  test("[F-09] what a stream changes after its head has left is committed, and a cookie too late is an event", async () => {
    const head = deferred();
    const world = await open({
      routes: [
        {
          method: "GET",
          path: "/answer",
          handle({ session }) {
            async function* chunks(): AsyncIterable<string> {
              yield "one ";
              await head.promise;
              await session.login("ada");
              session.set("streamed", true);
              yield "two";
            }
            return new Answer(200, { chunks: chunks() }, { "content-type": "text/plain" });
          },
        },
      ],
    });
    const { text, cookies } = await world.client().get("/answer", { onHead: head.resolve });
    expect([text, cookies]).toEqual(["one two", []]);
    const stored = async () => (await world.sessions.list("ada")).items[0]?.data;
    await expect.poll(stored).toEqual({ streamed: true });
    await expect
      .poll(() => world.eventsOf("cookie-unsent"))
      .toMatchObject([{ reason: "headers-sent" }]);
  });

  test("[F-09] what a request changed before its browser went away is committed, and nothing hangs", async () => {
    const arrived = deferred();
    const gone = deferred();
    const world = await open({
      routes: [
        {
          method: "POST",
          path: "/answer",
          async handle({ session }) {
            session.set("changed", true);
            arrived.resolve();
            await gone.promise;
            return { ok: true };
          },
        },
      ],
    });
    const ada = await world.loggedIn("ada");
    const leaving = new AbortController();
    const answer = ada.post("/answer", { signal: leaving.signal });
    await arrived.promise;
    leaving.abort();
    await expect(answer).rejects.toThrow("aborted");
    gone.resolve();
    const stored = async () => (await world.sessions.list("ada")).items[0]?.data;
    await expect.poll(stored).toEqual({ changed: true });
    expect((await ada.get("/private")).status).toBe(200);
  });

  test("[F-08] caches are told nothing where nobody looked at the session", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    for (const path of ["/plain", "/open"]) {
      const { headers } = await ada.get(path);
      expect([headers["cache-control"], headers.vary]).toEqual([undefined, undefined]);
    }
    const cleared = await ada.post("/logout");
    expect(cleared.cookies).toEqual([expect.stringContaining("sid=; Max-Age=0")]);
    expect(cleared.headers["cache-control"]).toBe("no-store");
  });

  test("[F-08] 50 answers over kept-alive connections go to the right browsers", async () => {
    const world = await open();
    const clients = await Promise.all(
      Array.from({ length: 5 }, (_, index) => world.loggedIn(`user${index}`)),
    );
    const views = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => clients[index % 5]?.get("/me")),
    );
    expect(views.map((answer) => answer?.body["principal"])).toEqual(
      Array.from({ length: 50 }, (_, index) => `user${index % 5}`),
    );
  });
});
