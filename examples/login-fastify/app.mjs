/** The shop on Fastify. Everything it does with sessions is in this file. */
import { join } from "node:path";
import {
  addToCart,
  asset,
  confirmPath,
  flash,
  isCrossSite,
  isFresh,
  localPath,
  newPassword,
  openUsers,
  pages,
  removeFromCart,
  securityHeaders,
  shellOf,
  signUpForm,
  tellEnding,
  text,
  toDevice,
} from "@sojourn/example-login-shared";
import { sessionPlugin } from "@sojourn/fastify";
import Fastify from "fastify";

/**
 * Makes the application; `listen` and `close` are what a server and a test need of it. `session` is
 * what the settings say: store, secret, timeouts, devices (../login-shared/settings.mjs). `servedBy`
 * is shown on every page; `live` pages hear of the end of their session (../redis-cluster-login).
 */
export async function createApp({
  dataDir,
  session,
  production = false,
  trustProxy = false,
  servedBy,
  live = false,
}) {
  const users = await openUsers({ folder: join(dataDir, "users"), production });
  const app = Fastify({ trustProxy, bodyLimit: 16_384, logger: { level: "warn" } });

  app.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body))),
  );
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(securityHeaders({ live }));
    if (servedBy) reply.header("X-Served-By", servedBy);
    if (isCrossSite(request))
      throw Object.assign(new Error("cross-site request"), { statusCode: 403 });
  });
  await app.register(sessionPlugin, session);
  app.get("/assets/:name", { config: { session: false } }, async (request, reply) => {
    const file = asset(request.params.name);
    return file ? reply.headers(file.headers).send(file.body) : reply.code(404).send();
  });
  app.addHook("preHandler", async (request) => {
    if (request.routeOptions.config?.session !== false) tellEnding(request.session, session);
  });
  const now = () => session.store.clock.now();
  const around = { users, framework: "Fastify", limits: session, servedBy, live };
  addRoutes(app, { users, sessions: app.sessions, now, around });

  return {
    server: app.server,
    sessions: app.sessions,
    listen: (address) => app.listen(address),
    close: () => app.close(),
  };
}

const html = (reply, page) => reply.type("text/html; charset=utf-8").send(page);

