/** Effects: what a table tells is enough to build it again, and telling it twice changes nothing. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isSojournError, ownerKey, RecordTable, tagOf } from "../../src/store/index.ts";
import type { Effect, RecordKey, StoredRecord } from "../../src/store/index.ts";
import { HOUR, MINUTE, record, ref, testClock } from "./fixtures.ts";

const USERS = [undefined, "ada", "bob"] as const;
const VERBS = ["create", "update", "touch", "replace", "end", "endOwner", "endAll"] as const;
const step = fc.record({
  verb: fc.constantFrom(...VERBS, "create", "create", "consume", "wait", "purge"),
  user: fc.constantFrom(...USERS),
  pick: fc.nat(50),
  ms: fc.nat(40 * MINUTE),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function newTable(
  clock: ReturnType<typeof testClock>,
  onEffects?: (some: readonly Effect[]) => void,
) {
  return new RecordTable({ clock, maxRecords: 25, ...(onEffects && { onEffects }) });
}

/** Plays a history; the table, its journal, and every record that was ever made. */
function play(steps: readonly Step[]) {
  const clock = testClock();
  const journal: Effect[] = [];
  const table = newTable(clock, (some) => void journal.push(...some));
  const made: StoredRecord[] = [];
  for (const each of steps) {
    const target = made[each.pick % Math.max(1, made.length)];
    playStep(each, { clock, table, made, target });
  }
  return { clock, journal, table, made };
}

interface Scene {
  clock: ReturnType<typeof testClock>;
  table: RecordTable;
  made: StoredRecord[];
  target: StoredRecord | undefined;
}

function playStep({ verb, user, ms }: Step, { clock, table, made, target }: Scene): void {
  const now = clock.now();
  const fields = user === undefined ? {} : { user };
  if (verb === "wait") clock.advance(ms);
  else if (verb === "purge") table.purge(3);
  else if (verb === "endAll") table.endAll("session", { why: "revoked", at: now });
  else if (verb === "create" || target === undefined) {
    const next = record(clock, { ...fields, expiresAt: now + ms });
    made.push(next);
    try {
      table.create(next, { max: 3, onLimit: "evict-oldest" });
    } catch (error) {
      if (!isSojournError(error) || error.code !== "SOJOURN_STORE_FULL") throw error;
    }
  } else if (verb === "update") {
    table.update(ref(target), { payload: `${ms}`, seenAt: now, expiresAt: now + ms }, 1);
  } else if (verb === "touch") table.touch(ref(target), now, now + ms);
  else if (verb === "end") table.end(ref(target), { why: "logout", at: now });
  else if (verb === "consume") table.consume(ref(target));
  else if (verb === "endOwner") {
    if (target.owner) table.endOwner("session", target.owner, { why: "revoked", at: now });
  } else {
    const found = table.read(ref(target));
    if (found === null || "ending" in found) return;
    const key = `${tagOf(found.key)}.${record(clock).key}` as RecordKey;
    const next = record(clock, { ...found, key, expiresAt: now + ms });
    made.push(next);
    const ending = { why: "rotated", at: now } as const;
    table.replace(ref(target), next, { expectedVersion: found.version, ending, graceMs: ms });
  }
}

/** All that can be seen of a table, but for lifetime figures. */
function view(table: RecordTable, made: readonly StoredRecord[]) {
  const { active, principals } = table.count("session");
  return {
    byKey: made.map((each) => table.read(ref(each))),
    byHandle: made.map(({ kind, handle }) => table.read({ kind, handle })),
    lists: made.map(({ owner }) => owner && table.listOwner("session", owner)),
    owners: table.owners("session"),
    counts: { active, principals },
  };
}

function check(rebuild: (played: ReturnType<typeof play>, copy: RecordTable) => void): void {
  const later = [0, 5 * MINUTE, HOUR];
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const played = play(steps);
      const copy = newTable(played.clock);
      rebuild(played, copy);
      for (const ms of later) {
        played.clock.advance(ms);
        expect(view(copy, played.made)).toEqual(view(played.table, played.made));
      }
    }),
    { numRuns: 300 },
  );
}

test("apply(state()) makes a table that answers the same, now and later", () => {
  check(({ table }, copy) => copy.apply(table.state()));
});

test("the journal of all effects makes a table that answers the same", () => {
  check(({ journal }, copy) => copy.apply(journal));
});

test("apply is idempotent: the journal twice, and the state and then the journal, answer the same", () => {
  check(({ journal }, copy) => {
    copy.apply(journal);
    copy.apply(journal);
  });
  check(({ journal, table }, copy) => {
    copy.apply([...table.state()]);
    copy.apply(journal);
  });
});

test("a state taken step by step, with what happened meanwhile replayed on it, is the present", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.array(step, { maxLength: 40 }), (a, b) => {
      const played = play(a);
      const { clock, journal, table, made } = played;
      const from = journal.length;
      const snapshot: Effect[] = [];
      const steps = b.values();
      for (const effect of table.state()) {
        snapshot.push(effect);
        const next = steps.next();
        if (next.done) continue;
        const target = made[next.value.pick % Math.max(1, made.length)];
        playStep(next.value, { clock, table, made, target });
      }
      const copy = newTable(clock);
      copy.apply(snapshot);
      copy.apply(journal.slice(from));
      expect(view(copy, made)).toEqual(view(table, made));
    }),
    { numRuns: 300 },
  );
});

test("tells all effects of an operation in one call, and none for one that changed nothing", () => {
  const clock = testClock();
  const calls: (readonly Effect[])[] = [];
  const table = newTable(clock, (some) => void calls.push(some));
  const [first, second] = [record(clock, { user: "ada" }), record(clock, { user: "ada" })];
  table.create(first);
  table.create(second, { max: 1, onLimit: "evict-oldest" });
  table.create(record(clock, { user: "ada" }), { max: 1, onLimit: "reject" });
  table.touch(ref(second), 0, 0);
  table.touch(ref(first), clock.now() + 1, clock.now() + HOUR);
  table.update(ref(second), { payload: "", seenAt: 0, expiresAt: 0 }, 9);
  table.end(ref(first), { why: "revoked", at: clock.now() });
  table.endOwner("session", ownerKey("", "ada"), { why: "revoked", at: clock.now() }, first.handle);
  clock.advance(HOUR);
  while (table.purge(1));
  expect(calls.map((some) => some.map((effect) => Object.keys(effect)[0]))).toEqual([
    ["put"],
    ["end", "put"],
  ]);
});
