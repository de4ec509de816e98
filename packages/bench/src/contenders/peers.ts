/**
 * The parts of other libraries that are used here. Their own types would give every request a second `session`, so they are
 * imported by a name that the compiler does not follow.
 */
import { createHmac, randomBytes } from "node:crypto";
import { IDLE, SECRET, sessionData } from "../session-data.ts";
import type { SessionData } from "../session-data.ts";
import type { Seed } from "../sites/uses.ts";

/** A store of express-session or @fastify/session. */
export interface PeerStore {
  set(id: string, session: object, done: (error?: unknown) => void): unknown;
}

/** A session of express-session or @fastify/session. */
export interface PeerSession extends Partial<SessionData> {
  regenerate(done: (error?: unknown) => void): void;
}

/** The session of a request; `regenerate` puts another one in its place. */
export const sessionOf = (request: object): PeerSession =>
  (request as { readonly session: PeerSession }).session;

/** Imports a library. */
export async function peer<Module>(name: string): Promise<Module> {
  return (await import(name)) as Module;
}

/** A login as the manuals show it: a new session, and the user's name in it. */
export async function regenerateFor(request: object, user: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    sessionOf(request).regenerate((error) => (error ? reject(error) : resolve()));
  });
  sessionOf(request).user = user;
}

/** An id, signed as express-session and @fastify/session sign it. */
function signed(id: string): string {
  const signature = createHmac("sha256", SECRET).update(id).digest("base64");
  return `${id}.${signature.replace(/=+$/, "")}`;
}

/** Writes sessions into the store of a peer. @param cookie what goes before the signed id, as `connect.sid=s:` */
export function seedInto(store: PeerStore, cookie: string, isPersistent: boolean): Seed {
  const [name = "", prefix = ""] = cookie.split("=", 2);
  return async (user) => {
    const id = randomBytes(24).toString("base64url");
    const expires = isPersistent ? new Date(Date.now() + IDLE) : null;
    const attributes = { path: "/", httpOnly: true, secure: true, sameSite: "lax" };
    const session = {
      cookie: { originalMaxAge: isPersistent ? IDLE : null, expires, ...attributes },
      ...sessionData(user),
    };
    await new Promise<void>((resolve, reject) => {
      store.set(id, session, (error) => (error ? reject(error) : resolve()));
    });
    return `${name}=${encodeURIComponent(prefix + signed(id))}`;
  };
}
