/** What is told of exports and imports: events, figures, audit, log; never a token or what is in a session. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { inspect } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import type { AuditRecord } from "../../src/audit.ts";
import { EVENT_CHANNEL, type Logger } from "../../src/events.ts";
import type { MetricName } from "../../src/metrics.ts";
import { fakeClock, HOUR, MINUTE } from "../support/clock.ts";
import { failure, must, range, SECRET, world } from "../support/world.ts";
import { exported, fill, imported, sessionRecord, snapshotWith } from "./support.ts";

const clock = fakeClock();

describe("[A-11] events", () => {
  test("[A-11] exported: when, which snapshot, how many records and bytes", async () => {
    const { store, sessions, told } = world({ clock });
    await fill(store, 7);
    const { result, bytes } = await exported(sessions);
    expect(told("exported")).toEqual([
      {
        type: "exported",
        at: clock.now(),
        snapshot: result.snapshot,
        count: 7,
        bytes: bytes.length,
      },
    ]);
  });

  test("[A-11] restored: when, which snapshot, how many, and why not the others", async () => {
    const { sessions, told } = world({ clock });
    const dead = sessionRecord(clock, { expiresAt: clock.now() });
    const result = await imported(sessions, snapshotWith([sessionRecord(clock), dead]));
    const { snapshot, skipped } = result;
    expect(skipped.expired).toBe(1);
    expect(told("restored")).toEqual([
      { type: "restored", at: clock.now(), snapshot, count: 1, skipped },
    ]);
  });

  test("[A-11] restore-failed: of a record with its handle, of a snapshot without; then no restored", async () => {
    const { sessions, told } = world({ clock });
    const bad = { ...sessionRecord(clock), seenAt: 0 };
    const snapshot = snapshotWith([bad]).toString();
    await failure(imported(sessions, snapshot.slice(0, snapshot.lastIndexOf('{"end"'))));
    const shared = { type: "restore-failed", at: clock.now(), snapshot: "AAAAAAAAAAAAAAAAAAAAAA" };
    expect(told("restore-failed")).toEqual([
      { ...shared, handle: bad.handle, reason: "seenAt is before createdAt" },
      { ...shared, handle: null, reason: "truncated" },
    ]);
    expect(told("restored")).toEqual([]);
  });

  test("[A-11] restore-failed of what is no snapshot names none", async () => {
    const { sessions, told } = world({ clock });
    await failure(imported(sessions, "nothing of ours"));
    expect(told("restore-failed")).toMatchObject([{ snapshot: null, reason: "not-a-snapshot" }]);
  });

  test("[A-11] restore-limited: once, with the limit and how many were left out", async () => {
    const { sessions, told } = world({ clock });
    const snapshot = snapshotWith(range(12).map(() => sessionRecord(clock)));
    await imported(sessions, snapshot, { limit: 5 });
    expect(told("restore-limited")).toMatchObject([{ limit: 5, count: 7, at: clock.now() }]);
  });

  test("[A-11] in the log: an export is info, a failure an error, a limit a warning", async () => {
    const lines: string[] = [];
    const note = (level: string) => (_: object, message: string) =>
      lines.push(`${level} ${message}`);
    const [debug, info, warn, error] = ["debug", "info", "warn", "error"].map(note);
    const logger = { debug, info, warn, error } as unknown as Logger;
    const { sessions } = world({ clock, logger });
    const { bytes } = await exported(sessions);
    await imported(sessions, bytes);
    await failure(imported(sessions, ""));
    await imported(sessions, snapshotWith(range(2).map(() => sessionRecord(clock))), { limit: 1 });
    expect(lines.filter((line) => /restor|export/.test(line))).toEqual([
      "info session exported",
      "info session restored",
      "error session restore-failed",
      "warn session restore-limited",
      "info session restored",
    ]);
  });

  test("[A-11] in the audit trail: success and failure, with the controls that it is evidence for", async () => {
    const trail: AuditRecord[] = [];
    const { sessions } = world({ clock, audit: (record) => void trail.push(record) });
    await imported(sessions, (await exported(sessions)).bytes);
    await failure(imported(sessions, ""));
    expect(trail).toMatchObject([
      { action: "exported", result: "success", count: 0, controls: ["cp-9", "au-3"] },
      { action: "restored", result: "success", count: 0, controls: ["cp-10", "au-3"] },
      { action: "restore-failed", result: "failure", why: "not-a-snapshot" },
    ]);
  });

  test("[A-11] [A-12] planted tokens, digests, data and keys are in no event, log, error, result or encrypted snapshot", async () => {
    const shown: unknown[] = [];
    const note = (...things: unknown[]): void => void shown.push(...things);
    subscribe(EVENT_CHANNEL, note);
    onTestFinished(() => void unsubscribe(EVENT_CHANNEL, note));
    const logger = { debug: note, info: note, warn: note, error: note };
    const its = { clock, logger, audit: note, metrics: { add: note, observe: note } };
    const from = world(its);
    const to = world({ ...its, max: 1 });
    const secrets: string[] = [SECRET, "planted in the data"];
    for (const user of ["ada", "ada", "bob"]) {
      const visitor = from.browser();
      await visitor.visit((session) => session.login(user));
      await visitor.visit((session) => void (session.cart = "planted in the data"));
      secrets.push(visitor.value, ...visitor.value.split(".").slice(1));
    }
    const { bytes } = await exported(from.sessions);
    for await (const record of from.store.scan("session")) secrets.push(record.key);
    note(bytes.toString(), await exported(from.sessions, { filter: () => false }));
    note(await imported(to.sessions, bytes), await imported(to.sessions, bytes, { limit: 1 }));
    for (const at of range(40))
      note(
        await failure(
          imported(to.sessions, bytes.subarray(0, Math.floor((bytes.length * at) / 40))),
        ),
      );
    note(await failure(imported(to.sessions, bytes, { keys: "x".repeat(33) + "another key" })));
    const plain = (await exported(from.sessions, { encrypt: false })).bytes.toString();
    const spoilt = plain.replaceAll(/"seenAt":\d+/g, '"seenAt":"planted in the data"');
    note(await failure(imported(to.sessions, spoilt, { acceptPlain: true })));
    note(...from.events, ...to.events, from.sessions, to.sessions);
    const text = shown
      .map((thing) => inspect(thing, { depth: 20, maxStringLength: null, maxArrayLength: null }))
      .join("\n");
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    expect(text).toContain("sojourn_snapshots_total");
    expect(text).toContain("not-a-snapshot");
    expect(plain).toContain("planted in the data");
  });

  test("[A-11] a plain snapshot holds data and digests, but nothing that opens a session", async () => {
    const from = world({ clock });
    const visitor = from.browser();
    await visitor.visit((session) => session.login("ada"));
    const plain = (await exported(from.sessions, { encrypt: false })).bytes.toString();
    const [, secret = "", signature = ""] = visitor.value.split(".");
    expect(secret.length).toBeGreaterThan(40);
    expect(plain).not.toContain(secret);
    expect(plain).not.toContain(signature);
    const [record] = [...plain.matchAll(/"key":"([^"]+)"/g)];
    const header = `__Host-sid=${record?.[1]}.${signature}`;
    const { session } = await from.browser().open(header);
    expect(session.principal).toBeNull();
  });
});

describe("[A-20] figures", () => {
  /** Counters by name and outcome, as a monitoring system keeps them. */
  function counters() {
    const totals = new Map<string, number>();
    const add = (
      name: MetricName,
      value: number,
      labels: Readonly<Record<string, string>>,
    ): void => {
      const key = [name, ...Object.values(labels)].join(" ");
      totals.set(key, (totals.get(key) ?? 0) + value);
    };
    const of = (word: string): Record<string, number> =>
      Object.fromEntries([...totals].filter(([key]) => key.startsWith(`sojourn_snapshot${word}`)));
    return { metrics: { add, observe: () => {} }, of };
  }

  test("[A-20] records, bytes and snapshots equal a count by hand", async () => {
    const { metrics, of } = counters();
    const { store, sessions } = world({ clock, metrics, max: 1 });
    await fill(store, 5);
    const [one, other] = [await exported(sessions), await exported(sessions)];
    const ended = await fill(store, 2);
    for (const { kind, key } of ended) await store.end({ kind, key }, { why: "revoked", at: 1 });
    const records = [
      ...ended,
      ...range(3).map(() => sessionRecord(clock, { user: "ada" })),
      sessionRecord(clock, { expiresAt: clock.now() }),
      sessionRecord(clock, { user: "eve" }),
      { ...sessionRecord(clock), seenAt: 0 },
      ...range(4).map(() => sessionRecord(clock)),
    ];
    const filter = ({ principal }: { principal: string | null }): boolean => principal !== "eve";
    await imported(sessions, snapshotWith(records), { filter });
    await imported(sessions, one.bytes);
    for (const bad of ["", one.bytes.subarray(0, 700)]) await failure(imported(sessions, bad));
    expect(of("s_total")).toEqual({
      "sojourn_snapshots_total exported": 2,
      "sojourn_snapshots_total restored": 2,
      "sojourn_snapshots_total refused": 2,
    });
    expect(of("_bytes")).toEqual({
      sojourn_snapshot_bytes_total: one.bytes.length + other.bytes.length,
    });
    expect(of("_records")).toEqual({
      "sojourn_snapshot_records_total exported": 10,
      "sojourn_snapshot_records_total restored": 5,
      "sojourn_snapshot_records_total expired": 1,
      "sojourn_snapshot_records_total duplicate": 5,
      "sojourn_snapshot_records_total invalid": 1,
      "sojourn_snapshot_records_total limit": 2,
      "sojourn_snapshot_records_total revoked": 2,
      "sojourn_snapshot_records_total filtered": 1,
    });
  });

  test("[A-20] active sessions are asked for, and right after an import: those restored, until they expire", async () => {
    const from = world({ clock: fakeClock() });
    await fill(from.store, 9, (index) => ({
      user: `u${index % 3}`,
      expiresAt: from.clock.now() + (index < 4 ? MINUTE : HOUR),
    }));
    const to = world({ clock: from.clock });
    await imported(to.sessions, (await exported(from.sessions)).bytes);
    expect(await to.sessions.count()).toMatchObject({ active: 9, principals: 3 });
    from.clock.advance(MINUTE);
    expect(await to.sessions.count()).toMatchObject({ active: 5, principals: 3 });
    const oldest = must(await firstOf(to.sessions.find({})));
    expect(from.clock.now() - oldest.createdAt).toBe(MINUTE);
  });
});

async function firstOf<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}
