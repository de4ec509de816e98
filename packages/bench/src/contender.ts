/** What a contender is: the sessions of one library, on one framework, asked the same questions. */

/**
 * What is asked. All but the last two bring the cookie of a session. `none`: the handler does not touch it; `read`: it
 * reads one property; `write`: it changes one; `login`: it logs the user of the header `x-user` in; `anon`: as `read`,
 * without a cookie; `visitor`: as `none`, without a cookie.
 */
export const ROUTES = ["none", "read", "write", "login", "anon", "visitor"] as const;

/** One of {@link ROUTES}. */
export type Route = (typeof ROUTES)[number];

/** What sessions run on. Each has a bare contender, which the others are compared with. */
export const FRAMEWORKS = ["fastify", "express"] as const;

/** One of {@link FRAMEWORKS}. */
export type Framework = (typeof FRAMEWORKS)[number];

/** A server beside Node. */
export type Service = "redis" | "postgres";

/** Where a contender may keep its sessions: a database of its own on each server, and an empty directory. */
export interface Places {
  /** Empty where the contender needs none; so is `postgres`. */
  readonly redis: string;
  readonly postgres: string;
  readonly directory: string;
}

/** A contender. */
export interface Contender {
  /** What `--only` matches: `<library>-<framework>-<store>`. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly framework: Framework;
  readonly needs: readonly Service[];
  /** What it can be asked. Default: all. */
  readonly routes?: readonly Route[];
  /** Listens on a free port of this machine. */
  start(places: Places): Promise<Site>;
}

/** A contender that listens. */
export interface Site {
  readonly port: number;
  /** Puts a session of 500 bytes, of this user, where sessions are kept; its `Cookie` header. */
  seed(user: string): Promise<string>;
}