function addRoutes(app, { users, sessions, now, around }) {
  const shell = (request, session = request.session) =>
    shellOf(session, { ...around, path: request.url, now: now() });
  const signedIn = async (request, reply) => {
    if (users.get(request.session.principal)) return;
    return reply.redirect(
      `/login?next=${encodeURIComponent(request.method === "GET" ? request.url : "/")}`,
      303,
    );
  };
  const fresh = async (request, reply) => {
    if (!isFresh(request.session, now()))
      return reply.redirect(confirmPath("/account/password"), 303);
  };

  // The shop: for everyone; the cart comes along through the login.
  app.get("/", async (request, reply) => html(reply, pages.shop(shell(request))));
  app.get("/cart", async (request, reply) => html(reply, pages.cart(shell(request))));
  app.post("/cart/add", async ({ session, body }, reply) => {
    await session.update((data) => addToCart(data, text(body, "product")));
    return reply.redirect("/", 303);
  });
  app.post("/cart/remove", async ({ session, body }, reply) => {
    await session.update((data) => removeFromCart(data, text(body, "product")));
    return reply.redirect("/cart", 303);
  });
  app.post("/cart/order", { preHandler: signedIn }, async ({ session }, reply) => {
    delete session.cart;
    flash(session, "good", "Thank you. Your things are packed and on their way, almost.");
    return reply.redirect("/", 303);
  });

  // In and out.
  app.get("/login", async (request, reply) =>
    html(reply, pages.login(shell(request), { path: localPath(request.query.next) })),
  );
  app.post("/login", async (request, reply) => {
    const { session, body } = request;
    const email = text(body, "email").trim().toLowerCase();
    const path = localPath(text(body, "next"));
    const user = await users.verify(email, text(body, "password"));
    if (!user) {
      reply.code(401);
      return html(
        reply,
        pages.login(shell(request), { email, path, problem: "E-mail or password is wrong." }),
      );
    }
    if (session.principal !== null && session.principal !== user.id) await session.logout();
    await session.login(user.id);
    flash(session, "good", `Good to see you, ${user.name}.`);
    return reply.redirect(path, 303);
  });
  app.get("/signup", async (request, reply) => html(reply, pages.signUp(shell(request))));
  app.post("/signup", async (request, reply) => {
    const { values, problems } = signUpForm(request.body);
    const isComplete = Object.keys(problems).length === 0;
    const user = isComplete && (await users.add(values));
    if (!user) {
      if (isComplete) problems.email = "This address has an account already.";
      reply.code(422);
      return html(reply, pages.signUp(shell(request), { values, problems }));
    }
    if (request.session.principal !== null) await request.session.logout();
    await request.session.login(user.id);
    flash(request.session, "good", `Welcome, ${user.name}.`);
    return reply.redirect("/", 303);
  });
  app.post("/logout", async ({ session }, reply) => {
    await session.logout();
    flash(session, "good", "You are signed out.");
    return reply.redirect("/", 303);
  });

  // Step-up: the password once more before a sensitive step.
  app.get("/confirm", { preHandler: signedIn }, async (request, reply) =>
    html(reply, pages.confirm(shell(request), { path: localPath(request.query.next) })),
  );
  app.post("/confirm", { preHandler: signedIn }, async (request, reply) => {
    const { session, body } = request;
    const path = localPath(text(body, "next"));
    const { email } = users.get(session.principal);
    if (!(await users.verify(email, text(body, "password")))) {
      reply.code(401);
      return html(
        reply,
        pages.confirm(shell(request), { path, problem: "That is not the password." }),
      );
    }
    await session.reauthenticate();
    return reply.redirect(path, 303);
  });

  // The account.
  app.get("/account", { preHandler: signedIn }, async (request, reply) =>
    html(reply, pages.account(shell(request))),
  );
  app.get("/account/password", { preHandler: [signedIn, fresh] }, async (request, reply) =>
    html(reply, pages.password(shell(request))),
  );
  app.post("/account/password", { preHandler: [signedIn, fresh] }, async (request, reply) => {
    const { session, body } = request;
    const { password, problem } = newPassword(body);
    if (problem) {
      reply.code(422);
      return html(reply, pages.password(shell(request), { problem }));
    }
    await users.setPassword(session.principal, password);
    const others = await session.revokeOthers("password changed");
    await session.reauthenticate();
    flash(session, "good", `Your password is changed. Other devices signed out: ${others}.`);
    return reply.redirect("/account", 303);
  });

  // Your devices.
  app.get("/devices", { preHandler: signedIn }, async (request, reply) => {
    const { items } = await sessions.list(request.session.principal);
    const devices = items.map((session) => toDevice(session, request.session.handle));
    return html(reply, pages.devices(shell(request), { devices }));
  });
  app.post("/devices/sign-out", { preHandler: signedIn }, async ({ session, body }, reply) => {
    const device = await sessions.get(text(body, "handle"));
    if (device?.principal === session.principal) {
      await sessions.revoke(device.handle, "signed out from another device");
      flash(session, "good", "That device is signed out.");
    }
    return reply.redirect("/devices", 303);
  });
  app.post("/devices/sign-out-others", { preHandler: signedIn }, async ({ session }, reply) => {
    const others = await session.revokeOthers("signed out from another device");
    flash(session, "good", `Other devices signed out: ${others}.`);
    return reply.redirect("/devices", 303);
  });
  app.post("/devices/sign-out-everywhere", { preHandler: signedIn }, async ({ session }, reply) => {
    await session.revokeOthers("signed out everywhere");
    await session.logout();
    flash(session, "good", "You are signed out everywhere.");
    return reply.redirect("/", 303);
  });

  // When it does not work out.
  app.setNotFoundHandler(async (request, reply) => {
    reply.code(404);
    return html(reply, pages.error(shell(request), { status: 404 }));
  });
  app.setErrorHandler(async (error, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) request.log.error({ err: error }, "request failed");
    reply.code(status).headers(error.headers ?? {});
    return html(reply, pages.error(shell(request, null), { status }));
  });
}
