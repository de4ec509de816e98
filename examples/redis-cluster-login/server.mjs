/** Starts all of the example: a Redis if none is given, two application processes, the proxy. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { portOf, sayWhere, stopOnSignal } from "@sojourn/example-login-shared/server";
import { readSettings } from "@sojourn/example-login-shared/settings";
import { createProxy } from "./proxy.mjs";
import { startRedis } from "./redis.mjs";

const HOST = "127.0.0.1";
const NODE = fileURLToPath(new URL("node.mjs", import.meta.url));
const started = [];

stopOnSignal({ close: () => stop().then(() => process.exit()) }); // also while it starts
try {
  await start();
} catch (error) {
  console.error(error.message);
  await stop();
  process.exit(1);
}

async function start() {
  const environment = { ...process.env, SESSION_STORE: "redis" };
  environment.REDIS_URL ||= await ownRedis();
  const settings = readSettings(environment, fileURLToPath(new URL("data", import.meta.url)));
  // The proxy is on this machine, so X-Forwarded-* of a loopback address is to be believed.
  const ofNodes = { SOJOURN_DATA: settings.dataDir, HOST, PORT: "0", TRUST_PROXY: "loopback" };
  const nodes = await Promise.all(
    ["express", "fastify"].map((name) => startNode(name, { ...environment, ...ofNodes })),
  );
  const proxy = createProxy(nodes);
  const { host } = settings;
  proxy.listen(await portOf(settings), host);
  await once(proxy, "listening");
  started.push(() => void proxy.close()); // what is under way ends with the processes behind it
  sayWhere(`http://${host}:${proxy.address().port}`, settings);
}

async function ownRedis() {
  const redis = await startRedis();
  started.push(() => redis.stop());
  console.log(
    `No REDIS_URL is set: a ${redis.program} was started, which keeps sessions while this runs.`,
  );
  return redis.url;
}

/** One application process; when it ends by itself, the others go on. */
async function startNode(framework, env) {
  const child = fork(NODE, [framework], { env, detached: true });
  const name = `${framework}-${child.pid}`;
  let isStopping = false;
  started.push(() => {
    isStopping = true;
    if (child.kill()) return once(child, "exit");
  });
  const ended = once(child, "exit").then(([code, signal]) => {
    if (!isStopping) console.log(`${name} ended (${signal ?? code}); the proxy passes it over.`);
    throw new Error(`${name} did not start.`);
  });
  const [{ port }] = await Promise.race([once(child, "message"), ended]);
  ended.catch(() => {}); // from now on nobody waits for it
  console.log(`${name} listens on port ${port}.`);
  return { host: HOST, port };
}

/** In the opposite order of starting. */
async function stop() {
  for (const end of started.splice(0).toReversed()) await end();
}
