/** Restarts under load: processes that are asked to go are not missed, and one that is killed loses nothing. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startServer as startPostgres } from "../../packages/store-postgres/test/support/server.ts";
import { startServer as startRedis } from "../../packages/store-redis/test/support/server.ts";
import { build } from "../support/workspace.ts";
import { deploy } from "./deployment.ts";
import type { Deployment, Environment, How } from "./deployment.ts";
import { Crowd, Visitor } from "./visitors.ts";

const COMMON = {
  SESSION_SECRET: "for tests only: 32 characters or more",
  SHUTDOWN_BUDGET: "10s",
  SHUTDOWN_NOTICE: "500ms",
};
const EXPORT_SECRET = "of the preStop hook, for tests only: 32 or more";
const SIZE = 24;
const REQUESTS = 5_000;
/** Of a test on a busy machine, in ms; on an idle one each takes about 10 s. */
const PATIENCE = 120_000;

const stops: (() => Promise<void>)[] = [];
let redisUrl = "";
let postgresUrl = "";
beforeAll(async () => {
  await build();
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  stops.push(
    () => redis.stop(),
    () => postgres.stop(),
  );
  [redisUrl, postgresUrl] = [redis.url, postgres.url];
}, 120_000);
afterAll(async () => void (await Promise.all(stops.map((stop) => stop()))));

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "sojourn-rolling-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Restarts each process in turn under load; prints and returns what the visitors noticed. */
async function roll(site: Deployment, how: How, { least, name }: { least: number; name: string }) {
  const crowd = new Crowd(site.port, SIZE);
  const codes: (number | null)[] = [];
  const beganAt = performance.now();
  await crowd.visit(least, async () => {
    for (const index of site.processes.keys()) codes.push(await site.restart(index, how));
  });
  const { tally, counted } = crowd;
  const seconds = Number(((performance.now() - beganAt) / 1_000).toFixed(1));
  console.log(
    JSON.stringify({ store: name, how, restarts: codes.length, seconds, counted, ...tally }),
  );
  return { ...tally, codes };
}

async function start(processes: number, environment: Environment, ofProxy: Environment = {}) {
  const site = await deploy(
    processes,
    { ...COMMON, SOJOURN_DATA: folder(), ...environment },
    ofProxy,
  );
  onTestFinished(() => site.stop());
  return site;
}

/** As behind a proxy that ends TLS. */
const PRODUCTION = { NODE_ENV: "production", TRUST_PROXY: "loopback" };
const SHARED: [name: string, environment: () => Environment, proxy: Environment][] = [
  ["Redis", () => ({ SESSION_STORE: "redis", REDIS_URL: redisUrl }), {}],
  [
    "Postgres",
    () => ({
      ...PRODUCTION,
      SESSION_STORE: "postgres",
      DATABASE_URL: postgresUrl,
      EXPORT_SECRET,
      EXPORT_FILE: join(folder(), "backup.snapshot"),
    }),
    { PUBLIC_PROTO: "https" },
  ],
];

describe.each(SHARED)(
  "3 processes on %s, restarted one by one under load",
  (name, environment, proxy) => {
    test(
      "[A-17] [A-14] by SIGTERM: 5,000 requests, none fails, no session and no count is lost",
      async () => {
        const site = await start(3, environment(), proxy);
        const { problems, requests, codes } = await roll(site, "SIGTERM", {
          least: REQUESTS,
          name,
        });
        expect(problems).toEqual({});
        expect(requests).toBeGreaterThanOrEqual(REQUESTS);
        expect(codes).toEqual([0, 0, 0]);
      },
      PATIENCE,
    );

    test(
      "[A-17] by kill -9: no session and no acknowledged count is lost",
      async () => {
        const site = await start(3, environment(), proxy);
        const { problems } = await roll(site, "SIGKILL", { least: REQUESTS, name });
        expect(problems["lost session"]).toBe(undefined);
        expect(problems["lost count"]).toBe(undefined);
      },
      PATIENCE,
    );
  },
);

describe("1 process on a file", () => {
  test(
    "[A-17] [A-14] restarted by SIGTERM: requests wait for it, none fails, nothing is lost",
    async () => {
      const site = await start(1, { SESSION_STORE: "file" });
      const { problems, codes } = await roll(site, "SIGTERM", { least: REQUESTS, name: "file" });
      expect(problems).toEqual({});
      expect(codes).toEqual([0]);
    },
    PATIENCE,
  );

  test(
    "[A-17] [D-08] killed: no session and no acknowledged count is lost",
    async () => {
      const site = await start(1, { SESSION_STORE: "file" });
      const { problems } = await roll(site, "SIGKILL", { least: REQUESTS, name: "file" });
      expect(problems["lost session"]).toBe(undefined);
      expect(problems["lost count"]).toBe(undefined);
    },
    PATIENCE,
  );
});

describe("1 process on memory, with a snapshot file", () => {
  test(
    "[A-15] [G1] restarted three times: nobody is logged out, and who was revoked in between stays out",
    async () => {
      const data = folder();
      const environment = {
        SESSION_STORE: "memory",
        SNAPSHOT_FILE: join(data, "sessions.snapshot"),
      };
      const site = await start(1, environment);
      const [laptop, phone] = [new Visitor(site.port, "ada"), new Visitor(site.port, "ada")];
      for (const visitor of [laptop, phone]) await visitor.login();
      const crowd = new Crowd(site.port, SIZE);
      await crowd.visit(1_000, async () => {
        expect(await site.restart(0, "SIGTERM")).toBe(0);
        expect(await phone.look()).toBe(null);
        expect((await laptop.send("POST", "/logout-others")).status).toBe(200);
        for (let time = 0; time < 2; time += 1) {
          expect(await site.restart(0, "SIGTERM")).toBe(0);
          expect(await phone.look()).toBe("lost session");
          expect(await laptop.look()).toBe(null);
        }
      });
      console.log(JSON.stringify({ store: "memory", counted: crowd.counted, ...crowd.tally }));
      expect(crowd.tally.problems).toEqual({});
      expect(readdirSync(data)).toEqual(["sessions.snapshot.restored"]);
      for (const visitor of [laptop, phone]) visitor.leave();
    },
    PATIENCE,
  );
});
