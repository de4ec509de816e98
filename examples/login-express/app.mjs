/** The shop on Express. Everything it does with sessions is in this file. */
import { createServer } from "node:http";
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
import { sessionMiddleware } from "@sojourn/express";
import express from "express";

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
  const middleware = sessionMiddleware({ ...session, skip: isAsset });
  await middleware.sessions.ready();

  const app = express();
  app.set("trust proxy", trustProxy).disable("x-powered-by");
  app.use((req, res, next) => {
    res.set(securityHeaders({ live }));
    if (servedBy) res.set("X-Served-By", servedBy);
    next(
      isCrossSite(req)
        ? Object.assign(new Error("cross-site request"), { statusCode: 403 })
        : undefined,
    );
  });
  app.use(middleware);
  app.use(express.urlencoded({ extended: false, limit: 16_384 }));
  app.get("/assets/:name", (req, res, next) => {
    const file = asset(req.params.name);
    return file ? res.set(file.headers).send(file.body) : next();
  });
  app.use((req, _res, next) => {
    if (req.session) tellEnding(req.session, session);
    next();
  });
  const now = () => session.store.clock.now();
  const around = { users, framework: "Express", limits: session, servedBy, live };
  addRoutes(app, { users, sessions: middleware.sessions, now, around });

  const server = createServer(app);
  return {
    server,
    sessions: middleware.sessions,
    listen: ({ port, host }) => listen(server, port, host),
    async close() {
      await new Promise((resolve) => server.close(resolve));
      await middleware.sessions.close(); // and the store with it
    },
  };
}

const isAsset = ({ url }) => url.startsWith("/assets/");

function listen(server, port, host) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(`http://${host}:${server.address().port}`));
  });
}

function addRoutes(app, { users, sessions, now, around }) {
  const shell = (req, session = req.session) =>
    shellOf(session, { ...around, path: req.path, now: now() });
  const signedIn = (req, res, next) => {
    if (users.get(req.session.principal)) return next();
    res.redirect(303, `/login?next=${encodeURIComponent(req.method === "GET" ? req.url : "/")}`);
  };
  const fresh = (req, res, next) => {
    if (isFresh(req.session, now())) return next();
    res.redirect(303, confirmPath("/account/password"));
  };

  // The shop: for everyone; the cart comes along through the login.
  app.get("/", (req, res) => res.send(pages.shop(shell(req))));
  app.get("/cart", (req, res) => res.send(pages.cart(shell(req))));
  app.post("/cart/add", async (req, res) => {
    await req.session.update((data) => addToCart(data, text(req.body, "product")));
    res.redirect(303, "/");
  });
  app.post("/cart/remove", async (req, res) => {
    await req.session.update((data) => removeFromCart(data, text(req.body, "product")));
    res.redirect(303, "/cart");
  });
  app.post("/cart/order", signedIn, (req, res) => {
    delete req.session.cart;
    flash(req.session, "good", "Thank you. Your things are packed and on their way, almost.");
    res.redirect(303, "/");
  });

  // In and out.
  app.get("/login", (req, res) =>
    res.send(pages.login(shell(req), { path: localPath(text(req.query, "next")) })),
  );
  app.post("/login", async (req, res) => {
    const email = text(req.body, "email").trim().toLowerCase();
    const path = localPath(text(req.body, "next"));
    const user = await users.verify(email, text(req.body, "password"));
    if (!user) {
      const problem = "E-mail or password is wrong.";
      return res.status(401).send(pages.login(shell(req), { email, path, problem }));
    }
    const { session } = req;
    if (session.principal !== null && session.principal !== user.id) await session.logout();
    await session.login(user.id);
    flash(session, "good", `Good to see you, ${user.name}.`);
    res.redirect(303, path);
  });
  app.get("/signup", (req, res) => res.send(pages.signUp(shell(req))));
  app.post("/signup", async (req, res) => {
    const { values, problems } = signUpForm(req.body);
    const isComplete = Object.keys(problems).length === 0;
    const user = isComplete && (await users.add(values));
    if (!user) {
      if (isComplete) problems.email = "This address has an account already.";
      return res.status(422).send(pages.signUp(shell(req), { values, problems }));
    }
    if (req.session.principal !== null) await req.session.logout();
    await req.session.login(user.id);
    flash(req.session, "good", `Welcome, ${user.name}.`);
    res.redirect(303, "/");
  });
  app.post("/logout", async (req, res) => {
    await req.session.logout();
    flash(req.session, "good", "You are signed out.");
    res.redirect(303, "/");
  });

  // Step-up: the password once more before a sensitive step.
  app.get("/confirm", signedIn, (req, res) =>
    res.send(pages.confirm(shell(req), { path: localPath(text(req.query, "next")) })),
  );
  app.post("/confirm", signedIn, async (req, res) => {
    const path = localPath(text(req.body, "next"));
    const { email } = users.get(req.session.principal);
    if (!(await users.verify(email, text(req.body, "password")))) {
      const problem = "That is not the password.";
      return res.status(401).send(pages.confirm(shell(req), { path, problem }));
    }
    await req.session.reauthenticate();
    res.redirect(303, path);
  });

  // The account.
  app.get("/account", signedIn, (req, res) => res.send(pages.account(shell(req))));
  app.get("/account/password", signedIn, fresh, (req, res) => res.send(pages.password(shell(req))));
  app.post("/account/password", signedIn, fresh, async (req, res) => {
    const { session } = req;
    const { password, problem } = newPassword(req.body);
    if (problem) return res.status(422).send(pages.password(shell(req), { problem }));
    await users.setPassword(session.principal, password);
    const others = await session.revokeOthers("password changed");
    await session.reauthenticate();
    flash(session, "good", `Your password is changed. Other devices signed out: ${others}.`);
    res.redirect(303, "/account");
  });

  // Your devices.
  app.get("/devices", signedIn, async (req, res) => {
    const { items } = await sessions.list(req.session.principal);
    const devices = items.map((session) => toDevice(session, req.session.handle));
    res.send(pages.devices(shell(req), { devices }));
  });
  app.post("/devices/sign-out", signedIn, async (req, res) => {
    const device = await sessions.get(text(req.body, "handle"));
    if (device?.principal === req.session.principal) {
      await sessions.revoke(device.handle, "signed out from another device");
      flash(req.session, "good", "That device is signed out.");
    }
    res.redirect(303, "/devices");
  });
  app.post("/devices/sign-out-others", signedIn, async (req, res) => {
    const others = await req.session.revokeOthers("signed out from another device");
    flash(req.session, "good", `Other devices signed out: ${others}.`);
    res.redirect(303, "/devices");
  });
  app.post("/devices/sign-out-everywhere", signedIn, async (req, res) => {
    await req.session.revokeOthers("signed out everywhere");
    await req.session.logout();
    flash(req.session, "good", "You are signed out everywhere.");
    res.redirect(303, "/");
  });

  // When it does not work out. Express knows an error handler by its four parameters.
  app.use((req, res) => res.status(404).send(pages.error(shell(req), { status: 404 })));
  app.use((error, req, res, _next) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) console.error(error);
    res.status(status).set(error.headers ?? {});
    res.send(pages.error(shell(req, null), { status }));
  });
}
