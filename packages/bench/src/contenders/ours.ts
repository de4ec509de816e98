/** Sojourn: each store on each framework, with the default options; Redis with its near cache too. */
import { join } from "node:path";
import { memoryStore } from "@sojourn/core";
import type { Session, Sessions, Store } from "@sojourn/core";
import { loginCookie } from "@sojourn/core/testing";
import { sessionMiddleware } from "@sojourn/express";
import { sessionPlugin } from "@sojourn/fastify";
import { cookieStore } from "@sojourn/store-cookie";
import { fileStore } from "@sojourn/store-file";
import { postgresStore } from "@sojourn/store-postgres";
import { redisStore } from "@sojourn/store-redis";
import { FRAMEWORKS } from "../contender.ts";
import type { Contender, Framework, Places, Service, Site } from "../contender.ts";
import { MAX_SESSIONS, SECRET, sessionData } from "../session-data.ts";
import type { SessionData } from "../session-data.ts";
import { expressSite } from "../sites/express.ts";
import { fastifySite } from "../sites/fastify.ts";
import type { Seed, Uses } from "../sites/uses.ts";

interface OurStore {
  readonly name: string;
  readonly title: string;
  readonly needs: readonly Service[];
  /** True: a session is made by a request alone, for the browser carries it. */
  readonly isCarried?: boolean;
  readonly open: (places: Places) => Store;
}

const STORES: readonly OurStore[] = [
  { name: "memory", title: "memory", needs: [], open: () => memoryStore() },
  {
    name: "file",
    title: "file",
    needs: [],
    open: ({ directory }) => fileStore({ path: join(directory, "sessions.sojourn") }),
  },
  {
    name: "redis",
    title: "Redis",
    needs: ["redis"],
    open: ({ redis: url }) => redisStore({ url }),
  },
  {
    name: "redis-near",
    title: "Redis with near cache",
    needs: ["redis"],
    // Redis tells of keys by their prefix, whichever database they are in: with this one, of this contender's alone.
    open: ({ redis: url }) => redisStore({ url, near: true, prefix: `near-${process.pid}` }),
  },
  {
    name: "postgres",
    title: "Postgres",
    needs: ["postgres"],
    open: ({ postgres: url }) => postgresStore({ url }),
  },
  {
    name: "cookie",
    title: "cookie, endings in Redis",
    needs: ["redis"],
    isCarried: true,
    open: ({ redis: url }) => cookieStore({ epochs: redisStore({ url }) }),
  },
  {
    name: "cookie-alone",
    title: "cookie, endings nowhere",
    needs: [],
    isCarried: true,
    open: () => cookieStore({ epochs: "none" }),
  },
];

const dataOf = (session: object): Partial<SessionData> => session;

const uses: Uses<{ readonly session: Session }, unknown> = {
  read: ({ session }) => dataOf(session).user,
  write: ({ session }, n) => void (dataOf(session).n = n),
  login: ({ session }, user) => session.login(user, { max: MAX_SESSIONS }),
};

/** Those that a browser carries cannot be counted. */
const carriedUses: typeof uses = {
  ...uses,
  login: ({ session }, user) => session.login(user),
  fill: ({ session }, data) => void Object.assign(session, data),
};

const seedIn =
  (sessions: Sessions): Seed =>
  (user) =>
    loginCookie(sessions, user, { data: { ...sessionData(user) }, secureRequest: true });

async function onFastify(store: Store, isCarried: boolean): Promise<Site> {
  let seed: Seed | undefined;
  return fastifySite(
    isCarried ? carriedUses : uses,
    async (app) => {
      await app.register(sessionPlugin, { secret: SECRET, store, logger: false });
      if (!isCarried) seed = seedIn(app.sessions);
    },
    isCarried ? undefined : async (user) => seed?.(user) ?? "",
  );
}

async function onExpress(store: Store, isCarried: boolean): Promise<Site> {
  const middleware = sessionMiddleware({ secret: SECRET, store, logger: false });
  await middleware.sessions.ready();
  const seed = isCarried ? undefined : seedIn(middleware.sessions);
  return expressSite(isCarried ? carriedUses : uses, (app) => app.use(middleware), seed);
}

const contender = (
  framework: Framework,
  { name, title, needs, isCarried = false, open }: OurStore,
): Contender => ({
  name: `ours-${framework}-${name}`,
  title: `Sojourn, ${title}`,
  framework,
  needs,
  start: (places) => (framework === "fastify" ? onFastify : onExpress)(open(places), isCarried),
});

/** Ours. */
export const contenders: readonly Contender[] = FRAMEWORKS.flatMap((framework) =>
  STORES.map((store) => contender(framework, store)),
);
