/** What an export writes: every alive record once, in a form that says how much there is. */
import { describe, expect, test } from "vitest";
import { exportSnapshot } from "../../src/snapshot/export.ts";
import { LONGEST_RECORD } from "../../src/snapshot/format.ts";
import { memoryStore } from "../../src/store/memory/store.ts";
import { fakeClock, HOUR, MINUTE } from "../support/clock.ts";
import { interceptStore } from "../support/intercept.ts";
import { failure, failureCode, must, range, SECRET, world } from "../support/world.ts";
import { contents, exported, fill, imported, sessionRecord, Sink } from "./support.ts";

const KINDS = ["session", "grant", "bound"];
const PLAIN = { encrypt: false } as const;

describe("[A-01] an export", () => {
  test("[A-01] of 250 records of 3 kinds, plain: a header, 250 lines, a digest for each segment, and an end that counts", async () => {
    const { store, sessions, clock } = world();
    await fill(store, 250, (index) => ({ kind: must(KINDS[index % 3]) }));
    const { lines, result } = await exported(sessions, { ...PLAIN, kinds: KINDS });
    expect(JSON.parse(must(lines[0]))).toEqual({
      snapshot: "sojourn",
      version: 1,
      id: result.snapshot,
      createdAt: clock.now(),
      encrypted: false,
      newestFirst: false,
      kinds: KINDS,
    });
    expect(lines.filter((line) => line.startsWith('{"kind":'))).toHaveLength(250);
    const digest: unknown = expect.stringMatching(/^[\w-]{43}$/);
    expect(JSON.parse(must(lines.at(-2)))).toEqual({ segment: 1, records: 250, digest });
    expect(JSON.parse(must(lines.at(-1)))).toEqual({
      end: true,
      segments: 1,
      records: 250,
      digest,
    });
    expect(lines).toHaveLength(253);
  });

  test("[A-01] has the records of each kind as the store has them, field by field", async () => {
    const { store, sessions } = world();
    await fill(store, 250, (index) => ({ kind: must(KINDS[index % 3]), user: `u${index % 7}` }));
    const { lines } = await exported(sessions, { ...PLAIN, kinds: KINDS });
    const records = lines.filter((line) => line.startsWith('{"kind":'));
    const parsed = records.map((line) => JSON.parse(line) as { key: string });
    expect(parsed.toSorted((one, other) => (one.key < other.key ? -1 : 1))).toEqual(
      await contents(store, KINDS),
    );
  });

  test("[A-01] a snapshot of 3 kinds, imported: every record of every kind, equal", async () => {
    const { store, sessions, clock } = world();
    await fill(store, 250, (index) => ({ kind: must(KINDS[index % 3]), user: `u${index % 7}` }));
    const { bytes } = await exported(sessions, { kinds: KINDS });
    const other = world({ clock });
    expect(await imported(other.sessions, bytes, { kinds: KINDS })).toMatchObject({
      restored: 250,
    });
    expect(await contents(other.store, KINDS)).toEqual(await contents(store, KINDS));
  });

  test("[A-01] of 1,200 records: segments of 500, the last one with the rest, and no more in the end", async () => {
    const { store, sessions } = world();
    await fill(store, 1_200);
    const { lines } = await exported(sessions);
    const counts = lines.slice(1).map((line) => {
      const { segment, segments, records } = JSON.parse(line) as Record<string, number>;
      return [segment ?? `end of ${segments}`, records];
    });
    expect(counts).toEqual([
      [1, 500],
      [2, 500],
      [3, 200],
      ["end of 3", 1_200],
    ]);
  });

  test("[A-01] a segment of long records is full earlier: 20 of 40,000 characters fill 3", async () => {
    const { store, sessions } = world();
    await fill(store, 20, () => ({ data: { text: "x".repeat(40_000) } }));
    const { lines } = await exported(sessions);
    expect(lines.slice(1).map((line) => (JSON.parse(line) as { records: number }).records)).toEqual(
      [7, 7, 6, 20],
    );
  });

  test("[A-01] leaves out other applications' sessions and kinds that nobody asked for", async () => {
    const { store, sessions } = world();
    await fill(store, 30, (index) => ({
      kind: must(["session", "session:other", "x"][index % 3]),
    }));
    expect((await exported(sessions)).result.exported).toBe(10);
  });

  test("[A-01] a record that no import would take stops it, and the message says which and what to do", async () => {
    const { store, sessions } = world();
    const long = sessionRecord(store.clock, { data: { text: "x".repeat(LONGEST_RECORD) } });
    await store.create(long);
    const error = await failure(sessions.export(new Sink()));
    expect(error.code).toBe("SOJOURN_DATA_TOO_LARGE");
    expect(error.message).toContain(long.handle);
    expect(error.message).toContain("filter");
    const without = await exported(sessions, { filter: ({ handle }) => handle !== long.handle });
    expect(without.result).toMatchObject({ exported: 0, skipped: { filtered: 1 } });
  });

  test("[A-01] says what it wrote: records, bytes, and how long it took", async () => {
    const { store, sessions } = world();
    await fill(store, 700);
    const told: object[] = [];
    const { bytes, result } = await exported(sessions, { onProgress: (now) => told.push(now) });
    expect(result.bytes).toBe(bytes.length);
    expect(result.tookMs).toBeGreaterThan(0);
    expect(told.at(0)).toMatchObject({ records: 0 });
    expect(told.map((now) => (now as { records: number }).records)).toEqual([0, 500, 700, 700]);
    expect(told.at(-1)).toEqual({ records: 700, bytes: bytes.length });
  });

  test("[A-01] compressed it is less than half, and imports as any other", async () => {
    const { store, sessions, clock } = world();
    await fill(store, 500, () => ({
      data: { text: "the same words again and again ".repeat(20) },
    }));
    const [long, short] = [await exported(sessions), await exported(sessions, { compress: true })];
    expect(short.bytes.length).toBeLessThan(long.bytes.length / 2);
    const other = world({ clock });
    await imported(other.sessions, short.bytes);
    expect(await contents(other.store)).toEqual(await contents(store));
  });

  test.for([0, -1, 1.5, Number.NaN, "10"])("[A-01] a limit of %s is refused", async (limit) => {
    const { sessions } = world();
    const work = sessions.export(new Sink(), { limit: limit as number });
    expect(await failureCode(work)).toBe("SOJOURN_OPTIONS_INVALID");
  });
});

