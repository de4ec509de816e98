/** The least that a session on a server can cost: one GET by ioredis a request with a cookie, and one SET a change. */
import { Redis } from "ioredis";
import type { Contender } from "../contender.ts";
import { sessionData } from "../session-data.ts";
import { expressSite } from "../sites/express.ts";
import { fastifySite } from "../sites/fastify.ts";
import type { Uses } from "../sites/uses.ts";

interface Incoming {
  readonly headers: { readonly cookie?: string | undefined };
}

const textOf = (user: string): string => JSON.stringify(sessionData(user));
const TEXT = textOf("user-0000000");

/** A store that checks nothing, decodes nothing and ends nothing. */
class Floor {
  readonly #redis: Redis;
  readonly uses: Uses<Incoming, unknown> = {
    read: () => "user-0000000",
    write: (request) => this.#redis.set(keyOf(request), TEXT),
    login: () => this.#redis.set("login", TEXT),
  };

  constructor(url: string) {
    this.#redis = new Redis(url);
  }

  readonly seed = async (user: string): Promise<string> => {
    await this.#redis.set(user, textOf(user));
    return `id=${user}`;
  };

  async load(request: Incoming): Promise<void> {
    if (request.headers.cookie !== undefined) await this.#redis.get(keyOf(request));
  }
}

const keyOf = ({ headers: { cookie = "" } }: Incoming): string => cookie.slice("id=".length);

/** The floor of each framework. */
export const contenders: readonly Contender[] = [
  {
    name: "floor-fastify",
    title: "Fastify + 1 GET or SET",
    framework: "fastify",
    needs: ["redis"],
    async start({ redis }) {
      const floor = new Floor(redis);
      const load = (request: Incoming): Promise<void> => floor.load(request);
      return fastifySite(floor.uses, (app) => app.addHook("onRequest", load), floor.seed);
    },
  },
  {
    name: "floor-express",
    title: "Express + 1 GET or SET",
    framework: "express",
    needs: ["redis"],
    async start({ redis }) {
      const floor = new Floor(redis);
      const install: Parameters<typeof expressSite>[1] = (app) =>
        app.use(async (request, _response, next) => {
          await floor.load(request);
          next();
        });
      return expressSite(floor.uses, install, floor.seed);
    },
  },
];
