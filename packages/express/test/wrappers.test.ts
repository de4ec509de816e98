import { gunzipSync } from "node:zlib";
import compression from "compression";
import { describe, expect, test } from "vitest";
import { expresses, frameworks, handler } from "./support/apps.ts";
import type { Res, Step } from "./support/apps.ts";
import { cookieOf } from "./support/client.ts";
import { tested } from "./support/sessions.ts";

/** What the package on-headers does: runs a listener when headers are about to leave. */
function onHeaders(listener: (res: Res) => void): Step {
  return (_req, res, next) => {
    const writeHead = Reflect.get(res, "writeHead") as (...args: unknown[]) => Res;
    let isFired = false;
    res.writeHead = (...args: unknown[]) => {
      if (!isFired) {
        isFired = true;
        listener(res);
      }
      return writeHead.apply(res, args);
    };
    next();
  };
}

const sends: [string, (res: Res) => unknown][] = [
  ["end", (res) => res.end("x")],
  ["write and end", (res) => (res.write("x"), res.end())],
  ["writeHead", (res) => res.writeHead(200, { "X-Given": "1" }).end("x")],
  ["flushHeaders", (res) => (res.flushHeaders(), res.end("x"))],
];

describe.each(frameworks)("$name", ({ serve }) => {
  test.each(sends)(
    "headers set by wrappers outside and inside of ours leave with %s",
    async (_name, send) => {
      const seen: unknown[] = [];
      let fired = 0;
      const sessions = tested();
      const app = await serve(
        onHeaders((res) => {
          fired += 1;
          seen.push(String(res.getHeader("Set-Cookie")).startsWith("inner=1,sid="));
          res.setHeader("X-Outer", "1");
        }),
        sessions.step,
        onHeaders((res) => {
          fired += 1;
          res.setHeader("X-Inner", "1");
          res.setHeader("Set-Cookie", "inner=1");
        }),
        handler((req, res) => {
          if (req.url === "/plain") return res.end();
          req.session.set("a", 1);
          send(res);
        }),
      );
      const answer = await app.ask();
      expect(answer).toMatchObject({ text: "x", headers: { "x-outer": "1" } });
      expect(fired).toBe(2);
      expect(answer.headers["x-inner"]).toBe("1");
      expect(answer.cookies).toEqual(["inner=1", expect.stringMatching(/^sid=/)]);
      expect(seen).toEqual([true]);
    },
  );

  test("a wrapper that throws when headers leave: the error is answered", async () => {
    const sessions = tested();
    const app = await serve(
      sessions.step,
      onHeaders(() => {
        throw new Error("wrapper broke");
      }),
      handler((req, res) => {
        req.session.set("a", 1);
        res.end("x");
      }),
    );
    const answer = await app.ask();
    expect(answer.status).toBe(500);
    expect(cookieOf(answer)).toBeDefined();
  });

  test("what a wrapper changes in the session when headers leave is committed", async () => {
    const sessions = tested();
    let session: { set(key: string, value: unknown): unknown } | undefined;
    const app = await serve(
      sessions.step,
      onHeaders(() => session?.set("seen", 1)),
      handler((req, res) => {
        if (req.url === "/read") return res.end(String(req.session.get("seen")));
        session = req.session;
        res.end("x");
      }),
    );
    const cookie = cookieOf(await app.ask());
    session = undefined;
    expect((await app.ask({ path: "/read", cookie })).text).toBe("1");
  });

  test.each(["before", "after"])(
    "compression %s ours: the body is whole, the cookie is there",
    async (order) => {
      const sessions = tested();
      const zip = compression({ threshold: 0 }) as unknown as Step;
      const text = "0123456789".repeat(50_000);
      const app = await serve(
        ...(order === "before" ? [zip, sessions.step] : [sessions.step, zip]),
        handler((req, res) => {
          req.session.set("a", 1);
          res.setHeader("Content-Type", "text/plain");
          res.write(text);
          res.end(text);
        }),
      );
      const answer = await app.ask({ headers: { "accept-encoding": "gzip" } });
      expect(answer.headers["content-encoding"]).toBe("gzip");
      expect(gunzipSync(answer.body).toString()).toBe(text + text);
      expect(cookieOf(answer)).toBeDefined();
    },
  );

  test.each(["before", "after"])(
    "compression %s ours: what is written after the commit is compressed too",
    async (order) => {
      const sessions = tested();
      const zip = compression({ threshold: 0 }) as unknown as Step;
      const gate = sessions.hold();
      const app = await serve(
        ...(order === "before" ? [zip, sessions.step] : [sessions.step, zip]),
        handler(async (req, res) => {
          req.session.set("a", 1);
          res.setHeader("Content-Type", "text/plain");
          res.write("first ");
          await gate.reached;
          await app.settled();
          gate.release();
          await app.settled();
          res.write("second ");
          res.end("third");
        }),
      );
      const answer = await app.ask({ headers: { "accept-encoding": "gzip" } });
      expect(gunzipSync(answer.body).toString()).toBe("first second third");
    },
  );

  test.each(["before", "after"])(
    "compression %s ours: a failed commit is a readable 503",
    async (order) => {
      const sessions = tested();
      sessions.refuse("writes");
      const zip = compression({ threshold: 0 }) as unknown as Step;
      const app = await serve(
        ...(order === "before" ? [zip, sessions.step] : [sessions.step, zip]),
        handler((req, res) => {
          req.session.set("a", 1);
          res.setHeader("Content-Type", "text/plain");
          res.end("payload".repeat(1000));
        }),
      );
      const answer = await app.ask({ headers: { "accept-encoding": "gzip" } });
      const isZipped = answer.headers["content-encoding"] === "gzip";
      const text = (isZipped ? gunzipSync(answer.body) : answer.body).toString();
      expect(answer.status).toBe(503);
      expect(text).toContain("SOJOURN_STORE_UNAVAILABLE");
      expect(text).not.toContain("payload");
    },
  );

  test("two named sessions on one answer: both cookies, each committed to its own store", async () => {
    const first = tested({ cookie: { name: "shop" } });
    const second = tested({ cookie: { name: "admin" }, property: "admin" });
    const app = await serve(
      first.step,
      second.step,
      handler((req, res) => {
        const admin = Reflect.get(req, "admin") as typeof req.session;
        if (req.url === "/read")
          return res.end(`${String(req.session.get("a"))} ${String(admin.get("a"))}`);
        req.session.set("a", 1);
        admin.set("a", 2);
        res.write("x");
        res.end("y");
      }),
    );
    const answer = await app.ask();
    expect(answer.text).toBe("xy");
    const cookies = [cookieOf(answer, "shop"), cookieOf(answer, "admin")];
    expect(cookies).toEqual([expect.any(String), expect.any(String)]);
    expect([first.calls, second.calls]).toEqual([["create"], ["create"]]);
    expect((await app.ask({ path: "/read", cookie: cookies.join("; ") })).text).toBe("1 2");
  });

  test.each(["first", "second"])("two named sessions, the %s fails: one 503", async (which) => {
    const both = {
      first: tested({ cookie: { name: "shop" } }),
      second: tested({ cookie: { name: "admin" }, property: "admin" }),
    };
    both[which as "first"].refuse("writes");
    const app = await serve(
      both.first.step,
      both.second.step,
      handler((req, res) => {
        req.session.set("a", 1);
        (Reflect.get(req, "admin") as typeof req.session).set("a", 2);
        res.end("payload");
      }),
    );
    const answer = await app.ask();
    expect(answer.status).toBe(503);
    expect(answer.text).not.toContain("payload");
    expect(app.errors).toHaveLength(1);
  });
});

