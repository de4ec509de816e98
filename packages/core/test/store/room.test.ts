/** Whom a limit ends in the memory store, against the plainest way to say it, and what finding them costs. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { Admission, Handle, OwnerKey, RecordKey } from "../../src/store/contract.ts";
import type { StoredRecord } from "../../src/store/contract.ts";
import { roomFor } from "../../src/store/memory/admission.ts";
import type { Room } from "../../src/store/memory/admission.ts";
import { KindTable } from "../../src/store/memory/kind.ts";

const NOW = 100;
const [ADA, BOB] = ["abA.ada", "abA.bob"] as OwnerKey[];

interface Given {
  readonly owner: OwnerKey | null;
  readonly createdAt: number;
  readonly seenAt: number;
  readonly expiresAt: number;
}

const recordOf = (given: Given, index: number): StoredRecord => ({
  ...given,
  kind: "session",
  key: `abA.${(index * 7_919) % 100_003}` as RecordKey,
  handle: `abA${index}` as Handle,
  version: 1,
  absoluteExpiresAt: 1_000,
  payload: "{}",
});

/** Reads all of the owner's records and sorts them. */
function plainly(
  records: readonly StoredRecord[],
  owner: OwnerKey | null,
  admission: Admission | undefined,
  leaving: StoredRecord | undefined,
): Room {
  if (owner === null || admission === undefined) return { status: "admitted", evicting: [] };
  const others = records.filter(
    (each) => each.owner === owner && each.expiresAt > NOW && each !== leaving,
  );
  const excess = others.length + 1 - admission.max;
  if (excess <= 0) return { status: "admitted", evicting: [] };
  if (admission.onLimit === "reject" || admission.max < 1)
    return { status: "refused", active: others.length };
  const instant = admission.onLimit === "evict-oldest" ? "createdAt" : "seenAt";
  const byAge = others.toSorted((a, b) => a.createdAt - b.createdAt);
  const sorted = byAge.toSorted((a, b) => a[instant] - b[instant]);
  return { status: "admitted", evicting: sorted.slice(0, excess) };
}

const instants = fc.integer({ min: 1, max: 6 });
const given: fc.Arbitrary<Given> = fc.record({
  owner: fc.constantFrom(ADA, ADA, ADA, BOB, null) as fc.Arbitrary<OwnerKey | null>,
  createdAt: instants,
  seenAt: instants,
  expiresAt: fc.constantFrom(NOW - 1, NOW, NOW + 1, NOW + 2),
});
const admissions = fc.option(
  fc.record({
    max: fc.integer({ min: 0, max: 60 }),
    onLimit: fc.constantFrom("evict-oldest", "evict-idle", "reject"),
  }) as fc.Arbitrary<Admission>,
  { nil: undefined, freq: 10 },
);

describe.each([
  ["some of them overdue", given],
  ["none overdue", given.map((each) => ({ ...each, expiresAt: NOW + 1 }))],
])("[B-05] whom a limit ends, %s", (_name, records) => {
  test("the oldest or the least recently used, never the one whose place is taken", () => {
    fc.assert(
      fc.property(
        fc.array(records, { maxLength: 120, size: "max" }),
        admissions,
        fc.constantFrom(ADA ?? null, null),
        fc.option(fc.nat(119), { nil: undefined }),
        fc.array(fc.nat(119), { maxLength: 100, size: "max" }),
        (all, admission, owner, place, removed) => {
          const kind = new KindTable(0);
          const made = all.map(recordOf);
          for (const each of made) kind.put(each);
          for (const index of removed) if (made[index]) kind.remove(made[index].key);
          const stored = made.filter((_, index) => !removed.includes(index));
          const leaving = stored
            .slice(place, place === undefined ? 0 : place + 1)
            .find(({ expiresAt }) => expiresAt > NOW);
          const coming = recordOf({ owner, createdAt: 9, seenAt: 9, expiresAt: 200 }, 99_999);
          const room = roomFor(kind, coming, { admission, now: NOW, ...(leaving && { leaving }) });
          expect(room).toEqual(plainly(stored, owner, admission, leaving));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

test.each(["evict-oldest", "reject"] as const)(
  "[B-05] with %s it looks at as many records of a user with 40 sessions as of one with 4,000",
  (onLimit) => {
    const looks = [40, 4_000].map((sessions) => {
      const kind = new KindTable(0);
      for (let index = 0; index < sessions; index += 1)
        kind.put(
          recordOf({ owner: ADA ?? null, createdAt: index, seenAt: 1, expiresAt: 200 }, index),
        );
      const looked = vi.spyOn(kind, "recordAt");
      const coming = recordOf(
        { owner: ADA ?? null, createdAt: 9, seenAt: 9, expiresAt: 200 },
        9_999,
      );
      const admission = { max: sessions, onLimit };
      const leaving = kind.ownedBy(ADA as OwnerKey, NOW)[1];
      looked.mockClear();
      roomFor(kind, coming, { admission, now: NOW });
      roomFor(kind, coming, {
        admission: { ...admission, max: sessions - 1 },
        now: NOW,
        ...(leaving && { leaving }),
      });
      return looked.mock.calls.length;
    });
    expect(looks[1]).toBe(looks[0]);
    expect(looks[1]).toBe(onLimit === "reject" ? 0 : 3);
  },
);