describe("[A-02] only what lives is exported", () => {
  test("[A-02] 40 of 250 died before: exactly 210", async () => {
    const { store, sessions, clock } = world();
    await fill(store, 250, (index) =>
      index < 40 ? { expiresAt: clock.now() + MINUTE } : { expiresAt: clock.now() + HOUR },
    );
    clock.advance(MINUTE);
    const { lines, result } = await exported(sessions, PLAIN);
    expect(result.exported).toBe(210);
    expect(lines.filter((line) => line.startsWith('{"kind":'))).toHaveLength(210);
  });

  test("[A-02] 40 of 250 die while it runs: 210, and skipped.expired is 40", async () => {
    const clock = fakeClock();
    const inner = memoryStore({ clock });
    await fill(inner, 250, (index) => ({ expiresAt: clock.now() + (index < 40 ? 1 : HOUR) }));
    const store = interceptStore(inner, async (operation, run) => {
      if (operation === "read") clock.advance(1);
      return run();
    });
    const { sessions } = world({ clock, store });
    const { result } = await exported(sessions, { newestFirst: true });
    expect(result).toMatchObject({ exported: 210, skipped: { expired: 40 } });
  });

  test("[A-02] a record at exactly its expiresAt is not exported, 1 ms before it is", async () => {
    const { store, sessions, clock } = world();
    await fill(store, 1, () => ({ expiresAt: clock.now() + MINUTE }));
    clock.advance(MINUTE - 1);
    expect((await exported(sessions)).result.exported).toBe(1);
    clock.advance(1);
    expect((await exported(sessions)).result.exported).toBe(0);
  });

  test("[A-02] a store whose clock is behind hands out dead ones: they are counted, not exported", async () => {
    const clock = fakeClock();
    const store = memoryStore({ clock });
    await fill(store, 10, (index) => ({ expiresAt: clock.now() + (index < 4 ? 1 : HOUR) }));
    const ahead = { now: () => clock.now() + 1 };
    const { sessions } = world({ clock, store });
    const settings = { store, clock: ahead, kind: "session" };
    const events = { emit: () => {} };
    const engine = { settings, events } as unknown as Parameters<typeof exportSnapshot>[0];
    const result = await exportSnapshot(engine, new Sink(), { keys: SECRET });
    expect(result).toMatchObject({ exported: 6, skipped: { expired: 4 } });
    expect((await exported(sessions)).result.exported).toBe(10);
  });

  test("[A-02] what was logged out or revoked is not in it", async () => {
    const { browser, sessions } = world();
    const [ada, bob] = [browser(), browser()];
    for (const visitor of [ada, bob, browser()])
      await visitor.visit((session) => session.login("x"));
    await ada.visit((session) => session.logout());
    await sessions.revoke(must((await sessions.list("x")).items[0]).handle);
    expect((await exported(sessions)).result.exported).toBe(1);
  });
});

