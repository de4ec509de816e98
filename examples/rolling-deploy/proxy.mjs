/** `node proxy.mjs`: round robin over the processes in TARGETS that are ready; none is asked twice what it may have done. */
import { Agent, createServer, get, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

const { HOST = "127.0.0.1", PORT = "3000", TARGETS = "", PUBLIC_PROTO = "http" } = process.env;
/** How often readiness is asked, and how long a request waits for a process that is ready, in ms. */
const PROBE_EVERY = 100;
const PATIENCE = 10_000;
/** Headers for one hop only (RFC 9110 7.6.1). */
const HOP = new Set(["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"]);

const agent = new Agent({ keepAlive: true, maxFreeSockets: 32 });
const targets = TARGETS.split(",").map((address) => {
  const [host, port] = address.trim().split(":");
  return { host, port: Number(port), isReady: false };
});
let turn = 0;

const server = createServer((incoming, answer) => void handle(incoming, answer));
server.listen(Number(PORT), HOST, () => {
  console.log(`the proxy is at http://${HOST}:${server.address().port}`);
});
for (const target of targets) void watch(target);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(0));

/** What a load balancer does with a readiness probe. */
async function watch(target) {
  for (;;) {
    target.isReady = await isReady(target);
    await pause(PROBE_EVERY);
  }
}

function isReady({ host, port }) {
  return new Promise((resolve) => {
    const probe = get({ host, port, path: "/readyz", agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    probe.on("timeout", () => probe.destroy());
    probe.on("error", () => resolve(false));
  });
}

async function handle(incoming, answer) {
  const until = performance.now() + PATIENCE;
  while (performance.now() < until) {
    const target = nextReady();
    if (!target) await pause(20);
    else if ((await forward(incoming, answer, target)) === "done") return;
    else target.isReady = false;
  }
  answer.writeHead(503).end("No process of the application is ready.\n");
}

function nextReady() {
  const ready = targets.filter((target) => target.isReady);
  return ready[turn++ % ready.length];
}

/** Resolves to `again` where the target did nothing, or what it did may be done again (RFC 9110 9.2.2). */
function forward(incoming, answer, { host, port }) {
  const { method, url: path } = incoming;
  const headers = {
    ...withoutHop(incoming.headers),
    "x-forwarded-for": incoming.socket.remoteAddress,
    "x-forwarded-proto": PUBLIC_PROTO,
  };
  if ("transfer-encoding" in incoming.headers) headers["transfer-encoding"] = "chunked";
  const onward = request({ host, port, method, path, headers, agent });
  let isSent = false;
  const send = () => {
    isSent = true;
    incoming.pipe(onward);
  };
  // Until the connection stands nothing has been read: the body can go to another target.
  onward.once("socket", (socket) => (socket.connecting ? socket.once("connect", send) : send()));
  answer.once("close", () => onward.destroy());
  return new Promise((resolve) => {
    onward.once("response", (response) => {
      answer.writeHead(response.statusCode, withoutHop(response.headers));
      response.pipe(answer);
      resolve("done");
    });
    onward.on("error", () => {
      if (!isSent || (onlyReads(incoming) && !answer.headersSent && !answer.closed))
        return resolve("again");
      if (answer.headersSent || answer.closed) answer.destroy();
      else answer.writeHead(502).end("The process of the application went away.\n");
      resolve("done");
    });
  });
}

/** May be sent twice, and has no body that is gone by then. */
const onlyReads = ({ method, headers }) =>
  (method === "GET" || method === "HEAD") &&
  !("content-length" in headers || "transfer-encoding" in headers);

function withoutHop(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP.has(name)));
}
