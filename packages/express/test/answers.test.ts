import http from "node:http";
import { describe, expect, test } from "vitest";
import { frameworks, handler, http1 } from "./support/apps.ts";
import type { Req, Res } from "./support/apps.ts";
import { cookieOf } from "./support/client.ts";
import { tested } from "./support/sessions.ts";

interface Row {
  readonly what: string;
  readonly method?: string;
  readonly answer: (res: Res) => void;
  readonly status: number;
  readonly body: string;
  readonly headers?: Record<string, string>;
  readonly others?: readonly string[];
}

const rows: readonly Row[] = [
  { what: "end with a body", answer: (res) => res.end("hi"), status: 200, body: "hi" },
  {
    what: "end with an encoding",
    answer: (res) => res.end("aGk=", "base64"),
    status: 200,
    body: "hi",
  },
  {
    what: "several writes in several encodings",
    answer: (res) => {
      res.write("a");
      res.write("Yg==", "base64");
      res.write(Buffer.from("c"));
      res.end("d");
    },
    status: 200,
    body: "abcd",
  },
  {
    what: "204 without a body",
    answer: (res) => {
      res.statusCode = 204;
      res.end();
    },
    status: 204,
    body: "",
  },
  {
    what: "304 with its etag",
    answer: (res) => {
      res.setHeader("ETag", '"1"');
      res.writeHead(304);
      res.end();
    },
    status: 304,
    body: "",
    headers: { etag: '"1"' },
  },
  {
    what: "a redirect",
    answer: (res) => res.writeHead(302, { Location: "/home" }).end(),
    status: 302,
    body: "",
    headers: { location: "/home" },
  },
  {
    what: "HEAD",
    method: "HEAD",
    answer: (res) => {
      res.setHeader("Content-Length", 5);
      res.end();
    },
    status: 200,
    body: "",
    headers: { "content-length": "5" },
  },
  {
    what: "writeHead with an object beside headers set before",
    answer: (res) => {
      res.setHeader("X-Before", "1");
      res.setHeader("X-Both", "before");
      res.writeHead(201, { "X-Given": "2", "X-Both": "given" });
      res.end("made");
    },
    status: 201,
    body: "made",
    headers: { "x-before": "1", "x-given": "2", "x-both": "given" },
  },
  {
    what: "writeHead with an object and a cookie",
    answer: (res) => res.writeHead(200, { "Set-Cookie": "a=1" }).end("x"),
    status: 200,
    body: "x",
    others: ["a=1"],
  },
  {
    what: "writeHead with two cookies in an object (CVE-2025-7339)",
    answer: (res) => res.writeHead(200, { "Set-Cookie": ["a=1", "b=2"] }).end("x"),
    status: 200,
    body: "x",
    others: ["a=1", "b=2"],
  },
  {
    what: "writeHead with a flat array with two cookies (CVE-2025-7339)",
    answer: (res) => {
      res.setHeader("X-Before", "1");
      res.writeHead(200, ["Set-Cookie", "a=1", "X-Given", "2", "set-cookie", "b=2"]);
      res.end("x");
    },
    status: 200,
    body: "x",
    headers: { "x-before": "1", "x-given": "2" },
    others: ["a=1", "b=2"],
  },
  {
    what: "writeHead with an array of pairs with two cookies (CVE-2025-7339)",
    answer: (res) => {
      res.setHeader("X-Before", "1");
      res.writeHead(200, [
        ["Set-Cookie", "a=1"],
        ["X-Given", "2"],
        ["Set-Cookie", "b=2"],
      ] as unknown as string[]);
      res.end("x");
    },
    status: 200,
    body: "x",
    headers: { "x-before": "1", "x-given": "2" },
    others: ["a=1", "b=2"],
  },
  {
    what: "cookies set before, one and many",
    answer: (res) => {
      res.setHeader("Set-Cookie", "a=1");
      res.appendHeader("Set-Cookie", "b=2");
      res.end("x");
    },
    status: 200,
    body: "x",
    others: ["a=1", "b=2"],
  },
  {
    what: "flushHeaders, then a body",
    answer: (res) => {
      res.flushHeaders();
      res.end("late");
    },
    status: 200,
    body: "late",
  },
  {
    what: "two ends: the first counts",
    answer: (res) => {
      res.end("first");
      res.end("second");
    },
    status: 200,
    body: "first",
  },
  {
    what: "a status set after the end is not used",
    answer: (res) => {
      res.end("x");
      res.statusCode = 418;
    },
    status: 200,
    body: "x",
  },
  {
    what: "bytes of Latin-1 and UTF-8",
    answer: (res) => res.end("é€"),
    status: 200,
    body: "é€",
  },
];

