import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expresses, frameworks, handler } from "./support/apps.ts";
import { cookieOf } from "./support/client.ts";
import { tested } from "./support/sessions.ts";
import { withResolvers } from "./support/stores.ts";

const silent = (): void => {};
const bytes = randomBytes(5_000_000);
let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sojourn-express-"));
  file = join(folder, "large.bin");
  await writeFile(file, bytes);
});
afterAll(() => rm(folder, { recursive: true }));

describe.each(frameworks)("$name", ({ serve }) => {
  test.each<[string, (res: import("node:http").ServerResponse) => unknown]>([
    ["pipe", (res) => createReadStream(file).pipe(res)],
    ["pipeline", (res) => pipeline(createReadStream(file), res)],
    ["pipeline of a generator", (res) => pipeline(Readable.from(chunks()), res)],
  ])("5 MB by %s arrive byte for byte, and wait for the commit", async (_name, send) => {
    const sessions = tested();
    const gate = sessions.hold();
    let needsDrain = 0;
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        req.session.set("a", 1);
        const write = res.write.bind(res) as (...args: unknown[]) => boolean;
        res.write = (...args: unknown[]) => {
          const isReady = write(...args);
          if (!isReady) needsDrain += 1;
          return isReady;
        };
        return send(res);
      }),
    );
    const exchange = app.open({});
    await gate.reached;
    await app.settled();
    expect(exchange.arrived()).toBe(false);
    expect(needsDrain).toBe(1);
    gate.release();
    const answer = await exchange.answer;
    expect(answer.body.equals(bytes)).toBe(true);
    expect(cookieOf(answer)).toBeDefined();
  });

  test("writes that wait for 'drain' go on after the commit", async () => {
    const sessions = tested();
    const app = await serve(
      sessions.step,
      handler(async (req, res) => {
        req.session.set("a", 1);
        for (const text of ["a", "b", "c"]) if (!res.write(text)) await once(res, "drain");
        res.end();
      }),
    );
    expect((await app.ask()).text).toBe("abc");
  });

  test("events of a stream pass after the first commit, each at once; data changed later is committed", async () => {
    const sessions = tested();
    const more = [withResolvers(), withResolvers()] as const;
    const unsent: unknown[] = [];
    const app = await serve(
      sessions.step,
      handler(async (req, res) => {
        if (req.url === "/read") return res.end(String(req.session.get("count")));
        req.session.set("count", 1);
        res.setHeader("Content-Type", "text/event-stream");
        res.flushHeaders();
        await more[0].promise;
        res.write("data: 1\n\n");
        await more[1].promise;
        req.session.set("count", 2);
        res.end("data: 2\n\n");
      }),
    );
    sessions.middleware.sessions.on("cookie-unsent", (event) => unsent.push(event));
    const exchange = app.open({});
    await exchange.head;
    expect(sessions.calls).toEqual(["create"]);
    more[0].resolve();
    while (exchange.soFar() !== "data: 1\n\n") await app.settled();
    more[1].resolve();
    const answer = await exchange.answer;
    expect(answer.text).toBe("data: 1\n\ndata: 2\n\n");
    await app.settled();
    expect((await app.ask({ path: "/read", cookie: cookieOf(answer) })).text).toBe("2");
    expect(unsent).toEqual([]);
  });

  test("T-HDR a request aborted before its answer: what it changed is committed, nothing hangs", async () => {
    const sessions = tested();
    const reached = withResolvers();
    const closed = withResolvers();
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        if (req.url !== "/slow") {
          res.statusCode = 200;
          if (req.url === "/login") req.session.set("count", 1);
          return res.end(String(req.session.get("count")));
        }
        req.session.set("count", 2);
        res.on("close", closed.resolve);
        reached.resolve();
      }),
    );
    const cookie = cookieOf(await app.ask({ path: "/login" }));
    const exchange = app.open({ path: "/slow", cookie });
    exchange.answer.catch(() => {});
    exchange.head.catch(() => {});
    await reached.promise;
    exchange.abort();
    await closed.promise;
    await app.settled();
    expect((await app.ask({ cookie })).text).toBe("2");
  });

  test("a request aborted while its commit runs: committed, and nothing is thrown", async () => {
    const sessions = tested();
    const closed = withResolvers();
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        if (req.url !== "/slow") {
          if (req.url === "/login") req.session.set("count", 1);
          return res.end(String(req.session.get("count")));
        }
        req.session.set("count", 2);
        res.on("close", closed.resolve);
        res.writeHead(200, { "X-A": "1" });
        res.write("a");
        res.end("b");
      }),
    );
    const cookie = cookieOf(await app.ask({ path: "/login" }));
    const gate = sessions.hold();
    const exchange = app.open({ path: "/slow", cookie });
    exchange.answer.catch(() => {});
    exchange.head.catch(() => {});
    await gate.reached;
    exchange.abort();
    await closed.promise;
    gate.release();
    await app.settled();
    expect((await app.ask({ cookie })).text).toBe("2");
    expect(app.errors).toEqual([]);
  });

  test("a late commit that fails goes to the logger, not to next", async () => {
    const logged: unknown[] = [];
    const logger = {
      debug: silent,
      info: silent,
      warn: silent,
      error: (facts: object, message: string) => logged.push({ ...facts, message }),
    };
    const sessions = tested({ logger });
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        req.session.set("a", 1);
        res.flushHeaders();
        res.on("finish", () => {
          sessions.refuse("writes");
          req.session.set("a", 2);
        });
        res.end("x");
      }),
    );
    expect((await app.ask()).status).toBe(200);
    await app.settled();
    expect(logged.at(-1)).toMatchObject({
      err: { code: "SOJOURN_STORE_UNAVAILABLE" },
      message: "a session could not be committed after its response was over",
    });
    expect(app.errors).toEqual([]);
  });
});

describe.each(expresses)("$name", ({ serve }) => {
  test("T-HDR res.sendFile of 5 MB, whole, by range, by HEAD and as 304", async () => {
    const sessions = tested();
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        req.session.set("a", 1);
        (res as unknown as import("express").Response).sendFile(file);
      }),
    );
    const whole = await app.ask();
    expect(whole.body.equals(bytes)).toBe(true);
    const range = await app.ask({ headers: { range: "bytes=10-19" } });
    expect(range.status).toBe(206);
    expect(range.body.equals(bytes.subarray(10, 20))).toBe(true);
    const head = await app.ask({ method: "HEAD" });
    expect(head.headers["content-length"]).toBe(String(bytes.length));
    const fresh = await app.ask({ headers: { "if-none-match": String(whole.headers["etag"]) } });
    expect(fresh.status).toBe(304);
    for (const answer of [whole, range, head, fresh]) expect(cookieOf(answer)).toBeDefined();
  });
});

function* chunks(): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 60_000) yield bytes.subarray(at, at + 60_000);
}
