/** Two processes behind a proxy, seen from Chromium: a page hears that its session was ended. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser } from "playwright-core";
import { launchChromium, Visitor } from "./chromium.ts";

const SERVER = fileURLToPath(
  new URL("../../examples/redis-cluster-login/server.mjs", import.meta.url),
);

let browser: Browser;
let child: ChildProcess;
let url = "";
let dataDir = "";
beforeAll(async () => {
  browser = await launchChromium();
  return () => browser.close();
});
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sojourn-live-"));
  const { NODE_OPTIONS: _vitest, NODE_ENV: _test, REDIS_URL: _other, ...rest } = process.env;
  const env = { ...rest, SOJOURN_DATA: dataDir, PORT: "0" };
  const started = spawn(process.execPath, [SERVER], { env, stdio: ["ignore", "pipe", "inherit"] });
  child = started;
  for await (const line of createInterface(started.stdout)) {
    url = /http:\/\/[\d.]+:\d+/.exec(line)?.[0] ?? "";
    if (url !== "") break;
  }
  if (url === "") throw new Error("the example did not start; its reason is above");
});
afterAll(async () => {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
  await rm(dataDir, { recursive: true, force: true });
});

test("[F-10] the account page of a device that is signed out from another one says so by itself", async () => {
  const [phone, laptop] = [
    await Visitor.arrive(browser, url),
    await Visitor.arrive(browser, url),
  ] as const;
  const complaints: string[] = [];
  phone.page.on("console", (message) => complaints.push(message.text()));
  for (const visitor of [phone, laptop])
    await visitor.signIn("ada@example.test", "a-long-way-from-home");
  const socket = phone.page.waitForEvent("websocket");
  await phone.visit("/account");
  await socket;
  const reloaded = phone.page.waitForURL("**/login?next=*");
  await laptop.visit("/devices");
  await laptop.press("Sign out all others");
  await reloaded;
  expect(await phone.heading()).toBe("Sign in");
  expect(await phone.notices()).toEqual([
    "You were signed out because you signed this device out from another one.",
  ]);
  expect(complaints).toEqual([]);
  await phone.leave();
  await laptop.leave();
});
