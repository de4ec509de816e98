/** One process of the application: Fastify, sessions in a store, its port told to its parent. */
import type { AddressInfo } from "node:net";
import Fastify from "fastify";
import type { FastifyInstance } from "fastify";
import { sessionPlugin } from "@sojourn/fastify";
import type { OnLimit, Session } from "@sojourn/fastify";
import { storeAt } from "./stores.ts";
import type { Answer, Place } from "./words.ts";
import { setTimeout as pause } from "node:timers/promises";

const SECRET = "a secret of more than 32 characters for the tests under load";

declare module "@sojourn/fastify" {
  interface SessionData {
    /** How often this session was counted up. */
    n?: number;
    note?: string;
  }
}

const place = JSON.parse(process.argv[2] ?? "") as Place;
const app = Fastify();
await app.register(sessionPlugin, { secret: SECRET, store: storeAt(place), logger: false });
addRoutes(app);
addAdministration(app);
await app.listen({ port: 0, host: "127.0.0.1" });
process.send?.({ port: (app.server.address() as AddressInfo).port });
process.on("disconnect", () => process.exit(0));

function addRoutes(to: FastifyInstance): void {
  to.addHook("onRequest", async (request) => {
    // The request has its session by now; whatever ends it meanwhile has overtaken this one.
    const { wait } = request.query as { wait?: string };
    if (wait !== undefined) await pause(Number(wait));
  });
  to.get("/me", async ({ session }): Promise<Answer> => answerOf(session));
  to.post("/count", async ({ session }): Promise<Answer> => {
    let n = 0;
    await session.update((data) => {
      n = (data.n ?? 0) + 1;
      data.n = n;
    });
    return { ...answerOf(session), n };
  });
  to.post("/note", async ({ session }): Promise<Answer> => {
    session.note = "x".repeat(40);
    return answerOf(session);
  });
  to.post("/login", async (request): Promise<Answer> => {
    const { user, max, onLimit } = request.query as Record<"user" | "max", string> & {
      onLimit?: OnLimit;
    };
    await request.session.login(user, { max: Number(max), ...(onLimit ? { onLimit } : {}) });
    return answerOf(request.session);
  });
  to.post("/logout", async ({ session }): Promise<Answer> => {
    const answer = answerOf(session);
    await session.logout();
    return answer;
  });
}

function addAdministration(to: FastifyInstance): void {
  const config = { session: false };
  to.post("/admin/revoke", { config }, async (request) => {
    const { handle } = request.query as { handle: string };
    return { revoked: await to.sessions.revoke(handle) };
  });
  to.post("/admin/revoke-all", { config }, async (request) => {
    const { user } = request.query as { user: string };
    return { ended: await to.sessions.revokeAll(user) };
  });
  to.get("/admin/list", { config }, async (request) => {
    const { user } = request.query as { user: string };
    const { items } = await to.sessions.list(user);
    return { handles: items.map(({ handle }) => handle) };
  });
}

function answerOf(session: Session): Answer {
  const { handle, principal, ending } = session;
  return { handle, principal, n: session.n ?? 0, ending: ending?.why ?? null };
}
