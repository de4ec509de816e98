/** An example's story over real HTTP: browsers are cookie jars, the server is a child process. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Browser } from "./browser.mjs";
import { Server } from "./child.mjs";
import { DEMO_PASSWORD } from "./users.mjs";

/** The demo users, as the login form wants them. */
export const ADA = { email: "ada@example.test", password: DEMO_PASSWORD };
export const GRACE = { email: "grace@example.test", password: DEMO_PASSWORD };

/** Runs the story against the server of an example; rejects, and ends the process with 1, on failure. */
export async function check(serverUrl) {
  const dataDir = await mkdtemp(join(tmpdir(), "sojourn-check-"));
  const start = (environment) =>
    Server.start(fileURLToPath(serverUrl), { SOJOURN_DATA: dataDir, ...environment });
  const servers = [];
  try {
    servers.push(await start({ PORT: "0" }));
    const laptop = new Browser(servers[0].url);
    await fillsTheCart(laptop);
    await logsIn(laptop);
    await refusesOtherSites(laptop);
    await signsOutTheOldest(servers[0].url);
    servers.push(await restartsAfterCrash(servers[0], start));
    servers.push(await obeysItsSettings(start));
    await refusesBadSettings(start);
    await refusesDemoUsersInProduction(start);
    await servers[1].stop();
    said("stops on SIGTERM");
  } finally {
    for (const server of servers) server.crash();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Says what was shown. */
export const said = (words) => console.log(`  ok  ${words}`);

async function fillsTheCart(browser) {
  await browser.get("/");
  assert.equal(browser.cookies.size, 0);
  said("a visitor who only looks gets no cookie");
  await browser.post("/cart/add", { product: "mug" });
  assert.match(await browser.get("/cart"), /Tin mug/);
  said("a stranger has a cart");
}

async function logsIn(browser) {
  const before = [...browser.cookies.values()];
  assert.match(
    await browser.post("/login", { ...ADA, password: "wrong" }),
    /E-mail or password is wrong/,
  );
  assert.match(await browser.post("/login", ADA), /Good to see you, Ada/);
  assert.notDeepEqual([...browser.cookies.values()], before);
  assert.match(await browser.get("/cart"), /Tin mug/);
  assert.match(await browser.get("/devices"), /This device/);
  said("the login makes a new token and keeps the cart");
}

async function refusesOtherSites(browser) {
  const forms = [{ "Sec-Fetch-Site": "cross-site" }, { Origin: "https://evil.example" }];
  for (const headers of forms) assert.equal(await browser.status("POST", "/logout", headers), 403);
  assert.match(await browser.get("/"), /Sign out/);
  said("a post from another site changes nothing");
}

async function signsOutTheOldest(url) {
  const browsers = Array.from({ length: 4 }, () => new Browser(url));
  for (const browser of browsers) await browser.post("/login", GRACE);
  const notice = /You were signed out because you signed in on more than 3 devices/;
  assert.match(await browsers[0].get("/"), notice);
  assert.doesNotMatch(await browsers[0].get("/"), notice);
  for (const browser of browsers.slice(1)) assert.match(await browser.get("/"), /Sign out/);
  said("the fourth device signs out the first, which is told why, once");
}

async function restartsAfterCrash(server, start) {
  const browser = new Browser(server.url);
  await browser.post("/login", ADA);
  await browser.post("/cart/add", { product: "lantern" });
  await server.crash();
  const restarted = await start({ PORT: new URL(server.url).port });
  assert.match(await browser.get("/cart"), /Camp lantern/);
  assert.match(await browser.get("/devices"), /This device/);
  said("after SIGKILL and a restart everyone is still signed in, the cart full");
  return restarted;
}

async function obeysItsSettings(start) {
  const server = await start({
    PORT: "0",
    SESSION_STORE: "memory",
    SESSION_IDLE: "90m",
    SESSION_ABSOLUTE: "3h",
    SESSION_MAX_CONCURRENT: "1",
  });
  const [first, second] = [new Browser(server.url), new Browser(server.url)];
  for (const browser of [first, second]) await browser.post("/login", ADA);
  assert.match(await first.get("/"), /you signed in on more than 1 device\./);
  const page = await second.get("/devices");
  assert.match(page, /1 device of at most 1\./);
  const began = factOf(page, "Began");
  const absolute = factOf(page, "Ends in any case") - began;
  assert.ok(Math.abs(absolute - 3 * HOUR) < 1_000, `${absolute} ms`);
  const idle = factOf(page, "Ends when idle") - began;
  assert.ok(idle >= 1.5 * HOUR && idle < 1.6 * HOUR, `${idle} ms`);
  await server.crash();
  const restarted = await start({ PORT: new URL(server.url).port, SESSION_STORE: "memory" });
  assert.doesNotMatch(await second.get("/"), /Sign out/);
  said("[B-24] store, timeouts and number of devices are those of the environment");
  return restarted;
}

const HOUR = 3_600_000;

/** An instant of "This session, as the server sees it". */
function factOf(page, term) {
  const [, instant] = page.split(`<dt>${term}</dt>`)[1].match(/datetime="([^"]+)"/);
  return Date.parse(instant);
}

async function refusesBadSettings(start) {
  const environment = { SESSION_STORE: "paper", SESSION_IDLE: "soon", PORT: "0" };
  const told =
    /SESSION_STORE must be memory, file, redis or postgres\s+SESSION_IDLE must be a duration/;
  await assert.rejects(start(environment), told);
  said("[B-24] refuses to start with bad settings, and names each");
}

async function refusesDemoUsersInProduction(start) {
  const environment = { NODE_ENV: "production", SESSION_SECRET: "s".repeat(64), PORT: "0" };
  await assert.rejects(start(environment), /holds the demo users/);
  said("refuses to start in production with demo users");
}