describe.each(expresses)("$name", ({ serve }) => {
  test("a wrapper of the old kind, which asks _header and calls _implicitHeader, works", async () => {
    const sessions = tested();
    const old: Step = (_req, res, next) => {
      for (const name of ["write", "end"] as const) {
        const below = Reflect.get(res, name) as (...args: unknown[]) => unknown;
        Reflect.set(res, name, (...args: unknown[]) => {
          if (!Reflect.get(res, "_header"))
            Reflect.apply(Reflect.get(res, "_implicitHeader"), res, []);
          return below.apply(res, args);
        });
      }
      next();
    };
    const app = await serve(
      sessions.step,
      old,
      handler((req, res) => {
        req.session.set("a", 1);
        res.write("a");
        res.write("b");
        res.end("c");
      }),
    );
    const answer = await app.ask();
    expect(answer).toMatchObject({ status: 200, text: "abc" });
    expect(cookieOf(answer)).toBeDefined();
  });

  test("res.json, res.redirect, res.sendStatus and res.cookie keep what Express gives them", async () => {
    const sessions = tested();
    const app = await serve(
      sessions.step,
      handler((req, raw) => {
        const res = raw as unknown as import("express").Response;
        req.session.set("a", 1);
        if (req.url === "/json") return res.cookie("theme", "dark").json({ a: 1 });
        if (req.url === "/redirect") return res.redirect("/home");
        return res.sendStatus(202);
      }),
    );
    const json = await app.ask({ path: "/json" });
    expect(json.text).toBe('{"a":1}');
    expect(json.cookies.map((cookie) => cookie.split("=")[0])).toEqual(["theme", "sid"]);
    expect(await app.ask({ path: "/redirect" })).toMatchObject({
      status: 302,
      headers: { location: "/home" },
    });
    expect(await app.ask({ path: "/202" })).toMatchObject({ status: 202, text: "Accepted" });
  });
});
