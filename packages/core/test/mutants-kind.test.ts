/** What mutation testing found untested in store/memory/kind.ts; see docs/mutation.md. */
import { beforeEach, describe, expect, test } from "vitest";
import { CLOCK_TOLERANCE, type OwnerKey, type StoredRecord } from "../src/store/contract.ts";
import { endedTombstone } from "../src/store/memory/entry.ts";
import { ownerEnded } from "../src/store/memory/ended-owner.ts";
import { KindTable } from "../src/store/memory/kind.ts";
import { HOUR, MINUTE } from "./support/clock.ts";

const NOW = 1_800_000_000_000;
const revoked = { why: "revoked", at: NOW + 10 } as const;

/** A record that lives from now on for a minute, unless touched, and for an hour at most. */
function record(name: string, fields: Partial<StoredRecord> = {}): StoredRecord {
  const kept = {
    kind: "session",
    key: `abA.${name}`,
    handle: `abA${name}`,
    owner: null,
    version: 1,
    createdAt: NOW,
    seenAt: NOW,
    expiresAt: NOW + MINUTE,
    absoluteExpiresAt: NOW + HOUR,
    payload: "{}",
    ...fields,
  };
  return kept as StoredRecord;
}

const ownerOf = (name: string): OwnerKey => `abA.${name}` as OwnerKey;
const [a, b, c] = [record("a"), record("b", { createdAt: NOW + 4 }), record("c")] as const;

let kind: KindTable;
beforeEach(() => {
  kind = new KindTable(NOW);
});

describe("a generation that was ended as a whole", () => {
  test("is kept, and moved over entry by entry, the oldest generation first", () => {
    for (const generation of [[a, record("d")], [b], [c]]) {
      for (const each of generation) kind.put(each);
      kind.retire(revoked, true);
    }
    kind.put(record("e"));
    expect(kind.size).toBe(5);
    expect([kind.isDue(NOW + 11), kind.convert(1)]).toEqual([true, 1]);
    expect(kind.oldestTombstones(9)).toEqual([a.key]);
    expect([kind.isDue(NOW + 11), kind.convert(9)]).toEqual([true, 3]);
    expect([kind.isDue(NOW + 11), kind.convert(9)]).toEqual([false, 0]);
    expect(kind.size).toBe(5);
  });

  test("[E-18] counts as ended at once, and once, with what each record lived", () => {
    for (const each of [a, b, c]) kind.put(each);
    kind.bury(endedTombstone(c, { why: "logout", at: NOW + 1 }));
    kind.retire(revoked, true);
    const lifetime = { ended: 2, durationMs: 10 + 6 };
    expect(kind.count(NOW + 10)).toMatchObject({ active: 0, lifetime });
    kind.convert(9);
    expect(kind.count(NOW + 10)).toMatchObject({ active: 0, lifetime });
  });

  test("[E-18] counts for nothing where its ending is replayed", () => {
    kind.put(a);
    kind.retire(revoked, false);
    const lifetime = { ended: 0, durationMs: 0 };
    expect(kind.count(NOW + 10)).toMatchObject({ active: 0, lifetime });
    kind.convert(9);
    expect(kind.count(NOW + 10)).toMatchObject({ active: 0, lifetime });
  });

  test("that is empty leaves nothing to clean", () => {
    kind.retire(revoked, true);
    expect(kind.isDue(NOW + 11)).toBe(false);
  });
});

describe("a key in its grace time", () => {
  const next = record("next", { handle: a.handle });
  const rotated = { why: "rotated", at: NOW } as const;
  beforeEach(() => {
    kind.put(a);
    kind.bury(endedTombstone(a, rotated), { to: next.key, until: NOW + 10 });
    kind.put(next);
  });

  test("[E-11] leads to the new record, and from the end of it on to its own tombstone", () => {
    expect(kind.find(a, NOW + 9)).toBe(next);
    expect(kind.find(a, NOW + 10)).toMatchObject({ key: a.key, ending: rotated });
  });

  test("[B-08] leads to the new ending when everything is ended, before and after it is moved over", () => {
    kind.retire({ ...revoked, at: NOW + 1 }, true);
    for (const _ of ["retired", "converted"]) {
      expect(kind.find(a, NOW + 9)).toMatchObject({ key: next.key, ending: { why: "revoked" } });
      expect(kind.find(a, NOW + 10)).toMatchObject({ key: a.key, ending: rotated });
      kind.convert(9);
    }
  });
});

