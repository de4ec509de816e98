/** Restarts the example while somebody uses it: `pnpm check`. Under load: test/rolling. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { said } from "@sojourn/example-login-shared/check";
import { Server } from "@sojourn/example-login-shared/child";
import { startRedis } from "@sojourn/example-redis-cluster-login/redis.mjs";

const SERVER = fileURLToPath(new URL("server.mjs", import.meta.url));
const PROXY = fileURLToPath(new URL("proxy.mjs", import.meta.url));
const EXPORT_SECRET = "of the preStop hook, for checks only: 32 or more";
const folder = await mkdtemp(join(tmpdir(), "sojourn-rolling-"));
const common = {
  SESSION_SECRET: "for checks only: 32 characters or more",
  SOJOURN_DATA: folder,
  SHUTDOWN_BUDGET: "10s",
  SHUTDOWN_NOTICE: "300ms",
};
const started = [];
const start = async (file, environment) => {
  const server = await Server.start(file, { ...common, PORT: "0", ...environment });
  started.push(server);
  return server;
};
let redis;
try {
  await keepsMemoryThroughARestart();
  redis = await startRedis();
  await restartsOneByOne({ SESSION_STORE: "redis", REDIS_URL: redis.url });
} finally {
  await Promise.all(started.map((server) => server.crash()));
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
}

async function keepsMemoryThroughARestart() {
  const SNAPSHOT_FILE = join(folder, "snapshots", "sessions.snapshot");
  const environment = { SESSION_STORE: "memory", SNAPSHOT_FILE, EXPORT_SECRET };
  const first = await start(SERVER, environment);
  const ada = await visitor(first.url, "ada");
  assert.deepEqual(await ada.count(first.url), { user: "ada", count: 1 });
  await answersProbes(first.url);
  await exportsForWhoHasTheSecret(first.url);
  await first.stop();
  said("[A-14] SIGTERM ends it with 0");
  const second = await start(SERVER, environment);
  assert.deepEqual(await ada.count(second.url), { user: "ada", count: 2 });
  assert.deepEqual(await readdir(join(folder, "snapshots")), ["sessions.snapshot.restored"]);
  said("[A-15] sessions in memory go from one process to the next, and are restored once");
  await second.stop();
}

async function answersProbes(url) {
  const ready = await fetch(`${url}/readyz`);
  assert.deepEqual([ready.status, (await ready.json()).stage], [200, "serving"]);
  const health = await (await fetch(`${url}/healthz`)).json();
  assert.deepEqual(health.sessions, { active: 1, principals: 1 });
  said("[A-27] probes say that it is ready and how many sessions there are, and make none");
}

async function exportsForWhoHasTheSecret(url) {
  const ask = (headers) => fetch(`${url}/internal/export`, { method: "POST", headers });
  assert.equal((await ask({})).status, 401);
  const answer = await ask({ authorization: `Bearer ${EXPORT_SECRET}` });
  assert.equal((await answer.json()).exported, 1);
  said("[A-16] an export is for who has the secret, and answers counts");
}

async function restartsOneByOne(environment) {
  const processes = [];
  for (let index = 0; index < 3; index += 1) processes.push(await start(SERVER, environment));
  const TARGETS = processes.map(({ url }) => new URL(url).host).join(",");
  const proxy = await start(PROXY, { TARGETS });
  const ada = await visitor(proxy.url, "ada");
  let count = 0;
  const uses = async () => {
    count += 1;
    assert.deepEqual(await ada.count(proxy.url), { user: "ada", count });
  };
  for (const [index, { url }] of processes.entries()) {
    const old = { isOver: false };
    const stopped = processes[index].stop().finally(() => (old.isOver = true));
    while (!old.isOver) await uses();
    await stopped;
    await start(SERVER, { ...environment, PORT: new URL(url).port });
    for (let more = 0; more < 20; more += 1) await uses();
  }
  said(
    `[A-17] three processes were restarted one by one, and all of ${count} requests were answered`,
  );
}

/** Somebody who is logged in. */
async function visitor(url, user) {
  const response = await fetch(`${url}/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  });
  assert.equal(response.status, 200);
  const [cookie] = response.headers.get("set-cookie").split(";");
  return {
    count: async (at) =>
      (await fetch(`${at}/count`, { method: "POST", headers: { cookie } })).json(),
  };
}
