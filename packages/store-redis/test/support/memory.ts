/** Bytes that Redis takes for a session: this store's, and those of connect-redis for the same data. */
import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { systemClock } from "@sojourn/core/store";
import { recordOf } from "../../../../test/support/records.ts";
import { redisStore } from "../../src/index.ts";
import { startServer } from "./server.ts";

/** What is used of the incumbents. Their own types would give every `Request` of Express a second `session`. */
interface Incumbents {
  readonly RedisStore: new (options: object) => {
    set(id: string, data: object): Promise<unknown>;
  };
  readonly Cookie: new () => { maxAge: number };
}

async function incumbents(): Promise<Incumbents> {
  const [stores, sessions] = ["connect-redis", "express-session"];
  const { RedisStore } = (await import(stores)) as Pick<Incumbents, "RedisStore">;
  const { default: session } = (await import(sessions)) as {
    default: Pick<Incumbents, "Cookie">;
  };
  return { RedisStore, Cookie: session.Cookie };
}

const BATCH = 500;
const DAY = 86_400_000;

/** What is kept, and how many bytes of memory one of it takes. */
export interface Measured {
  readonly what: string;
  readonly bytes: number;
}

/** A store, and what it is given. */
export interface Contender {
  readonly what: string;
  /** Opens it at a server; the returned function keeps the n-th session. */
  open(url: string): Promise<{ keep: (n: number) => Promise<unknown>; close(): Promise<void> }>;
}

/** Measures each contender on a server of its own. */
export async function measure(
  contenders: readonly Contender[],
  sessions: number,
): Promise<readonly Measured[]> {
  const figures: Measured[] = [];
  for (const { what, open } of contenders) {
    const server = await startServer();
    const admin = new Redis(server.url);
    const { keep, close } = await open(server.url);
    await keep(-1);
    const before = await usedMemory(admin);
    for (let n = 0; n < sessions; n += BATCH) {
      await Promise.all(
        Array.from({ length: Math.min(BATCH, sessions - n) }, (_, i) => keep(n + i)),
      );
    }
    figures.push({ what, bytes: ((await usedMemory(admin)) - before) / sessions });
    await close();
    admin.disconnect();
    await server.stop();
  }
  return figures;
}

/** `used_memory`, tables and all, when no table is on its way into a larger one. */
async function usedMemory(admin: Redis): Promise<number> {
  await new Promise((resolve) => {
    setTimeout(resolve, 1_000);
  });
  return Number(/used_memory:(\d+)/.exec(await admin.info("memory"))?.[1]);
}

function ours(what: string, bytes: number, user: ((n: number) => string) | null): Contender {
  return {
    what: `@sojourn/store-redis, ${bytes} B, ${what}`,
    async open(url) {
      const store = redisStore({ url });
      const payload = textOf(bytes);
      return {
        keep: (n) =>
          store.create(recordOf(systemClock, user === null ? null : user(n), { payload })),
        close: () => store.close(),
      };
    },
  };
}

function connectRedis(bytes: number): Contender {
  return {
    what: `connect-redis 9, ${bytes} B and its cookie, no index`,
    async open(url) {
      const client = createClient({ url });
      await client.connect();
      const { RedisStore, Cookie } = await incumbents();
      const store = new RedisStore({ client });
      const data: object = JSON.parse(textOf(bytes));
      return {
        keep: async () => {
          const cookie = new Cookie();
          cookie.maxAge = DAY;
          await store.set(randomBytes(24).toString("base64url"), { cookie, ...data });
        },
        close: async () => client.destroy(),
      };
    },
  };
}

/** JSON of so many bytes. */
function textOf(bytes: number): string {
  const empty = JSON.stringify({ text: "" }).length;
  return JSON.stringify({ text: "x".repeat(bytes - empty) });
}

const six = (n: number): string => String(n + 1).padStart(6, "0");

/** The two that a release is held to: sessions of 500 B, each of a user, and what connect-redis takes. */
export const SHORT: readonly Contender[] = [
  ours("each of a user (6 characters)", 500, six),
  connectRedis(500),
];

/** All that the guide shows. */
export const ALL: readonly Contender[] = [
  ours("each of a user (6 characters)", 300, six),
  ours("nobody's", 300, null),
  connectRedis(300),
  ...SHORT,
  ours("each of a user (UUID)", 500, (n) => `0190c1a5-7b1e-7cc0-8a00-${six(n)}${six(n)}`),
  ours("nobody's", 500, null),
];