describe("[A-04] an empty store", () => {
  test.for([true, false])(
    "[A-04] encrypted: %s: a valid snapshot of 0, and importing it does nothing",
    async (encrypt) => {
      const { sessions } = world();
      const { bytes, lines, result } = await exported(sessions, { encrypt });
      expect(result).toMatchObject({ exported: 0, skipped: { expired: 0, filtered: 0, limit: 0 } });
      expect(lines).toHaveLength(2);
      expect(JSON.parse(must(lines[1]))).toMatchObject({ end: true, segments: 0, records: 0 });
      const other = world();
      await fill(other.store, 3);
      const before = await contents(other.store);
      expect(await imported(other.sessions, bytes, { acceptPlain: !encrypt })).toMatchObject({
        snapshot: result.snapshot,
        records: 0,
        restored: 0,
        failed: [],
      });
      expect(await contents(other.store)).toEqual(before);
    },
  );
});

describe("[A-23] a part of the store", () => {
  test("[A-23] limit: so many, and the others are counted", async () => {
    const { store, sessions } = world();
    await fill(store, 25);
    const { result } = await exported(sessions, { limit: 10 });
    expect(result).toMatchObject({ exported: 10, skipped: { limit: 15 } });
  });

  test("[A-23] newestFirst: in order of the last use, whatever order they were created in", async () => {
    const { store, sessions, clock } = world();
    const used = (index: number): number => clock.now() + ((index * 7) % 60);
    await fill(store, 60, (index) => ({ seenAt: used(index), createdAt: clock.now() - index }));
    const { lines } = await exported(sessions, { ...PLAIN, newestFirst: true });
    const seen = lines
      .filter((line) => line.startsWith('{"kind":'))
      .map((line) => (JSON.parse(line) as { seenAt: number }).seenAt - clock.now());
    expect(seen).toEqual(range(60).toReversed());
  });

  test("[A-23] newestFirst with limit 100 of 1,500, in any order: exactly the 100 used last", async () => {
    const { store, sessions, clock } = world();
    await fill(store, 1_500, (index) => ({ seenAt: clock.now() + ((index * 7_919) % 1_500) }));
    const { lines, result } = await exported(sessions, { ...PLAIN, newestFirst: true, limit: 100 });
    const seen = lines
      .filter((line) => line.startsWith('{"kind":'))
      .map((line) => (JSON.parse(line) as { seenAt: number }).seenAt - clock.now());
    expect(seen).toEqual(range(100).map((index) => 1_499 - index));
    expect(result).toMatchObject({ exported: 100, skipped: { limit: 1_400 } });
  });

  test("[A-23] filter: sees kind, handle, principal and times, and no payload or key", async () => {
    const { store, sessions } = world();
    const [ada] = await fill(store, 2, (index) => (index === 0 ? { user: "ada" } : {}));
    const {
      key: _key,
      payload: _payload,
      owner: _owner,
      version: _version,
      seenAt,
      ...rest
    } = must(ada);
    const shown: object[] = [];
    const { result } = await exported(sessions, {
      filter(record) {
        shown.push(record);
        return record.principal === "ada";
      },
    });
    expect(result).toMatchObject({ exported: 1, skipped: { filtered: 1 } });
    expect(shown).toContainEqual({ ...rest, principal: "ada", lastSeenAt: seenAt });
    expect(shown.map((record) => (record as { principal: string | null }).principal)).toContain(
      null,
    );
  });
});
