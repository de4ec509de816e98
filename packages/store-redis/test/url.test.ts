/** The forms of a url: what each says, what is wrong with others, and real servers behind them. */
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "@sojourn/core/store";
import { bundle } from "../../../test/support/bundle.ts";
import type { Bundle } from "../../../test/support/bundle.ts";
import { Hearing, signalsIn } from "../../../test/support/hearing.ts";
import { freePort } from "../../../test/support/ports.ts";
import { recordOf } from "../../../test/support/records.ts";
import { rejection } from "../../../test/support/waiting.ts";
import { redisStore } from "../src/index.ts";
import { parseUrl } from "../src/url.ts";
import { startCluster, startOne, startServer, until } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const PASSWORD = "p@ss:w/o r?d#%ä[1]";
const WRITTEN = encodeURIComponent(PASSWORD);
const plain = { tls: false, user: {}, sentinelUser: {}, master: "", db: 0, family: 0 };
const host = (name: string, port: number): object => ({ host: name, port });

describe("what a url says", () => {
  test.each([
    ["redis://localhost", { layout: "standalone", hosts: [host("localhost", 6379)] }],
    ["redis://h:1/3", { layout: "standalone", hosts: [host("h", 1)], db: 3 }],
    ["redis://h/?db=3&family=6", { layout: "standalone", db: 3, family: 6 }],
    ["redis://[::1]:7", { hosts: [host("::1", 7)] }],
    [`redis://me:${WRITTEN}@h`, { user: { username: "me", password: PASSWORD } }],
    [`redis://:${WRITTEN}@h`, { user: { password: PASSWORD } }],
    ["redis://%40me:a:b@h", { user: { username: "@me", password: "a:b" } }],
    ["rediss://h:2", { layout: "standalone", tls: true, hosts: [host("h", 2)] }],
    [
      "redis+sentinel://a,b:2/mymaster/4",
      {
        layout: "sentinel",
        hosts: [host("a", 26379), host("b", 2)],
        master: "mymaster",
        db: 4,
      },
    ],
    [
      `rediss+sentinel://me:word@a/m?sentinelUsername=s&sentinelPassword=${WRITTEN}`,
      {
        layout: "sentinel",
        tls: true,
        user: { username: "me", password: "word" },
        sentinelUser: { username: "s", password: PASSWORD },
        master: "m",
      },
    ],
    [
      "redis+cluster://a,[::1]:7001,c:3/0",
      { layout: "cluster", hosts: [host("a", 6379), host("::1", 7001), host("c", 3)] },
    ],
    ["rediss+cluster://:word@a", { layout: "cluster", tls: true, user: { password: "word" } }],
  ])("%s", (url, wanted) => {
    expect(parseUrl(url)).toMatchObject({ ...plain, ...wanted });
  });

  test.each([
    ["http://me:hunter2@host", "must begin with redis://"],
    ["redis://", "names no host"],
    ["redis+cluster://", "names no host"],
    ["redis://hunter2@host", "user without a password"],
    ["redis://me:hun/ter2@host", "percent-encode"],
    ["redis://me:hun@ter2@host", "percent-encode"],
    ["redis://me:%hunter2@host", "%25"],
    ["redis://host:hunter2", "host that is not name:port"],
    ["redis://host:0", "host that is not name:port"],
    ["redis://host:65536", "host that is not name:port"],
    ["redis://ho st", "host that is not name:port"],
    ["redis://a,b", "redis+cluster://host,host"],
    ["redis://host/hunter2", "not the number of a db"],
    ["redis://host?db=hunter2", "db that is not a number"],
    ["redis://host?hunter2=1", "parameter other than db, family"],
    ["redis://host?family=5", "family"],
    ["redis+sentinel://host", "must name the master"],
    ["redis+sentinel://host/", "must name the master"],
    ["redis+sentinel://host/m/x", "must name the master"],
    ["redis+cluster://a,b/1", "a cluster has only 0"],
    ["redis+cluster://a,,b", "host that is not name:port"],
  ])("refuses %s", (url, problem) => {
    expect(() => redisStore({ url })).toThrowError(
      expect.objectContaining({
        code: "SOJOURN_OPTIONS_INVALID",
        message: expect.stringContaining(problem) as string,
      }),
    );
    expect(() => redisStore({ url })).not.toThrowError(/hunter2|ter2/);
  });
});

