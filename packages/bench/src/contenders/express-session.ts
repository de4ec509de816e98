/** express-session: its memory store, and connect-redis by either client. */
import type { RequestHandler } from "express";
import type { Contender } from "../contender.ts";
import { SECRET } from "../session-data.ts";
import { expressSite } from "../sites/express.ts";
import type { ExpressUses } from "../sites/express.ts";
import { byIoredis, byNodeRedis } from "./connect-redis.ts";
import { peer, regenerateFor, seedInto, sessionOf } from "./peers.ts";
import type { PeerStore } from "./peers.ts";

interface Library {
  readonly default: ((options: object) => RequestHandler) & {
    readonly MemoryStore: new () => PeerStore;
  };
}

const uses: ExpressUses = {
  read: (request) => sessionOf(request).user,
  write: (request, n) => void (sessionOf(request).n = n),
  login: (request, user) => regenerateFor(request, user),
};

function contender(
  store: string,
  title: string,
  open: (library: Library, redis: string) => Promise<PeerStore>,
): Contender {
  return {
    name: `express-session-express-${store}`,
    title: `express-session, ${title}`,
    framework: "express",
    needs: store === "memory" ? [] : ["redis"],
    async start({ redis }) {
      const library = await peer<Library>("express-session");
      const opened = await open(library, redis);
      const session = library.default({
        secret: SECRET,
        store: opened,
        resave: false,
        saveUninitialized: false,
        cookie: { secure: true, sameSite: "lax" },
      });
      return expressSite(
        uses,
        (app) => app.use(session),
        seedInto(opened, "connect.sid=s:", false),
      );
    },
  };
}

/** express-session. */
export const contenders: readonly Contender[] = [
  contender("memory", "memory", async ({ default: { MemoryStore } }) => new MemoryStore()),
  contender("node-redis", "connect-redis (node-redis)", async (_library, url) => byNodeRedis(url)),
  contender("ioredis", "connect-redis (ioredis)", async (_library, url) => byIoredis(url)),
];
