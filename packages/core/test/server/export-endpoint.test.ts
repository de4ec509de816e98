/** the export by HTTP, and who may ask for it. */
import { Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { createServer, IncomingMessage, ServerResponse } from "node:http";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { exportEndpoint } from "../../src/server/index.ts";
import type { ExportEndpointOptions, SaveSnapshot } from "../../src/server/index.ts";
import { world } from "../support/world.ts";
import { gate } from "./site.ts";

const SECRET = "the secret of the preStop hook, 32 or more";
const RIGHT = { authorization: `Bearer ${SECRET}` };
const { sessions } = world();

/** Counts, as an export gives them, and what must not come out. */
const save: SaveSnapshot = async () => ({
  snapshot: "id-of-it",
  exported: 7,
  skipped: { expired: 1, filtered: 0, limit: 0 },
  bytes: 4_096,
  tookMs: 3,
});

/** Where the endpoint is. */
async function served(options: Partial<ExportEndpointOptions> = {}): Promise<string> {
  const server = createServer(exportEndpoint({ sessions, secret: SECRET, to: save, ...options }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/internal/export`;
}

describe("the export endpoint", () => {
  test("[A-16] answers a POST with the secret by counts, and by nothing else", async () => {
    const response = await fetch(await served(), { method: "POST", headers: RIGHT });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({
      exported: 7,
      skipped: { expired: 1, filtered: 0, limit: 0 },
      bytes: 4_096,
      tookMs: 3,
    });
  });

  test.for([undefined, ""])("[A-16] is not there without a secret (%j)", async (secret) => {
    const url = await served({ secret, to: () => Promise.reject(new Error("was asked")) });
    for (const headers of [RIGHT, { authorization: "Bearer " }, {}]) {
      const response = await fetch(url, { method: "POST", headers });
      expect([response.status, await response.text()]).toEqual([404, ""]);
      expect(response.headers.get("www-authenticate")).toBe(null);
    }
  });

  test("[A-16] without a secret it hands on to the next handler, whose 404 is that of the application", () => {
    const endpoint = exportEndpoint({ sessions, secret: undefined, to: save });
    let isNext = false;
    const request = new IncomingMessage(new Socket());
    endpoint(request, new ServerResponse(request), () => {
      isNext = true;
    });
    expect(isNext).toBe(true);
  });

  test.for([
    ["no authorization", {}],
    ["another secret", { authorization: `Bearer ${SECRET.replace("t", "x")}` }],
    ["a part of the secret", { authorization: `Bearer ${SECRET.slice(0, -1)}` }],
    ["more than the secret", { authorization: `Bearer ${SECRET}x` }],
    ["another scheme", { authorization: `Basic ${SECRET}` }],
    ["no scheme", { authorization: SECRET }],
  ] as const)("[A-16] is 401 with %s, and exports nothing", async ([, headers]) => {
    const url = await served({ to: () => Promise.reject(new Error("was asked")) });
    for (const method of ["POST", "GET"]) {
      const response = await fetch(url, { method, headers });
      expect([response.status, await response.text()]).toEqual([401, ""]);
      expect(response.headers.get("www-authenticate")).toBe("Bearer");
    }
  });

  test.for(["GET", "PUT", "DELETE"])("[A-16] is 405 for %s", async (method) => {
    const response = await fetch(await served(), { method, headers: RIGHT });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  test("[A-16] runs one export at a time", async () => {
    const [door, begun] = [gate(), gate()];
    const url = await served({
      to: async (...args) => {
        begun.open();
        await door.opened;
        return save(...args);
      },
    });
    const post = (): Promise<Response> => fetch(url, { method: "POST", headers: RIGHT });
    const first = post();
    await begun.opened;
    for (const { status } of await Promise.all([post(), post()])) expect(status).toBe(409);
    door.open();
    expect((await first).status).toBe(200);
    expect((await post()).status).toBe(200);
  });

  test("[A-16] says by a code why an export failed, and can be asked again", async () => {
    const errors: object[] = [];
    const logger = {
      debug() {},
      info() {},
      warn() {},
      error: (facts: object) => errors.push(facts),
    };
    const closed = world();
    await closed.sessions.close();
    const url = await served({
      sessions: closed.sessions,
      to: (given) => given.export(new WritableStream()),
      logger,
    });
    for (let time = 0; time < 2; time += 1) {
      const response = await fetch(url, { method: "POST", headers: RIGHT });
      expect(response.status).toBe(503);
      expect(await response.json()).toEqual({ error: "SOJOURN_STORE_CLOSED" });
    }
    expect(errors).toMatchObject([
      { err: { code: "SOJOURN_STORE_CLOSED" } },
      { err: { code: "SOJOURN_STORE_CLOSED" } },
    ]);
    const broken = await served({ to: () => Promise.reject(new Error("disk /x")), logger });
    const response = await fetch(broken, { method: "POST", headers: RIGHT });
    expect([response.status, await response.json()]).toEqual([500, { error: "export failed" }]);
  });

  test("[A-16] refuses a secret that is too short, without naming it", () => {
    expect(() => exportEndpoint({ sessions, secret: "short secret", to: save })).toThrow(
      /^exportEndpoint\(\): secret: must have at least 32 characters; make one with: openssl rand -base64 32 \[SOJOURN_OPTIONS_INVALID\]$/,
    );
  });
});
