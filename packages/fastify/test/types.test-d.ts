/** F-14: what the compiler knows of a session. Checked by `tsc -p tsconfig.json`; never run. */
import {
  sessionPlugin,
  type Session,
  type SessionPluginOptions,
  type Sessions,
} from "@sojourn/fastify";
import fastify from "fastify";

declare module "@sojourn/fastify" {
  interface SessionData {
    typed?: { id: number };
  }
}

/* oxlint-disable typescript/no-unnecessary-type-parameters -- tells `any` from every other type */
type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/* oxlint-enable typescript/no-unnecessary-type-parameters */
function same<A, B>(_proof: Equal<A, B>): void {}

export async function typesOfAnApplication(): Promise<void> {
  const app = fastify();
  await app.register(sessionPlugin, { secret: "…", cookie: { sameSite: "lax" }, idle: "30m" });
  await app.register(sessionPlugin);
  // @ts-expect-error -- unknown options are refused
  await app.register(sessionPlugin, { maxAge: 5 });
  // @ts-expect-error -- a wrong value of an option is refused
  await app.register(sessionPlugin, { cookie: { sameSite: "loose" } });

  same<typeof app.sessions, Sessions>(true);
  app.get("/", { config: { session: false } }, () => "");
  // @ts-expect-error -- `session` in a route's config is a boolean
  app.get("/wrong", { config: { session: "no" } }, () => "");

  app.get("/data", async (request) => {
    same<typeof request.session, Session>(true);
    same<typeof request.session.typed, { id: number } | undefined>(true);
    same<typeof request.session.principal, string | null>(true);
    request.session.typed = { id: 1 };
    // @ts-expect-error -- data has the merged type
    request.session.typed = { id: "one" };
    // @ts-expect-error -- facts are read-only
    request.session.principal = "ann";
    // @ts-expect-error -- data that nobody declared
    request.session.undeclared = 1;
    const typed = request.session.get("typed");
    same<typeof typed, { id: number } | undefined>(true);
    const unknownKey = request.session.get("undeclared");
    same<typeof unknownKey, unknown>(true);
    await request.session.login("ann", { max: 3, onLimit: "reject" });
    await request.session.update((data) => {
      data.typed = { id: 2 };
    });
  });

  const secured = fastify({ http2: true });
  await secured.register(sessionPlugin, { property: "session" });
  secured.get("/", (request) => request.session.typed?.id ?? 0);

  same<SessionPluginOptions["property"], string | undefined>(true);
}