describe.each(frameworks)("$name", ({ version, serve }) => {
  test.each(rows)("T-HDR $what: committed, our cookie beside the answer's own", async (row) => {
    const sessions = tested();
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        if (req.url === "/read") return res.end(String(req.session.get("seen")));
        req.session.set("seen", "yes");
        row.answer(res);
      }),
    );
    const answer = await app.ask({ method: row.method ?? "GET" });
    expect(answer).toMatchObject({
      status: row.status,
      text: row.body,
      ...(row.headers && { headers: row.headers }),
    });
    expect(answer.cookies.filter((cookie) => !cookie.startsWith("sid="))).toEqual(row.others ?? []);
    expect(answer.cookies).toHaveLength((row.others ?? []).length + 1);
    expect(answer.headers).toMatchObject({ vary: "Cookie", "cache-control": "no-store" });
    const read = await app.ask({ path: "/read", cookie: cookieOf(answer) });
    expect(read).toMatchObject({ text: "yes", cookies: [] });
  });

  test("T-HDR 103 early hints pass at once, before the commit", async () => {
    const sessions = tested();
    const gate = sessions.hold();
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        req.session.set("a", 1);
        res.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" });
        res.end("x");
      }),
    );
    const exchange = app.open({});
    await gate.reached;
    await app.settled();
    gate.release();
    const answer = await exchange.answer;
    expect(answer).toMatchObject({ status: 200, informational: [103], text: "x" });
    expect(cookieOf(answer)).toBeDefined();
  });

  test("a session that nobody touched: no cookie, no privacy header, no store call", async () => {
    const sessions = tested();
    const app = await serve(
      sessions.step,
      handler((_req, res) => res.end("x")),
    );
    const { cookies, headers } = await app.ask();
    expect(cookies).toEqual([]);
    expect(headers["vary"]).toBeUndefined();
    expect(sessions.calls).toEqual([]);
  });

  test("an ordinary answer tells of no unsent cookie", async () => {
    const events: string[] = [];
    const sessions = tested();
    sessions.middleware.sessions.on("*", ({ type }) => events.push(type));
    const app = await serve(
      sessions.step,
      handler((req, res) => {
        req.session.set("a", 1);
        res.end("x");
      }),
    );
    await app.ask();
    await app.settled();
    expect(events).not.toContain("cookie-unsent");
    expect(sessions.calls).toEqual(["create"]);
  });

  test("the answer to a handler that throws carries the cookie of what it changed", async () => {
    const sessions = tested();
    const app = await serve(
      sessions.step,
      handler((req) => {
        req.session.set("a", 1);
        throw Object.assign(new Error("broken"), { statusCode: 500 });
      }),
    );
    const answer = await app.ask();
    expect(answer.status).toBe(500);
    expect(cookieOf(answer)).toBeDefined();
  });

  test.runIf(version === 1)(
    "a status message is kept, a bad head throws at the caller",
    async () => {
      const sessions = tested();
      const thrown: unknown[] = [];
      const attempt = (call: () => unknown): void => {
        try {
          call();
        } catch (error) {
          thrown.push((error as { code: string }).code);
        }
      };
      const app = await serve(
        sessions.step,
        handler((_req, res) => {
          attempt(() => res.writeHead(1000));
          attempt(() => res.writeHead(200, ["odd"]));
          attempt(() => res.writeHead(200, { "X-Bad": "a\nb" }));
          attempt(() => res.write(5));
          attempt(() => res.write(null));
          attempt(() => res.end(5));
          res.writeHead(200, "Fine", { "X-A": "1" });
          res.end("x");
        }),
      );
      const answer = await app.ask();
      expect(answer).toMatchObject({
        status: 200,
        message: "Fine",
        text: "x",
        headers: { "x-a": "1" },
      });
      expect(thrown).toEqual([
        "ERR_HTTP_INVALID_STATUS_CODE",
        "ERR_INVALID_ARG_VALUE",
        "ERR_INVALID_CHAR",
        "ERR_INVALID_ARG_TYPE",
        "ERR_STREAM_NULL_VALUES",
        "ERR_INVALID_ARG_TYPE",
      ]);
    },
  );

  test.runIf(version === 1)(
    "one connection carries 3 answers, each with its own session",
    async () => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      const ports = new Set<unknown>();
      const sessions = tested();
      const app = await serve(
        sessions.step,
        handler((req, res) => {
          ports.add(req.socket.remotePort);
          req.session.set("a", 1);
          res.end("x");
        }),
      );
      const cookies = [];
      for (const agents of [agent, agent, agent])
        cookies.push(cookieOf(await app.ask({ agent: agents })));
      agent.destroy();
      expect(ports.size).toBe(1);
      expect(new Set(cookies).size).toBe(3);
    },
  );
});

