/** better-auth: who is logged in, from a session in Redis. It keeps no data of the application, so it is read only. */
import { createHmac } from "node:crypto";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { Redis } from "ioredis";
import type { Contender, Places, Site } from "../contender.ts";
import { SECRET } from "../session-data.ts";
import { expressSite } from "../sites/express.ts";
import type { ExpressUses } from "../sites/express.ts";

async function start({ redis: url }: Places): Promise<Site> {
  const redis = new Redis(url);
  const auth = betterAuth({
    secret: SECRET,
    baseURL: "https://sessions.example",
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    secondaryStorage: {
      get: (key) => redis.get(key),
      set: async (key, value, ttl) =>
        void (await (ttl ? redis.set(key, value, "EX", ttl) : redis.set(key, value))),
      delete: async (key) => void (await redis.del(key)),
    },
    telemetry: { enabled: false },
    logger: { disabled: true },
  });
  const { internalAdapter, authCookies } = await auth.$context;
  const uses: ExpressUses = {
    async read({ headers: { cookie } }) {
      const headers = new Headers(cookie === undefined ? {} : { cookie });
      return (await auth.api.getSession({ headers }))?.user.name;
    },
    write: () => {},
    login: () => {},
  };
  return expressSite(uses, undefined, async (name) => {
    const email = `${name}@sessions.example`;
    const user = await internalAdapter.createUser({ name, email, emailVerified: true });
    const { token } = await internalAdapter.createSession(user.id);
    const signature = createHmac("sha256", SECRET).update(token).digest("base64");
    return `${authCookies.sessionToken.name}=${encodeURIComponent(`${token}.${signature}`)}`;
  });
}

/** better-auth. */
export const contenders: readonly Contender[] = [
  {
    name: "better-auth-express-redis",
    title: "better-auth getSession, Redis",
    framework: "express",
    needs: ["redis"],
    routes: ["read", "anon"],
    start,
  },
];
