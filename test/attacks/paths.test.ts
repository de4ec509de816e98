/** T-MOUNT, T-CSRF: another spelling of a path passes by neither the session nor the guard. */
import { createRequire } from "node:module";
import http from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { csrfGuard as expressGuard, sessionMiddleware } from "@sojourn/express";
import { csrfGuard as fastifyGuard, sessionPlugin } from "@sojourn/fastify";
import express5 from "express";
import { fastify } from "fastify";
import { describe, expect, onTestFinished, test } from "vitest";
import { SECRET } from "../scenarios/matrix.ts";

/** What ran, and for whom. */
type Ran = {
  readonly route: "transfer" | "hook" | "hook-transfer" | "open";
  readonly principal: unknown;
}[];
/** Starts an application whose routers take as many spellings as they can; gives its port. */
type Start = (ran: Ran) => Promise<number>;

const options = { secret: SECRET, logger: false as const };

const startFastify: Start = async (ran) => {
  const app = fastify({
    routerOptions: {
      ignoreTrailingSlash: true,
      caseSensitive: false,
      ignoreDuplicateSlashes: true,
    },
  });
  onTestFinished(() => app.close());
  await app.register(sessionPlugin, options);
  await app.register(fastifyGuard);
  app.post("/transfer", async ({ session }) => {
    ran.push({ route: "transfer", principal: session.principal });
    return {};
  });
  app.post("/hook-transfer", async ({ session }) => {
    ran.push({ route: "hook-transfer", principal: session.principal });
    return {};
  });
  app.post("/hook", { config: { csrf: false } }, async ({ session }) => {
    ran.push({ route: "hook", principal: session.principal });
    return {};
  });
  app.post("/open", { config: { csrf: false, session: false } }, async (request) => {
    let principal: unknown;
    try {
      ({ principal } = request.session);
    } catch {
      principal = "none";
    }
    ran.push({ route: "open", principal });
    return {};
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  return (app.server.address() as AddressInfo).port;
};

const startExpress =
  (make: typeof express5): Start =>
  async (ran) => {
    const app = make();
    const sessions = sessionMiddleware({ ...options, skip: ({ url }) => url === "/open" });
    app.use(sessions);
    const guard = expressGuard({ exempt: ({ url }) => url === "/hook" || url === "/open" });
    app.use(guard);
    for (const route of ["transfer", "hook", "hook-transfer", "open"] as const) {
      app.post(`/${route}`, (request, response) => {
        const session = Reflect.get(request, "session") as { principal: unknown } | undefined;
        ran.push({ route, principal: session ? session.principal : "none" });
        response.json({});
      });
    }
    const server = http.createServer(app).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(async () => {
      server.closeAllConnections();
      server.close();
      await sessions.sessions.close();
    });
    return (server.address() as AddressInfo).port;
  };

// Has no types of its own; what is used here is the same in both.
const express4 = createRequire(import.meta.url)("express4") as typeof express5;

/** Other spellings of `/name`, as they go over the wire. */
function spellings(name: string): string[] {
  const encoded = `%${Buffer.from(name)
    .toString("hex")
    .replaceAll(/..(?=.)/g, "$&%")}`;
  return [
    `/${name}/`,
    `//${name}`,
    `///${name}//`,
    `/${name.toUpperCase()}`,
    `/${encoded}`,
    `/./${name}`,
    `/hook/../${name}`,
    `/open/../${name}`,
    `/hook/..%2f${name}`,
    `/hook%2f..%2f${name}`,
    `/${name};/hook`,
    `/${name}%00`,
    `/${name}?/hook`,
    `/${name}?a=/open`,
    `/${name}#/hook`,
    `/\\${name}`,
  ];
}

async function post(port: number, path: string, site: string): Promise<number> {
  const headers = { "sec-fetch-site": site };
  const request = http.request({ host: "127.0.0.1", port, path, method: "POST", headers });
  request.end();
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

describe.each<[string, Start]>([
  ["Fastify 5", startFastify],
  ["Express 5", startExpress(express5)],
  ["Express 4", startExpress(express4)],
])("%s", (name, start) => {
  test("T-MOUNT T-CSRF no spelling of a guarded path gets a cross-site request to its handler", async () => {
    const ran: Ran = [];
    const port = await start(ran);
    for (const path of ["/transfer", ...spellings("transfer")]) {
      expect([path, await post(port, path, "cross-site")]).not.toEqual([path, 200]);
    }
    expect(ran).toEqual([]);
    for (const path of ["/transfer", "/TRANSFER", "/transfer/"]) {
      expect(await post(port, path, "same-origin")).toBe(200);
    }
    expect(ran.map(({ principal }) => principal)).toEqual([null, null, null]);
  });

  test("T-CSRF CSRF-exempt an exemption is good for its own path alone", async () => {
    const ran: Ran = [];
    const port = await start(ran);
    expect(await post(port, "/hook", "cross-site")).toBe(200);
    for (const path of ["/hook-transfer", "/hook/../transfer", "/hook%2ftransfer"]) {
      expect([path, await post(port, path, "cross-site")]).not.toEqual([path, 200]);
    }
    expect(ran).toEqual([{ route: "hook", principal: null }]);
  });

  test("T-MOUNT a route without a session has none under any spelling that reaches it, or is guarded", async () => {
    const ran: Ran = [];
    const port = await start(ran);
    for (const path of ["/open", ...spellings("open")]) await post(port, path, "cross-site");
    expect(ran.length).toBeGreaterThan(name === "Fastify 5" ? 3 : 0);
    expect(ran.filter(({ principal }) => principal !== "none")).toEqual([]);
  });
});
