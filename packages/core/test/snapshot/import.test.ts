/** What an import does with good records: each is restored once, none is overwritten, all are accounted for. */
import { describe, expect, test } from "vitest";
import { tagOf } from "../../src/token/tag.ts";
import { mintHandle } from "../../src/token/token.ts";
import { fakeClock, HOUR, MINUTE } from "../support/clock.ts";
import { must, range, world } from "../support/world.ts";
import {
  accountedFor,
  contents,
  exported,
  fill,
  imported,
  inOrder,
  sessionRecord,
  snapshotWith,
} from "./support.ts";

describe("[A-03] the same session twice", () => {
  test("[A-03] in one batch: the first wins, the second is a duplicate, nothing is thrown", async () => {
    const { store, sessions, clock } = world();
    const first = sessionRecord(clock, { data: { which: "first" } });
    const second = {
      ...first,
      payload: sessionRecord(clock, { data: { which: "second" } }).payload,
    };
    const result = await imported(sessions, snapshotWith([first, second]));
    expect(result).toMatchObject({ records: 2, restored: 1, skipped: { duplicate: 1 } });
    expect(await contents(store)).toEqual([first]);
  });

  test("[A-03] in batches and segments that lie apart: the first wins", async () => {
    const { store, sessions, clock } = world();
    const others = range(1_200).map(() => sessionRecord(clock));
    const first = must(others[0]);
    const second = { ...first, payload: sessionRecord(clock, { data: { late: true } }).payload };
    const result = await imported(sessions, snapshotWith([...others, second]));
    expect(result).toMatchObject({ records: 1_201, restored: 1_200, skipped: { duplicate: 1 } });
    expect(await contents(store)).toEqual(inOrder(others));
  });

  test.for([
    ["one batch", 500],
    ["two batches", 1],
  ] as const)(
    "[A-03] one key under two handles, in %s: one of them is restored, the other a duplicate",
    async ([, batchSize]) => {
      const { store, sessions, clock } = world();
      const first = sessionRecord(clock);
      const second = { ...first, handle: mintHandle(tagOf(first.handle)) };
      const snapshot = snapshotWith([first, second]);
      const result = await imported(sessions, snapshot, { batchSize });
      expect(result).toMatchObject({ restored: 1, skipped: { duplicate: 1 } });
      expect(await contents(store)).toEqual([first]);
    },
  );

  test("[A-03] a session that is alive in the store stays as it is there, newer or older", async () => {
    const { store, sessions, clock } = world();
    const [record] = await fill(store, 1);
    const kept = must(record);
    const older = { ...kept, payload: sessionRecord(clock, { data: { old: 1 } }).payload };
    const newer = { ...older, version: 9, seenAt: clock.now() + 1, expiresAt: clock.now() + HOUR };
    for (const other of [older, newer]) {
      const result = await imported(sessions, snapshotWith([other]));
      expect(result).toMatchObject({ restored: 0, skipped: { duplicate: 1 } });
      expect(await contents(store)).toEqual([kept]);
    }
  });
});

describe("[A-05] the result", () => {
  test("[A-05] restored and every reason to skip add up to the lines of the snapshot", async () => {
    const { store, sessions, clock } = world({ max: 2 });
    const alive = await fill(store, 3);
    const ended = await fill(store, 4);
    for (const { kind, key } of ended)
      await store.end({ kind, key }, { why: "revoked", at: clock.now() });
    const dead = range(5).map(() => sessionRecord(clock, { expiresAt: clock.now() }));
    const unwanted = range(6).map(() => sessionRecord(clock, { user: "eve" }));
    const broken = range(7).map(() => ({ ...sessionRecord(clock), seenAt: "yesterday" }));
    const tooMany = range(8 + 2).map(() => sessionRecord(clock, { user: "ada" }));
    const good = range(9).map(() => sessionRecord(clock));
    const all = [...alive, ...ended, ...dead, ...unwanted, ...broken, ...tooMany, ...good];
    const result = await imported(sessions, snapshotWith(all), {
      filter: ({ principal }) => principal !== "eve",
    });
    expect(result).toMatchObject({
      snapshot: "AAAAAAAAAAAAAAAAAAAAAA",
      createdAt: 1_800_000_000_000,
      records: all.length,
      restored: 9 + 2,
      skipped: { duplicate: 3, revoked: 4, expired: 5, filtered: 6, invalid: 7, limit: 8 },
    });
    expect(accountedFor(result)).toBe(all.length);
    expect(result.failed).toHaveLength(7);
    expect(result.failed[0]?.position).toBe(3 + 4 + 5 + 6 + 1);
    expect(result.tookMs).toBeGreaterThan(0);
  });

  test("[A-05] [A-23] with a limit they add up too", async () => {
    const { sessions, clock } = world();
    const all = range(1_700).map(() => sessionRecord(clock));
    const result = await imported(sessions, snapshotWith(all), { limit: 300 });
    expect(result).toMatchObject({ records: 1_700, restored: 300, skipped: { limit: 1_400 } });
  });

  test("[A-05] of 250 broken ones 100 are told one by one, and all are counted", async () => {
    const { sessions, told } = world();
    const snapshot = snapshotWith(range(250));
    const result = await imported(sessions, snapshot);
    expect(result).toMatchObject({ records: 250, restored: 0, skipped: { invalid: 250 } });
    expect(result.failed.map(({ position }) => position)).toEqual(range(100).map((at) => at + 1));
    expect(told("restore-failed")).toHaveLength(100);
  });
});

