/** The application: logins that count. Who you say you are is who you are, for this is about deploying it. */
import { csrfGuard, sessionPlugin } from "@sojourn/fastify";
import { exportEndpoint, healthAnswer, readiness } from "@sojourn/core/server";
import Fastify from "fastify";

/** Makes it; `to` is where an export that is asked for goes, or null. */
export async function createApp({ session: options, trustProxy, exportSecret, to }) {
  const app = Fastify({ trustProxy, logger: { level: "warn" } });
  await app.register(sessionPlugin, { ...options, max: 0 });
  await app.register(csrfGuard);

  app.post("/login", async ({ session, body }) => {
    await session.login(body.user);
    return { user: session.principal };
  });
  app.post("/count", async ({ session }, reply) => {
    if (session.principal === null) return reply.code(401).send({ user: null });
    let count;
    await session.update((data) => {
      count = data.count = (data.count ?? 0) + 1;
    });
    return { user: session.principal, count };
  });
  app.get("/me", async ({ session }) => ({ user: session.principal, count: session.count ?? 0 }));
  app.post("/logout-others", async ({ session }) => ({ ended: await session.revokeOthers() }));

  addProbes(app);
  if (to) addExport(app, exportEndpoint({ sessions: app.sessions, secret: exportSecret, to }));
  return app;
}

/** None of them makes a session, nor needs one. */
function addProbes(app) {
  const config = { session: false, csrf: false };
  app.get("/livez", { config }, async () => ({ alive: true }));
  app.get("/readyz", { config }, async (_request, reply) => {
    const { status, body } = await readiness(app.sessions);
    return reply.code(status).send(body);
  });
  app.get("/healthz", { config }, async (_request, reply) => {
    const { status, body } = await healthAnswer(app.sessions);
    return reply.code(status).send(body);
  });
}

function addExport(app, endpoint) {
  app.all(
    "/internal/export",
    { config: { session: false, csrf: false } },
    async (request, reply) => {
      const { status, headers, body } = await endpoint.answer(request);
      if (status === 404) return reply.callNotFound();
      return reply.code(status).headers(headers).send(body);
    },
  );
}
