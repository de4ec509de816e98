/** An example's story over real HTTP: browsers are cookie jars, the server is a child process. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { DEMO_PASSWORD } from "./users.mjs";

const ADA = { email: "ada@example.test", password: DEMO_PASSWORD };

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
    await refusesDemoUsersInProduction(start);
    await servers[1].stop();
    said("stops on SIGTERM");
  } finally {
    for (const server of servers) server.crash();
    await rm(dataDir, { recursive: true, force: true });
  }
}

const said = (words) => console.log(`  ok  ${words}`);

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
  for (const browser of browsers)
    await browser.post("/login", { email: "grace@example.test", password: DEMO_PASSWORD });
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

async function refusesDemoUsersInProduction(start) {
  const environment = { NODE_ENV: "production", SESSION_SECRET: "s".repeat(64), PORT: "0" };
  await assert.rejects(start(environment), /holds the demo users/);
  said("refuses to start in production with demo users");
}

/** A cookie jar that follows redirects. */
class Browser {
  cookies = new Map();
  #url;

  constructor(url) {
    this.#url = url;
  }

  get(path) {
    return this.#text("GET", path);
  }

  post(path, form) {
    return this.#text("POST", path, { body: new URLSearchParams(form) });
  }

  async status(method, path, headers) {
    return (await this.#fetch(method, path, { headers })).status;
  }

  async #text(method, path, options) {
    const response = await this.#fetch(method, path, options);
    const location = response.headers.get("location");
    return location ? this.get(location) : response.text();
  }

  async #fetch(method, path, { headers, body } = {}) {
    const cookie = [...this.cookies].map((pair) => pair.join("=")).join("; ");
    const response = await fetch(new URL(path, this.#url), {
      method,
      body,
      redirect: "manual",
      headers: { ...headers, ...(cookie && { cookie }) },
    });
    for (const header of response.headers.getSetCookie()) this.#keep(header);
    return response;
  }

  #keep(header) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(header);
    if (/;\s*Max-Age=0/i.test(header)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

/** The example's server as a child process. */
class Server {
  #child;
  url;

  constructor(child, url) {
    this.#child = child;
    this.url = url;
  }

  /** Starts it, and rejects with what it said if it ends before it listens. */
  static async start(file, environment) {
    const { NODE_ENV: _nodeEnv, SESSION_SECRET: _secret, ...inherited } = process.env;
    const child = spawn(process.execPath, [file], { env: { ...inherited, ...environment } });
    let complaints = "";
    child.stderr.on("data", (chunk) => (complaints += chunk));
    for await (const line of createInterface(child.stdout)) {
      const url = /http:\/\/[\d.]+:\d+/.exec(line)?.[0];
      if (url) return new Server(child, url);
    }
    throw new Error(`the server did not start: ${complaints}`);
  }

  async crash() {
    if (this.#hasEnded()) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }

  async stop() {
    this.#child.kill("SIGTERM");
    const [code] = await once(this.#child, "exit");
    assert.equal(code, 0);
  }

  #hasEnded() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
