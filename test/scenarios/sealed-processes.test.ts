/** Sealed sessions and another process: what ended here is over there, with nothing shared but the ledger and the secret. */
import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { cookieStore } from "@sojourn/store-cookie";
import { redisStore } from "@sojourn/store-redis";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { bundle, type Bundle } from "../support/bundle.ts";
import { Client } from "./client.ts";
import { frameworks } from "./frameworks.ts";
import { SECRET } from "./matrix.ts";
import { shop } from "./shop.ts";

const prefix = `sealed-${randomUUID()}`;
let program: Bundle;
let visitor: ChildProcess;
let client: Redis;

beforeAll(async () => {
  const { standalone } = inject("redis");
  client = new Redis(standalone, "127.0.0.1");
  program = await bundle(join(import.meta.dirname, "sealed-visitor.ts"));
  visitor = fork(program.script, [String(standalone), prefix, SECRET], { execArgv: [] });
  await once(visitor, "message");
}, 60_000);

afterAll(() => {
  visitor.kill();
  client.disconnect();
  program.remove();
});

/** Whose session the other process sees. */
async function elsewhere(cookie: string): Promise<unknown> {
  visitor.send(cookie);
  const [{ principal, error }] = (await once(visitor, "message")) as [
    { principal?: unknown; error?: string },
  ];
  if (error !== undefined) throw new Error(error);
  return principal;
}

for (const framework of frameworks) {
  describe(framework.name, () => {
    test.for(["/logout", "/login?user=eve", "/elevate", "/reauthenticate", "/logout-everywhere"])(
      "[X-09] [B-01] a copy of both cookies is good in another process before %s, and dead at once after it",
      async (path) => {
        const store = cookieStore({ epochs: redisStore({ client, prefix }) });
        const app = await framework.start({ secret: SECRET, logger: false, store }, shop);
        onTestFinished(() => app.close());
        const ada = new Client(app.url);
        await ada.post("/login?user=ada");
        const copied = ada.cookie;
        expect(await elsewhere(copied)).toBe("ada");
        await ada.post(path);
        expect(await elsewhere(copied)).toBeNull();
        await app.sessions.revokeEveryone();
        expect(await elsewhere(ada.cookie)).toBeNull();
      },
    );
  });
}