function code(call: () => unknown): unknown {
  try {
    call();
    return "no error";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("while the commit runs the answer looks sent", () => {
  test.each(frameworks)("$name", async ({ version, serve }) => {
    const sessions = tested();
    const gate = sessions.hold();
    let seen: unknown[] = [];
    const app = await serve(
      sessions.step,
      handler((req: Req, res: Res) => {
        req.session.set("a", 1);
        const before = [res.headersSent, res.writableEnded];
        const wrote = res.write("x");
        const between = [res.headersSent, res.writableEnded];
        const ended = res.end();
        seen = [
          before,
          wrote,
          between,
          ended === res,
          res.writableEnded,
          code(() => res.setHeader("a", "b")),
          code(() => res.appendHeader("a", "b")),
          code(() => res.removeHeader("a")),
          code(() => res.writeHead(200)),
        ];
      }),
    );
    const exchange = app.open({});
    await gate.reached;
    gate.release();
    expect((await exchange.answer).text).toBe("x");
    const sent = version === 1 ? "ERR_HTTP_HEADERS_SENT" : "ERR_HTTP2_HEADERS_SENT";
    expect(seen).toEqual([
      [false, false],
      false,
      [true, false],
      true,
      true,
      sent,
      sent,
      sent,
      sent,
    ]);
  });
});

test.each(frameworks)("$name: an answer by end() alone looks ended", async ({ serve }) => {
  let isEnded = false;
  const app = await serve(
    tested().step,
    handler((_req, res) => {
      res.end("x");
      isEnded = res.writableEnded && res.headersSent;
    }),
  );
  await app.ask();
  expect(isEnded).toBe(true);
});

test("an Expect: 100-continue is answered before the session is known", async () => {
  const sessions = tested();
  const app = await http1.serve(
    sessions.step,
    handler((req, res) => {
      req.session.set("a", 1);
      res.writeContinue();
      res.end("x");
    }),
  );
  app.server.on("checkContinue", (req, res) => app.server.emit("request", req, res));
  const answer = await app.ask({ method: "POST", headers: { expect: "100-continue" } });
  expect(answer).toMatchObject({ status: 200, text: "x" });
});
