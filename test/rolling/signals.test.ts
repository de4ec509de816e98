/** A real process of each framework, told to go by a real signal. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { ShutdownReport } from "@sojourn/core/server";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { bundle } from "../support/bundle.ts";
import type { Bundle } from "../support/bundle.ts";

const IN_FLIGHT = 20;

let app: Bundle;
beforeAll(async () => {
  app = await bundle(join(import.meta.dirname, "app.ts"));
}, 60_000);
afterAll(() => app.remove());

/** A process that listens. */
interface Running {
  readonly url: string;
  /** SIGTERM; resolves to its exit code and its report. */
  terminate(): Promise<{ code: number | null; report: ShutdownReport }>;
}

async function start(framework: string, snapshot: string): Promise<Running> {
  const child = spawn(process.execPath, [app.script, framework, snapshot]);
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  child.stderr.pipe(process.stderr);
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  while (!said.includes("\n")) await once(child.stdout, "data");
  return {
    url: `http://127.0.0.1:${/^port (\d+)/.exec(said)?.[1]}`,
    async terminate() {
      child.kill("SIGTERM");
      const [code] = (await once(child, "close")) as [number | null];
      return { code, report: JSON.parse(said.slice(said.indexOf("{"))) as ShutdownReport };
    },
  };
}

function snapshotPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "sojourn-signals-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "sessions.snapshot");
}

async function login(url: string, user: string, wait: number): Promise<string> {
  const response = await fetch(`${url}/login/${user}/${wait}`, { method: "POST" });
  expect(response.status).toBe(200);
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}

/** As browsers open them ahead of a request: never used. */
async function connected(url: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
}

async function userOf(url: string, cookie: string): Promise<unknown> {
  const response = await fetch(`${url}/me`, { headers: { cookie } });
  return ((await response.json()) as { user: unknown }).user;
}

describe.each([
  ["fastify", "/stuck/7"],
  ["express", "/stuck/:id"],
  ["express4", "/stuck/:id"],
])("%s, on SIGTERM", (framework, stuckRoute) => {
  test("[A-14] [A-15] finishes 20 logins under way, refuses others, exits with 0, and the next process has all of them", async () => {
    const path = snapshotPath();
    const first = await start(framework, path);
    const logins = Array.from({ length: IN_FLIGHT }, (_, index) =>
      login(first.url, `user-${index}`, 600),
    );
    await connected(first.url);
    await pause(300);
    const ending = first.terminate();
    await pause(100);
    await expect(fetch(`${first.url}/me`)).rejects.toMatchObject({
      cause: { code: "ECONNREFUSED" },
    });
    const cookies = await Promise.all(logins);
    const { code, report } = await ending;
    expect(code).toBe(0);
    expect(report).toMatchObject({
      cause: "SIGTERM",
      drained: IN_FLIGHT,
      cut: [],
      exported: IN_FLIGHT,
      clean: true,
    });
    expect(report.tookMs).toBeLessThan(5_000);

    const second = await start(framework, path);
    expect([existsSync(path), existsSync(`${path}.restored`)]).toEqual([false, true]);
    const users = await Promise.all(cookies.map((cookie) => userOf(second.url, cookie)));
    expect(users).toEqual(cookies.map((_, index) => `user-${index}`));
  });

  test("[A-14] cuts a stuck request at the deadline, says which, exports all the same, and exits with 1", async () => {
    const path = snapshotPath();
    const { url, terminate } = await start(framework, path);
    await login(url, "ada", 0);
    const stuck = fetch(`${url}/stuck/7?token=secret`).catch((error: unknown) => error);
    await pause(200);
    const { code, report } = await terminate();
    expect(code).toBe(1);
    expect(report).toMatchObject({ exported: 1, failures: [], clean: false });
    expect(report.cut).toMatchObject([{ kind: "request", method: "GET", route: stuckRoute }]);
    expect(report.tookMs).toBeGreaterThanOrEqual(3_990);
    expect(report.tookMs).toBeLessThan(5_000);
    expect(existsSync(path)).toBe(true);
    expect(await stuck).toBeInstanceOf(TypeError);
  });
});
