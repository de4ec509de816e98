/** What a full table gives up, in which order. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { RecordTable, type Effect } from "../../src/store/index.ts";
import { HOUR, MINUTE, record, ref, testClock } from "./fixtures.ts";
import { watchUnits } from "./units.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

function setUp(maxRecords: number) {
  const clock = testClock();
  const effects: Effect[] = [];
  const table = new RecordTable({
    clock,
    maxRecords,
    onEffects: (some) => void effects.push(...some),
  });
  const create = (fields = {}) => {
    const made = record(clock, fields);
    table.create(made);
    clock.advance(1);
    return made;
  };
  const end = (made: ReturnType<typeof create>) => {
    table.end(ref(made), { why: "logout", at: clock.now() });
    clock.advance(1);
  };
  return { clock, table, effects, create, end };
}

const full: unknown = expect.objectContaining({ code: "SOJOURN_STORE_FULL" });

describe("a table of maxRecords 3", () => {
  test("drops the oldest tombstone for a fourth record, and keeps the newer one", () => {
    const { table, create, end, effects } = setUp(3);
    const [first, second, third] = [create(), create(), create({ user: "ada" })];
    end(second);
    end(first);
    const fourth = create({ user: "bob" });
    expect(table.read(ref(second))).toBeNull();
    expect(table.read(ref(first))).toMatchObject({ ending: { why: "logout" } });
    expect(table.read(ref(third))).toMatchObject({ key: third.key, version: 1 });
    expect(effects.slice(-2)).toEqual([
      { drop: { kind: "session", key: second.key } },
      { put: fourth },
    ]);
  });

  test("looks for the oldest tombstone in every kind", () => {
    const { table, create, end } = setUp(3);
    const [session, grant] = [create(), create({ kind: "grant" })];
    end(grant);
    end(session);
    create();
    create();
    expect(table.read(ref(grant))).toBeNull();
    expect(table.read(ref(session))).not.toBeNull();
  });

  test("forgets what is over before it drops what is not", () => {
    const { clock, table, create, end } = setUp(3);
    const over = { absoluteExpiresAt: clock.now() + HOUR, expiresAt: clock.now() + HOUR };
    const [brief, kept] = [create({ ...over, kind: "grant" }), create({ user: "ada" })];
    end(kept);
    end(brief);
    clock.advance(HOUR + 2 * MINUTE);
    create({ user: "bob" });
    create({ user: "bob" });
    expect(table.read(ref(kept))).toMatchObject({ ending: { why: "logout" } });
    expect(table.read(ref(brief))).toBeNull();
  });

  test("forgets what is over before it drops what is not, also for a rotation", () => {
    const { clock, table, create, end } = setUp(3);
    const over = { absoluteExpiresAt: clock.now() + HOUR, expiresAt: clock.now() + HOUR };
    const kept = create({ user: "ada" });
    const brief = create(over);
    const old = create({ user: "bob", expiresAt: clock.now() + 24 * HOUR });
    end(kept);
    end(brief);
    clock.advance(HOUR);
    const ending = { why: "rotated", at: clock.now() } as const;
    const next = record(clock, { user: "bob", handle: old.handle });
    expect(table.replace(ref(old), next, { expectedVersion: 1, ending }).status).toBe("replaced");
    expect(table.read(ref(kept))).toMatchObject({ ending: { why: "logout" } });
    expect(table.read(ref(brief))).toBeNull();
  });

  test("drops an expired record before an alive one", () => {
    const { clock, table, create } = setUp(3);
    const anonymous = create();
    const expired = create({ user: "ada", expiresAt: clock.now() + MINUTE });
    create({ user: "ada" });
    clock.advance(MINUTE);
    create({ user: "bob" });
    expect(table.read(ref(expired))).toBeNull();
    expect(table.read(ref(anonymous))).not.toBeNull();
    expect(table.count("session")).toMatchObject({ active: 3, principals: 2 });
  });

  test("drops the least recently created anonymous record, never one with an owner", () => {
    const { table, create, effects } = setUp(3);
    const [ada, first, second] = [create({ user: "ada" }), create(), create()];
    create({ user: "bob" });
    expect(table.read(ref(first))).toBeNull();
    expect(table.read(ref(second))).not.toBeNull();
    expect(effects).toContainEqual({ drop: { kind: "session", key: first.key } });
    create({ user: "bob" });
    expect(table.read(ref(ada))).not.toBeNull();
    expect(table.count("session").active).toBe(3);
    expect(() => create()).toThrow(full);
  });

  test("full of owned records: refuses with SOJOURN_STORE_FULL, changes and tells nothing", () => {
    const { clock, table, create, effects } = setUp(3);
    for (const user of ["ada", "bob", "cyd"]) create({ user });
    const before = [...table.state()];
    effects.length = 0;
    expect(() => table.create(record(clock, { user: "eve" }))).toThrow(full);
    expect([...table.state()]).toEqual(before);
    expect(effects).toEqual([]);
  });

  test("full of owned records: a login that evicts its own, and a rotation, still succeed", () => {
    const { clock, table, create } = setUp(3);
    const [ada] = [create({ user: "ada" }), create({ user: "bob" }), create({ user: "cyd" })];
    const next = record(clock, { user: "ada" });
    const outcome = table.create(next, { max: 1, onLimit: "evict-oldest" });
    expect(outcome).toMatchObject({ status: "created", evicted: [{ handle: ada.handle }] });
    const later = record(clock, { user: "ada", handle: next.handle });
    const ending = { why: "rotated", at: clock.now() } as const;
    expect(table.replace(ref(next), later, { expectedVersion: 1, ending }).status).toBe("replaced");
    expect(table.count("session").active).toBe(3);
  });

  test("a generation that was ended by endAll makes room like tombstones", () => {
    const { clock, table, create } = setUp(3);
    for (const user of ["ada", "bob", "cyd"]) create({ user });
    table.endAll("session", { why: "revoked", at: clock.now() });
    for (const user of ["dan", "eve", "fay"]) create({ user });
    expect(table.count("session").active).toBe(3);
    const puts = [...table.state()].filter((effect) => "put" in effect);
    expect(puts).toHaveLength(3);
  });
});

test("[C-09] a create in a full table of expired records cleans up 20 of them at most", () => {
  const { clock, create } = setUp(1_000);
  for (let index = 0; index < 1_000; index += 1) create();
  clock.advance(HOUR);
  const units = watchUnits();
  create();
  expect(units()).toBeGreaterThan(0);
  expect(units()).toBeLessThanOrEqual(20);
});

test("a table that was built again with more than it may keep gives up every expired record before an alive one", () => {
  const { clock, table, create } = setUp(3);
  const alive = [record(clock), record(clock, { user: "ada" })];
  const expired = Array.from({ length: 40 }, () =>
    record(clock, { expiresAt: clock.now() + MINUTE }),
  );
  table.apply([...expired, ...alive].map((put) => ({ put })));
  clock.advance(2 * MINUTE);
  create();
  expect(alive.map((each) => table.read(ref(each)))).toEqual(alive);
  expect(table.count("session").active).toBe(3);
  expect([...table.state()]).toHaveLength(3);
});

test("T-DOS 50,000 anonymous creates in a table of 1,000 keep 1,000, the newest, in linear time", () => {
  const { table, create } = setUp(1_000);
  const made = Array.from({ length: 50_000 }, () => create());
  expect([...table.state()]).toHaveLength(1_000);
  expect(made.slice(-1_000).every((each) => table.read(ref(each)) !== null)).toBe(true);
});