const running: Server[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

function kept<S extends Server>(server: S): S {
  running.push(server);
  return server;
}

async function allow(server: Server): Promise<void> {
  const admin = server.client();
  await admin.call("ACL", "SETUSER", "app@home", "on", `>${PASSWORD}`, "~*", "&*", "+@all");
  await admin.call("ACL", "SETUSER", "default", "resetpass", "-@all", "+ping");
  admin.disconnect();
}

/** Keeps a record, and hears a message. */
async function works(url: string): Promise<void> {
  const store = redisStore({ url });
  const record = recordOf(systemClock, "ada");
  await store.create(record);
  expect(await store.read(record)).toEqual(record);
  const hearing = await new Hearing(store).open();
  await signalsIn(store).send("session", "hello");
  await hearing.hears("hello");
  await store.close();
}

describe("servers behind it", { timeout: 60_000 }, () => {
  test("one server, with a user and a password of special characters", async () => {
    const server = kept(await startServer());
    await allow(server);
    await works(`redis://app%40home:${WRITTEN}@127.0.0.1:${server.port}/2`);
    const wrong = redisStore({ url: `redis://app%40home:hunter2@127.0.0.1:${server.port}` });
    const error = await rejection(wrong.read(recordOf(systemClock, null)));
    expect(error).toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE" });
    expect(String(error)).toContain("WRONGPASS");
    await wrong.close();
  });

  test("a Sentinel and its master, each with a user", async () => {
    const master = kept(await startServer());
    const sentinel = kept(
      await startOne({
        file: `sentinel monitor mine 127.0.0.1 ${master.port} 1\n`,
        options: ["--sentinel"],
      }),
    );
    const admin = master.client();
    await admin.call("ACL", "SETUSER", "app@home", "on", `>${PASSWORD}`, "~*", "&*", "+@all");
    await admin.call("ACL", "SETUSER", "default", "-evalsha", "-eval", "-subscribe");
    admin.disconnect();
    await allow(sentinel);
    const parameters = `sentinelUsername=app%40home&sentinelPassword=${WRITTEN}`;
    const address = `127.0.0.1:1,127.0.0.1:${sentinel.port}`;
    await works(`redis+sentinel://app%40home:${WRITTEN}@${address}/mine/1?${parameters}`);
  });

  test("a cluster with a user, of which the first node is not there", async () => {
    const cluster = await startCluster();
    await Promise.all(cluster.servers.map(allow));
    const known = `127.0.0.1:1,127.0.0.1:${cluster.servers[1]?.port}`;
    await works(`redis+cluster://app%40home:${WRITTEN}@${known}`);
    const wrong = redisStore({ url: `redis+cluster://app%40home:hunter2@${known}` });
    const error = await rejection(wrong.read(recordOf(systemClock, null)));
    expect(error).toMatchObject({ code: "SOJOURN_STORE_UNAVAILABLE" });
    expect(String(error)).not.toContain("hunter2");
    await wrong.close();
    await cluster.stop();
  });

  test("a cluster that dies is refused within the deadline, and works when it is back", async () => {
    const cluster = await startCluster();
    const store = redisStore({ url: `redis+cluster://127.0.0.1:${cluster.servers[0]?.port}` });
    await store.open?.();
    await Promise.all(cluster.servers.map((server) => server.kill()));
    const reads = Array.from({ length: 100 }, async () => store.read(recordOf(systemClock, null)));
    const started = performance.now();
    for (const each of await Promise.allSettled(reads)) {
      expect(each).toMatchObject({ reason: { code: "SOJOURN_STORE_UNAVAILABLE" } });
    }
    expect(performance.now() - started).toBeLessThan(2_000);
    await Promise.all(cluster.servers.map((server) => server.start()));
    await expect
      .poll(() => Promise.resolve(store.read(recordOf(systemClock, null))).catch(() => "away"), {
        timeout: 30_000,
      })
      .toBeNull();
    await store.close();
    await cluster.stop();
  });
});

describe("with TLS and a certificate of its own", { timeout: 60_000 }, () => {
  let directory: string;
  let visitor: Bundle;
  let tls: readonly string[];
  const path = (name: string): string => join(directory, name);
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "sojourn-tls-"));
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    const files = ["-keyout", path("key.pem"), "-out", path("cert.pem")];
    const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
    execFileSync("openssl", [...request, ...files, ...subject], { stdio: "ignore" });
    const pairs = { cert: "cert.pem", key: "key.pem", "ca-cert": "cert.pem" };
    const named = Object.entries(pairs).flatMap(([name, file]) => [
      `--tls-${name}-file`,
      path(file),
    ]);
    tls = [...named, "--tls-auth-clients", "no"];
    visitor = await bundle(join(import.meta.dirname, "support", "visitor.ts"));
  }, 60_000);
  afterAll(() => {
    visitor.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  /** What another process says that trusts the certificate, or does not. */
  async function visit(url: string, trusting: boolean = true): Promise<string> {
    const trust = trusting ? { NODE_EXTRA_CA_CERTS: path("cert.pem") } : {};
    const env = { ...process.env, ...trust };
    const { stdout } = await promisify(execFile)(process.execPath, [visitor.script, url], { env });
    return stdout.trim();
  }
  const WELL = JSON.stringify({ found: true, heard: "hello" });

  test("one server; and a certificate that is not trusted is said to be so", async () => {
    const port = await freePort();
    kept(await startServer("--tls-port", String(port), ...tls));
    expect(await visit(`rediss://127.0.0.1:${port}`)).toBe(WELL);
    const refused = await visit(`rediss://127.0.0.1:${port}`, false);
    expect(refused).toMatch(/self-signed certificate.*SOJOURN_STORE_UNAVAILABLE/);
  });

  test("a Sentinel and its master", async () => {
    const [port, watching] = [await freePort(), await freePort()];
    kept(await startServer("--tls-port", String(port), ...tls));
    const monitor = `sentinel monitor mine 127.0.0.1 ${port} 1\n`;
    const own = ["--tls-port", String(watching), "--tls-replication", "yes", ...tls];
    kept(await startOne({ file: monitor, options: ["--sentinel", ...own] }));
    expect(await visit(`rediss+sentinel://127.0.0.1:${watching}/mine`)).toBe(WELL);
  });

  test("a cluster", async () => {
    const [port, bus] = [await freePort(), await freePort()];
    const cluster = ["--cluster-enabled", "yes", "--cluster-port", String(bus)];
    const known = ["--cluster-announce-ip", "127.0.0.1", "--tls-cluster", "yes"];
    const own = ["--tls-port", String(port), ...known, ...cluster, ...tls];
    const server = kept(await startServer(...own));
    const admin = server.client();
    await admin.call("CLUSTER", "ADDSLOTSRANGE", 0, 16_383);
    admin.disconnect();
    await until(server, ["CLUSTER", "INFO"], /cluster_state:ok/);
    expect(await visit(`rediss+cluster://127.0.0.1:${port}`)).toBe(WELL);
  });
});