describe("[A-07] only what lives is restored", () => {
  test("[A-07] 40 of 250 died since the export: 210 restored, 40 expired", async () => {
    const { store, sessions, clock } = world();
    await fill(store, 250, (index) => ({
      expiresAt: clock.now() + (index < 40 ? MINUTE : HOUR),
    }));
    const { bytes } = await exported(sessions);
    clock.advance(MINUTE);
    const other = world({ clock });
    const result = await imported(other.sessions, bytes);
    expect(result).toMatchObject({ restored: 210, skipped: { expired: 40 } });
    expect(await contents(other.store)).toEqual(await contents(store));
  });

  test("[A-07] what died in the store by its own deadline is expired there, whatever the snapshot says of it", async () => {
    const { store, sessions, clock } = world();
    const [record] = await fill(store, 1, () => ({ expiresAt: clock.now() + MINUTE }));
    const longer = { ...must(record), expiresAt: clock.now() + HOUR };
    clock.advance(MINUTE);
    const result = await imported(sessions, snapshotWith([longer]));
    expect(result).toMatchObject({ restored: 0, skipped: { expired: 1, revoked: 0 } });
  });

  test("[A-07] [A-18] no deadline moves: idle and absolute end a restored session at the same millisecond", async () => {
    const { store, sessions, clock } = world();
    await fill(store, 2, (index) =>
      index === 0 ? {} : { expiresAt: clock.now() + HOUR, absoluteExpiresAt: clock.now() + HOUR },
    );
    const { bytes } = await exported(sessions);
    clock.advance(29 * MINUTE);
    const other = world({ clock });
    await imported(other.sessions, bytes);
    clock.advance(MINUTE - 1);
    expect(await other.sessions.count()).toMatchObject({ active: 2 });
    clock.advance(1);
    expect(await other.sessions.count()).toMatchObject({ active: 1 });
    clock.advance(30 * MINUTE);
    expect(await other.sessions.count()).toMatchObject({ active: 0 });
  });

  test("[A-18] a restored session slides with use, and its absolute timeout ends it all the same", async () => {
    const from = world({ idle: "30m", absolute: "2h" });
    const visitor = from.browser();
    await visitor.visit((session) => session.login("ada"));
    const { bytes } = await exported(from.sessions);
    const to = world({ idle: "30m", absolute: "2h", clock: from.clock });
    await imported(to.sessions, bytes);
    const moved = visitor.at(to.pipeline);
    for (let minutes = 20; minutes < 120; minutes += 20) {
      from.clock.advance(20 * MINUTE);
      expect(await moved.visit((session) => session.principal)).toBe("ada");
    }
    from.clock.advance(20 * MINUTE);
    expect(await moved.visit((session) => session.principal)).toBeNull();
  });
});

describe("[A-08] an import may be repeated", () => {
  test("[A-08] the second time restores 0, and nothing in the store has changed", async () => {
    const { store, sessions } = world();
    await fill(store, 700, (index) => ({ user: `u${index % 9}` }));
    const { bytes } = await exported(sessions);
    const other = world({ clock: fakeClock() });
    await imported(other.sessions, bytes);
    const before = await contents(other.store);
    const result = await imported(other.sessions, bytes);
    expect(result).toMatchObject({ restored: 0, skipped: { duplicate: 700 } });
    expect(await contents(other.store)).toEqual(before);
  });

  test("[A-08] what a session wrote after the first import is not taken back by the second", async () => {
    const { browser, sessions } = world();
    const visitor = browser();
    await visitor.visit((session) => void (session.cart = ["milk"]));
    const { bytes } = await exported(sessions);
    await visitor.visit((session) => void (session.cart = ["milk", "bread"]));
    await imported(sessions, bytes);
    expect(await visitor.visit((session) => session.cart)).toEqual(["milk", "bread"]);
  });
});
