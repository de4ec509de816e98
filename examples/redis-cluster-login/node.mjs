/** One process of the application, `node node.mjs express` or `fastify`; it tells where it listens. */
import { stopOnSignal } from "@sojourn/example-login-shared/server";
import { readSettings, sessionOptions } from "@sojourn/example-login-shared/settings";
import { attachLive } from "./live.mjs";

const APPS = {
  express: () => import("@sojourn/example-login-express/app"),
  fastify: () => import("@sojourn/example-login-fastify/app"),
};

const framework = process.argv[2];
const { createApp } = await APPS[framework]();
const settings = readSettings(process.env);
const servedBy = `${framework}-${process.pid}`;
const session = await sessionOptions(settings);
const app = await createApp({ ...settings, session, servedBy, live: true });
const live = attachLive(app.server, { sessions: app.sessions, servedBy });
const url = await app.listen({ port: settings.port, host: settings.host });
stopOnSignal({
  close() {
    live.close();
    return app.close();
  },
});
process.once("disconnect", () => process.exit(1)); // nobody is left to stop it
process.channel.unref(); // once it is stopped, nothing else keeps it
process.send({ port: Number(new URL(url).port) });
