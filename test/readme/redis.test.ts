/** docs/guides/redis.md says what is so: the rights that it gives suffice, and none is too much. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createSessionManager } from "@sojourn/core";
import { redisStore } from "@sojourn/store-redis";
import { expect, onTestFinished, test } from "vitest";
import { startCluster, startServer } from "../../packages/store-redis/test/support/server.ts";
import { ROOT } from "../support/workspace.ts";

const GUIDE = readFileSync(join(ROOT, "docs/guides/redis.md"), "utf8");

/** The rules of the user in the guide, by ACL SETUSER's arguments. */
function rules(): string[] {
  const [, line = ""] = /^```acl\nuser (.+)\n```$/m.exec(GUIDE) ?? [];
  return line.split(" ");
}

/** What a user needs on a cluster: further rights, and without those that only a server needs. */
function clusterRules(): string[] {
  const [, more = "", less = ""] =
    /On a cluster also `([^`]+)`; `([^`]+)` are then not needed/.exec(GUIDE) ?? [];
  const dropped = less.split(" ");
  return [...rules().filter((rule) => !dropped.includes(rule)), ...more.split(" ")];
}

/** What an application does with the store; rejects when one of it is forbidden. */
async function useAll(url: string): Promise<void> {
  const store = redisStore({ url });
  const { sessions } = createSessionManager({
    secret: "for tests only: 32 characters or more",
    store,
    logger: false,
  });
  onTestFinished(() => sessions.close());
  const failures: string[] = [];
  sessions.on("store-failed", ({ operation, code }) => failures.push(`${operation} ${code}`));
  const { session } = await sessions.create({ principal: "ada" });
  const heard = new Promise((resolve) => {
    sessions.watch(session.handle, resolve);
  });
  expect((await sessions.list("ada")).items).toHaveLength(1);
  expect(await sessions.count()).toMatchObject({ active: 1, principals: 1 });
  expect((await sessions.principals()).items).toEqual([{ principal: "ada", active: 1 }]);
  for await (const found of sessions.find({})) expect(found.principal).toBe("ada");
  expect(await sessions.revokeAll("ada", "account disabled")).toBe(1);
  await heard;
  await sessions.revokeEveryone("key leaked");
  for (const { topic } of (await store.advise?.()) ?? [])
    if (topic !== "persistence") failures.push(topic);
  await store.signals?.send("session", "{}");
  if (failures.length > 0) throw new Error(failures.join(", "));
}

test("[B-18] the user of the guide may do all that the store does, on a server", async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  const admin = server.client();
  onTestFinished(() => admin.disconnect());
  const [name = "", ...rights] = rules();
  expect(rights).toContain("-@all");
  await admin.call("ACL", "SETUSER", name, ...rights);
  const url = server.url.replace("//", `//${name}:password@`);
  await useAll(url);

  await expect(admin.call("ACL", "DRYRUN", name, "FLUSHALL")).resolves.toMatch(/no permissions/);
  await expect(admin.call("ACL", "DRYRUN", name, "GET", "other")).resolves.toMatch(/key/);
});

test("[B-18] the user of the guide may do all that the store does, on a cluster", async () => {
  const cluster = await startCluster();
  onTestFinished(() => cluster.stop());
  const [name = "", ...rights] = clusterRules();
  expect(rights).toContain("+spublish");
  expect(rights).not.toContain("+publish");
  for (const server of cluster.servers) {
    const admin = server.client();
    await admin.call("ACL", "SETUSER", name, ...rights);
    admin.disconnect();
  }
  const hosts = cluster.nodes.map(({ host, port }) => `${host}:${port}`);
  await useAll(`redis+cluster://${name}:password@${hosts.join(",")}`);
}, 60_000);

test("[B-18] the rights of the guide name nothing that can be left out", async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  const admin = server.client();
  onTestFinished(() => admin.disconnect());
  const [name = "", ...rights] = rules();
  for (const right of ["+evalsha", "+eval", "+@write", "+info", "+time", "+publish"]) {
    await admin.call("ACL", "SETUSER", name, "reset");
    await admin.call("ACL", "SETUSER", name, ...rights.filter((other) => other !== right));
    const url = server.url.replace("//", `//${name}:password@`);
    await admin.call("SCRIPT", "FLUSH");
    await expect(useAll(url), right).rejects.toThrow(/NOPERM|can't run this command|not-checked/);
    await admin.call("FLUSHALL");
  }
});
