/** What scripts tell first, of an ordinary record, is what the words that know all cases would say and write. */
import type { Redis } from "ioredis";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { manualClock } from "@sojourn/store-conformance";
import type { ManualClock } from "@sojourn/store-conformance";
import type { Store, StoredRecord } from "@sojourn/core/store";
import { ownerOf, recordOf } from "../../../test/support/records.ts";
import { foundAt, list, updated } from "../src/answers.ts";
import { READ } from "../src/lua/reading.ts";
import { storeScript } from "../src/lua/script.ts";
import { UPDATE } from "../src/lua/writes.ts";
import { base, slotTag } from "../src/names.ts";
import { indexOf } from "./support/names.ts";
import { runningServer } from "./support/running.ts";

const REMEMBER = 3_600_000;
const CONSTANTS = { remember: REMEMBER, everywhere: "*" };
const READ_SOURCE = storeScript(READ, CONSTANTS).source;
const UPDATE_SOURCE = storeScript(UPDATE, CONSTANTS).source;
/** As if nothing were ordinary. */
const general = (source: string): string =>
  source.replace(
    "local function ordinary(key)",
    "local function ordinary() return nil end\nlocal function unused(key)",
  );
const MINUTE = 60_000;
const AGES = 1_000 * 24 * 60 * MINUTE;
const REVOKED = { why: "revoked", at: 0 } as const;

let admin: Redis;
let store: Store;
let clock: ManualClock;

beforeAll(async () => {
  clock = manualClock();
  const running = await runningServer();
  admin = running.admin;
  store = running.storeOf({ clock, rememberExpired: REMEMBER });
  return running.stop;
});

beforeEach(() => admin.flushall());

/** Everything in Redis, and how long it lives, to the minute. */
async function contents(): Promise<Map<string, unknown>> {
  const names = (await admin.keys("*")).toSorted();
  const all = names.map(async (name) => {
    const life = Math.round((await admin.pttl(name)) / MINUTE);
    return [name, [await admin.dumpBuffer(name), life]] as const;
  });
  return new Map(await Promise.all(all));
}

/** Runs a source as the store runs its scripts, and puts everything back. */
async function outcomeOf(source: string, key: string, args: readonly string[]) {
  const before = await contents();
  const at = base("sojourn", slotTag(key as never), "session");
  const answers = list(await admin.eval(source, 1, at, clock.now(), ...args));
  const after = await contents();
  for (const name of after.keys()) {
    const [dump, life] = (before.get(name) ?? []) as [Buffer?, number?];
    if (dump) await admin.restore(name, Math.max(0, (life ?? 0) * MINUTE), dump, "REPLACE");
    else await admin.del(name);
  }
  return { answers, after };
}

const instants = (record: StoredRecord): Partial<StoredRecord> => ({
  createdAt: record.createdAt + 0.25,
  seenAt: record.seenAt + 0.5,
  expiresAt: record.expiresAt + 0.125,
});

type Situation = () => Promise<StoredRecord>;
const kept = async (record: StoredRecord): Promise<StoredRecord> => {
  await store.create(record);
  return record;
};
const ada = (fields?: Partial<StoredRecord>): StoredRecord => recordOf(clock, "ada", fields);

