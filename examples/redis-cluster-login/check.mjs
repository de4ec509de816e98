/** Runs the example's story through its proxy, one process killed included: `pnpm check`. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Browser } from "@sojourn/example-login-shared/browser";
import { ADA, GRACE, said } from "@sojourn/example-login-shared/check";
import { Server } from "@sojourn/example-login-shared/child";
import { WebSocket } from "ws";

const SERVER = fileURLToPath(new URL("server.mjs", import.meta.url));
const BOTH = new Set(["express", "fastify"]);
const DEVICES = 3;

const dataDir = await mkdtemp(join(tmpdir(), "sojourn-check-"));
let server;
try {
  server = await Server.start(SERVER, { SOJOURN_DATA: dataDir, PORT: "0" });
  const nodes = nodesOf(server);
  const laptop = new Browser(server.url);
  await isServedByBoth(laptop, nodes);
  await staysSignedIn(laptop);
  await logsOutOnBoth(server, nodes);
  await closesTheWebSocket(server, nodes);
  await refusesStrangersWebSockets(server);
  await holdsTheLimitOnBoth(server, nodes);
  await believesOnlyTheProxy(server, nodes);
  await goesOnWithOne(server, nodes, laptop);
  await server.stop();
  said("stops on SIGTERM, and all it started with it");
} finally {
  await server?.end();
  await rm(dataDir, { recursive: true, force: true });
}

/** The processes of the application, as the example tells: `{ name, pid, url }`. */
function nodesOf({ output }) {
  const lines = [...output.matchAll(/^((\w+)-(\d+)) listens on port (\d+)\.$/gm)];
  assert.deepEqual(new Set(lines.map(([, , framework]) => framework)), BOTH);
  return lines.map(([, name, , pid, port]) => ({
    name,
    pid: Number(pid),
    url: `http://127.0.0.1:${port}`,
  }));
}

async function isServedByBoth(browser, nodes) {
  const names = [];
  for (let request = 0; request < 4; request += 1) {
    assert.ok((await browser.get("/")).includes(`<code>${browser.servedBy}</code>`));
    names.push(browser.servedBy);
  }
  assert.deepEqual(new Set(names), new Set(nodes.map(({ name }) => name)));
  assert.deepEqual(names.slice(0, 2), names.slice(2));
  said(
    "the proxy asks the Express and the Fastify process in turn, and the page says which it was",
  );
}

async function staysSignedIn(browser) {
  await browser.post("/cart/add", { product: "mug" });
  assert.match(await browser.post("/login", ADA), /Good to see you, Ada/);
  const handles = new Set();
  const names = new Set();
  for (let request = 0; request < 4; request += 1) {
    const page = await browser.get("/cart");
    assert.match(page, /Tin mug/);
    assert.match(page, /Sign out/);
    handles.add(/<code>([^<]+)<\/code>/.exec(page)[1]);
    names.add(browser.servedBy);
  }
  assert.deepEqual([handles.size, names.size], [1, 2]);
  said("[B-01] one login: both processes serve the same session, with its cart");
}

async function logsOutOnBoth({ url }, [one, other]) {
  const browser = new Browser(url);
  await browser.post("/login", ADA);
  const thief = new Browser(url);
  thief.cookies = new Map(browser.cookies);
  for (const { url: there } of [one, other]) assert.ok(await isSignedIn(thief.at(there)));
  await browser.at(one.url).post("/logout");
  for (const { url: there } of [other, one]) assert.ok(!(await isSignedIn(thief.at(there))));
  said("[B-08] a logout on one process is a logout on the other at once");
}

async function closesTheWebSocket({ url }, nodes) {
  const [phone, laptop] = [new Browser(url), new Browser(url)];
  for (const browser of [phone, laptop]) await browser.post("/login", GRACE);
  assert.match(await phone.get("/account"), /<script src="\/assets\/live\.js/);
  const socket = openSocket(url, { browser: phone });
  const [[{ headers }]] = await Promise.all([
    once(socket, "upgrade", inTime()),
    once(socket, "open", inTime()),
  ]);
  const other = nodes.find(({ name }) => name !== headers["x-served-by"]);
  const closed = once(socket, "close", inTime());
  const askedAt = performance.now();
  await laptop.at(other.url).post("/devices/sign-out-others");
  const [code, why] = await closed;
  const ms = performance.now() - askedAt;
  assert.deepEqual([code, String(why)], [4401, "revoked"]);
  assert.match(await phone.get("/account"), /you signed this device out from another one/);
  said(
    `[F-10] a WebSocket is closed when its session is revoked on the other process (${ms.toFixed(0)} ms, request and all)`,
  );
}

async function refusesStrangersWebSockets({ url }) {
  const browser = new Browser(url);
  await browser.post("/login", GRACE);
  const strangers = [
    openSocket(url, {}),
    openSocket(url, { browser, origin: "https://evil.example" }),
    openSocket(url, { browser, path: "/elsewhere" }),
  ];
  const errors = await Promise.all(strangers.map((socket) => once(socket, "error", inTime())));
  for (const [error] of errors) assert.match(error.message, /403/);
  said("no WebSocket for strangers, nor for pages of other sites");
}

function inTime() {
  return { signal: AbortSignal.timeout(10_000) };
}

function openSocket(url, { browser, origin = url, path = "/live" }) {
  const cookie = [...(browser?.cookies ?? [])].map((pair) => pair.join("=")).join("; ");
  return new WebSocket(new URL(path, url.replace(/^http/, "ws")), { origin, headers: { cookie } });
}

async function holdsTheLimitOnBoth({ url }, nodes) {
  const browsers = Array.from({ length: 10 }, () => new Browser(url));
  await Promise.all(browsers.map((browser) => browser.post("/login", GRACE)));
  for (const { url: there } of nodes) {
    const states = await Promise.all(browsers.map((browser) => isSignedIn(browser.at(there))));
    assert.equal(states.filter(Boolean).length, DEVICES);
  }
  said("[B-05] ten parallel logins on two processes: three devices are signed in");
}

async function believesOnlyTheProxy({ url }, nodes) {
  const claim = { "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https" };
  for (const { url: there } of nodes) {
    const browser = new Browser(there, claim);
    assert.match(await browser.post("/login", GRACE), /Good to see you/);
    assert.deepEqual([...browser.cookies.keys()], ["__Host-sid"]);
    assert.match(await browser.get("/devices"), /203\.0\.113\.9/);
  }
  const liar = new Browser(url, claim);
  await liar.post("/login", GRACE);
  assert.deepEqual([...liar.cookies.keys()], ["sid"]);
  const [, current] = (await liar.get("/devices")).split('<li class="current"');
  assert.doesNotMatch(current.split("</li>")[0], /203\.0\.113\.9/);
  said("address and https are what the proxy says, not what a browser claims");
}

async function goesOnWithOne({ url }, [one, other], laptop) {
  assert.match(await laptop.post("/login", ADA), /Good to see you/);
  process.kill(one.pid, "SIGKILL");
  for (let request = 0; request < 4; request += 1) {
    assert.match(await laptop.get("/cart"), /Tin mug/);
    assert.ok(await isSignedIn(laptop));
    assert.equal(laptop.servedBy, other.name);
  }
  assert.match(await new Browser(url).post("/login", GRACE), /Good to see you/);
  said("one process is killed with -9: the other goes on with every session");
}

async function isSignedIn(browser) {
  return /Sign out/.test(await browser.get("/"));
}
