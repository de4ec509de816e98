/** The routes that every scenario uses. Query parameters carry what a form would. */
import type { LoginOptions, OnLimit, Session } from "@sojourn/core";
import { Answer } from "./frameworks.ts";
import type { Exchange, Route } from "./frameworks.ts";

const get = (path: string, handle: Route["handle"]): Route => ({ method: "GET", path, handle });
const post = (path: string, handle: Route["handle"]): Route => ({ method: "POST", path, handle });
const done = { ok: true };

/** What a session looks like from outside. */
export function view(session: Session): Record<string, unknown> {
  const { principal, handle, level, isNew, ending } = session;
  return { principal, handle, level, isNew, ending, data: session.toJSON() };
}

function loginOptions({ query }: Exchange): LoginOptions {
  const [max, onLimit, idle, absolute] = ["max", "onLimit", "idle", "absolute"].map(query);
  return {
    ...(max === undefined ? {} : { max: Number(max) }),
    ...(onLimit === undefined ? {} : { onLimit: onLimit as OnLimit }),
    ...(idle === undefined ? {} : { idle: idle === "none" ? null : idle }),
    ...(absolute === undefined ? {} : { absolute }),
  };
}

async function login(exchange: Exchange): Promise<void> {
  await exchange.session.login(exchange.query("user") ?? "", loginOptions(exchange));
}

/** The routes. */
export const shop: readonly Route[] = [
  get("/me", ({ session }) => view(session)),
  get("/private", ({ session }) =>
    session.principal === null ? new Answer(401, { error: "log in" }) : view(session),
  ),
  get("/plain", () => done),
  { ...get("/open", () => done), session: false },
  get("/check", ({ session }) => session.checkClient()),
  post("/login", async (exchange) => {
    await login(exchange);
    return { handle: exchange.session.handle };
  }),
  post("/enter", async (exchange) => {
    await login(exchange);
    return new Answer(303, undefined, { location: "/me" });
  }),
  post("/logout", async ({ session }) => {
    const { principal } = session;
    await session.logout();
    return { loggedOut: principal };
  }),
  post("/logout-others", async ({ session }) => ({ ended: await session.revokeOthers() })),
  post("/logout-everywhere", async ({ session, sessions }) => ({
    ended: await sessions.revokeAll(session.principal ?? "", "logged out everywhere"),
  })),
  post("/rotate", async ({ session }) => {
    await session.rotate();
    return done;
  }),
  post("/elevate", async ({ session }) => {
    await session.elevate();
    return { level: session.level };
  }),
  post("/reauthenticate", async ({ session }) => {
    await session.reauthenticate();
    return done;
  }),
  post("/cart", ({ session, query }) => {
    const { cart = [] } = session.toJSON() as { cart?: string[] };
    session.set("cart", [...cart, query("item")]);
    return done;
  }),
  post("/set", ({ session, query }) => {
    session.set(query("key") ?? "", JSON.parse(query("value") ?? "null"));
    return done;
  }),
  post("/increment", async ({ session }) => {
    await session.update((data) => {
      data["count"] = Number(data["count"] ?? 0) + 1;
    });
    return done;
  }),
];

/** The path that sets a data key. */
export function set(key: string, value: unknown): string {
  return `/set?${new URLSearchParams({ key, value: JSON.stringify(value) }).toString()}`;
}
