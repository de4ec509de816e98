/** @fastify/session: its memory store, connect-redis with its defaults, and connect-redis with the best settings. */
import cookie from "@fastify/cookie";
import type { FastifyPluginCallback } from "fastify";
import type { Contender } from "../contender.ts";
import { IDLE, SECRET } from "../session-data.ts";
import { fastifySite } from "../sites/fastify.ts";
import type { FastifyUses } from "../sites/fastify.ts";
import { byIoredis, byNodeRedis } from "./connect-redis.ts";
import { peer, regenerateFor, seedInto, sessionOf } from "./peers.ts";
import type { PeerStore } from "./peers.ts";

interface Library {
  readonly default: FastifyPluginCallback<object>;
  readonly MemoryStore: new () => PeerStore;
}

const uses: FastifyUses = {
  read: (request) => sessionOf(request).user,
  write: (request, n) => void (sessionOf(request).n = n),
  login: (request, user) => regenerateFor(request, user),
};

function contender(
  store: string,
  title: string,
  open: (library: Library, redis: string) => Promise<PeerStore>,
  more: object = {},
): Contender {
  return {
    name: `fastify-session-fastify-${store}`,
    title: `@fastify/session, ${title}`,
    framework: "fastify",
    needs: store === "memory" ? [] : ["redis"],
    async start({ redis }) {
      const library = await peer<Library>("@fastify/session");
      const opened = await open(library, redis);
      const options = {
        secret: SECRET,
        store: opened,
        saveUninitialized: false,
        cookie: { secure: true, sameSite: "lax", maxAge: IDLE },
        ...more,
      };
      return fastifySite(
        uses,
        async (app) => {
          await app.register(cookie);
          await app.register(library.default, options);
        },
        seedInto(opened, "sessionId=", true),
      );
    },
  };
}

/** @fastify/session. */
export const contenders: readonly Contender[] = [
  contender("memory", "memory", async ({ MemoryStore }) => new MemoryStore()),
  contender("redis", "connect-redis, defaults", async (_library, url) => byNodeRedis(url)),
  contender(
    "redis-best",
    "connect-redis (ioredis), rolling off",
    async (_l, url) => byIoredis(url),
    {
      rolling: false,
    },
  ),
];