describe("time", () => {
  test("cleaning is due at the expiry, to the millisecond, and again when a tombstone is over", () => {
    kind.put(record("a", { expiresAt: NOW + 500 }));
    const due = (ms: number) => [kind.overdue(NOW + ms), kind.isDue(NOW + ms)];
    expect([due(499), due(500)]).toEqual([
      [0, false],
      [1, true],
    ]);
    expect([kind.expire(NOW + 499, 9), kind.expire(NOW + 500, 9), due(500)]).toEqual([
      0,
      1,
      [0, false],
    ]);
    expect([due(HOUR - 1), due(HOUR)]).toEqual([
      [0, false],
      [0, true],
    ]);
    expect([kind.forget(NOW + HOUR - 1, 9), kind.size]).toEqual([0, 1]);
    expect([kind.forget(NOW + HOUR, 9), kind.size]).toEqual([1, 0]);
    expect(due(HOUR)).toEqual([0, false]);
  });

  test("[B-16] counts are to the millisecond", () => {
    kind.put(record("a", { expiresAt: NOW + 500 }));
    kind.put(record("b", { expiresAt: NOW + 501 }));
    expect(kind.count(NOW + 499)).toMatchObject({ active: 2, lifetime: { ended: 0 } });
    expect(kind.count(NOW + 500)).toMatchObject({ active: 1, lifetime: { ended: 1 } });
  });

  test("[E-18] the peak does not count what has expired, and never falls", () => {
    kind.put(record("a", { expiresAt: NOW + 500 }));
    kind.put(record("b", { expiresAt: NOW + 1_600 }));
    kind.put(record("c", { expiresAt: NOW + 1_601 }));
    const peaks = [1_601, 1_600, 499, 500].map((ms) => {
      kind.notePeak(NOW + ms);
      return kind.lifetime.peak;
    });
    expect(peaks).toEqual([0, 1, 3, 3]);
  });

  test("[E-18] however many have expired", () => {
    for (let index = 0; index < 2_000; index += 1) {
      kind.put(record(`n${index}`, { expiresAt: NOW + (index < 1_990 ? 5 : 6) }));
    }
    kind.notePeak(NOW + 5);
    expect(kind.lifetime.peak).toBe(10);
  });
});

describe("owners", () => {
  test("[B-16] are paged, and those whose records have expired are none", () => {
    for (const name of ["ada", "bob", "cyd"])
      kind.put(
        record(name, { owner: ownerOf(name), expiresAt: NOW + (name === "bob" ? 5 : MINUTE) }),
      );
    const [ada, cyd] = [ownerOf("ada"), ownerOf("cyd")];
    expect(kind.owners("", 1, NOW + 5)).toEqual({
      owners: [{ owner: ada, active: 1 }],
      cursor: ada,
    });
    expect(kind.owners(ada, 1, NOW + 5)).toEqual({
      owners: [{ owner: cyd, active: 1 }],
      cursor: null,
    });
  });
});

describe("records from elsewhere", () => {
  const older = (ms: number, owner: OwnerKey | null = null) =>
    kind.endedSince(record("x", { owner, createdAt: revoked.at + CLOCK_TOLERANCE + ms }));

  test("[E-23] have ended if they began before the kind was ended, the tolerance included", () => {
    expect(older(0)).toBeNull();
    kind.retire(revoked, true);
    expect([older(0), older(1)]).toEqual([revoked, null]);
    expect(older(0, ownerOf("ada"))).toBe(revoked);
  });

  test("[E-23] or before their owner's were ended, and nobody else's", () => {
    kind.bury(ownerEnded("session", ownerOf("ada"), revoked));
    expect([older(0, ownerOf("ada")), older(1, ownerOf("ada"))]).toEqual([revoked, null]);
    expect([older(0, ownerOf("bob")), older(0)]).toEqual([null, null]);
  });

  test("[E-23] of several endings of the kind the latest counts, of two at an instant the later told", () => {
    const [earlier, again] = [{ ...revoked, at: NOW }, { ...revoked }];
    kind.retire(revoked, true);
    kind.retire(earlier, true);
    expect(kind.lastEndAll).toBe(revoked);
    kind.retire(again, true);
    expect(kind.lastEndAll).toBe(again);
  });
});

test("the state has a tombstone's move where there is one, and nothing in its place", () => {
  const [logout, rotated] = [
    { why: "logout", at: NOW } as const,
    { why: "rotated", at: NOW } as const,
  ];
  const moved = { to: c.key, until: NOW + 10 };
  const ends = [endedTombstone(a, logout), endedTombstone(b, rotated)] as const;
  kind.bury(ends[0]);
  kind.bury(ends[1], moved);
  expect([...kind.state()]).toStrictEqual([{ end: ends[0] }, { end: ends[1], moved }]);
});