const SITUATIONS: Record<string, Situation> = {
  "of a user": () => kept(ada()),
  "of nobody": () => kept(recordOf(clock, null)),
  "with fractions in its instants": () => kept(ada(instants(ada()))),
  "with instants beyond all whole numbers": () =>
    kept(ada({ expiresAt: 1e300, absoluteExpiresAt: 1e300 })),
  "with an owner of any characters": () => kept(recordOf(clock, "a\0b\n%d ü")),
  "whose handle has a space": () =>
    kept(ada({ handle: `${ada().handle} ` as StoredRecord["handle"] })),
  "with a binary payload": () => kept(ada({ payload: "\0\r\n%s\u{1f600}" })),
  "that lives longer than the user's other": async () => {
    await kept(ada());
    return kept(ada({ expiresAt: clock.now() + 40 * MINUTE }));
  },
  "that lives less long than the user's other": async () => {
    await kept(ada({ expiresAt: clock.now() + 40 * MINUTE }));
    return kept(ada());
  },
  "made after everybody's sessions were ended": async () => {
    await store.endAll("session", REVOKED);
    return kept(ada());
  },
  "made after the user's sessions were ended": async () => {
    await store.endOwner("session", ownerOf("ada"), REVOKED);
    return kept(ada());
  },
  "that was ended with everybody's": async () => {
    const record = await kept(ada());
    await store.endAll("session", { why: "revoked", at: clock.now() });
    return record;
  },
  "that was ended with the user's": async () => {
    const record = await kept(ada());
    await store.endOwner("session", ownerOf("ada"), { why: "revoked", at: clock.now() });
    return record;
  },
  "that was ended with the user's, though the index had lost it": async () => {
    const record = await kept(ada());
    await admin.del(indexOf(record, "i"), indexOf(record, "n"));
    await store.endOwner("session", ownerOf("ada"), { why: "revoked", at: clock.now() });
    return record;
  },
  "that was spared when the user's others were ended": async () => {
    await kept(ada());
    const record = await kept(ada());
    const ending = { why: "revoked", at: clock.now() } as const;
    await store.endOwner("session", ownerOf("ada"), ending, record.handle);
    return record;
  },
  "that was retired by a clock that is ahead": async () => {
    const record = await kept(ada());
    const index = indexOf(record, "i");
    const [member = Buffer.alloc(0)] = await admin.zrangeBuffer(index, "0", "-1");
    await admin.zadd(index, String(clock.now() - 4e14), member);
    await admin.del(indexOf(record, "n"));
    return record;
  },
  "that was ended": async () => {
    const record = await kept(ada());
    await store.end(record, { why: "logout", at: clock.now() });
    return record;
  },
  "that expired": async () => {
    const record = await kept(ada());
    clock.advance(30 * MINUTE);
    return record;
  },
  "that expired long ago": async () => {
    const record = await kept(ada());
    clock.advance(AGES);
    return record;
  },
  "that moved to another key, in its grace time": async () => {
    const record = await kept(ada());
    const { handle, createdAt } = record;
    const next = ada({ handle, createdAt });
    const ending = { why: "rotated", at: clock.now(), successor: handle } as const;
    await store.replace(record, next, { expectedVersion: 1, ending, graceMs: MINUTE });
    return record;
  },
  "whose key is another's but for the end": async () => {
    const record = await kept(ada());
    return { ...record, key: `${record.key.slice(0, -1)}!` as StoredRecord["key"] };
  },
  "whose key is another's but for what follows the tag": async () => {
    const record = await kept(ada());
    const key = `${record.key.slice(0, 3)}!${record.key.slice(4)}` as StoredRecord["key"];
    return { ...record, key };
  },
  "that is not there": async () => ada(),
};

describe.each(Object.entries(SITUATIONS))("[G4] a record %s", (_, situation) => {
  test("is read alike", async () => {
    expect(general(READ_SOURCE)).not.toBe(READ_SOURCE);
    const { kind, key } = await situation();
    const read = async (source: string) => {
      const { answers, after } = await outcomeOf(source, key, [key]);
      return { found: foundAt({ kind, key }, answers[0]), after };
    };
    expect(await read(READ_SOURCE)).toEqual(await read(general(READ_SOURCE)));
  });

  test.each([
    ["for as long as it lived", 0, 1, 0],
    ["for longer", 20 * MINUTE, 1, 1],
    ["to an earlier instant than it has", -20 * MINUTE, 1, 1],
    ["beyond its absolute timeout", 2 * AGES, 1, 1],
    ["with a fraction", MINUTE + 0.5, 1, 0.25],
    ["as of an earlier instant than it was seen", MINUTE, 1, -MINUTE],
    ["against another version", 20 * MINUTE, 2, 1],
  ])("is updated alike %s", async (_what, later, version, seen) => {
    expect(general(UPDATE_SOURCE)).not.toBe(UPDATE_SOURCE);
    const { kind, key, expiresAt } = await situation();
    const numbers = `${version} ${clock.now() + seen} ${expiresAt + later}`;
    const update = async (source: string) => {
      const args = [key, numbers, "another payload"];
      const { answers, after } = await outcomeOf(source, key, args);
      return { updated: updated({ kind, key }, answers[0], "another payload"), after };
    };
    expect(await update(UPDATE_SOURCE)).toEqual(await update(general(UPDATE_SOURCE)));
  });
});

test("[G4] the ordinary case is told of ordinary records: 3 commands for a read, 6 for an update", async () => {
  const record = await kept(ada());
  const asked = async (source: string, args: readonly (string | number)[]): Promise<number> => {
    const at = base("sojourn", slotTag(record.key), "session");
    await admin.config("RESETSTAT");
    await admin.eval(source, 1, at, clock.now(), ...args);
    const stats = await admin.info("commandstats");
    const ours = /cmdstat_(?:get|set|zscore|zadd|zrangebylex|zrem):calls=(\d+)/g;
    return [...stats.matchAll(ours)].reduce((sum, [, calls]) => sum + Number(calls), 0);
  };
  const numbers = `1 ${clock.now()} ${record.expiresAt + MINUTE}`;
  expect(await asked(READ_SOURCE, [record.key])).toBe(3);
  expect(await asked(UPDATE_SOURCE, [record.key, numbers, "another payload"])).toBe(6);
});
