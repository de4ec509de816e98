/** [D-20] The laws of a store, within one request, for the one record that it carries; the suite's cases need a list. */
import { KeyRing, memoryStore } from "@sojourn/core";
import { ownerKey, tagOf } from "@sojourn/core/store";
import type { CarriedStore, Handle, RecordKey, Store, StoredRecord } from "@sojourn/core/store";
import { describe, expect, test } from "vitest";
import { cookieStore } from "../src/index.ts";
import { HandClock, HOUR, SECRET } from "./support/world.ts";

const KIND = "session";
const owner = ownerKey("", "ada");
const tag = tagOf(owner);
const ring = new KeyRing([SECRET]);
const keyOf = (letter: string): RecordKey => `${tag}.${letter.repeat(43)}` as RecordKey;
const handleOf = (letter: string): Handle => `${tag}${letter.repeat(16)}` as Handle;
const key = keyOf("k");
const handle = handleOf("h");

interface Bench {
  readonly clock: HandClock;
  readonly store: Store;
  readonly record: StoredRecord;
  /** The store of a request that carries the record. */
  readonly request: CarriedStore;
  /** That of another request with a copy of it. */
  copy(): CarriedStore;
}

async function bench(): Promise<Bench> {
  const clock = new HandClock();
  const store = cookieStore({ epochs: memoryStore({ clock }) });
  const { carrier } = store;
  if (!carrier) throw new Error("a cookie store carries");
  const common = { kind: KIND, name: "sid", ring, room: 4_000 };
  const now = clock.now();
  const times = {
    createdAt: now,
    seenAt: now,
    expiresAt: now + HOUR,
    absoluteExpiresAt: now + 2 * HOUR,
  };
  const record = { kind: KIND, key, handle, owner, version: 1, ...times, payload: "{}" };
  const first = carrier.forRequest({ ...common, sealed: null });
  await first.create(record);
  const text = first.taken()?.text ?? "";
  const copy = (): CarriedStore => carrier.forRequest({ ...common, sealed: { key, text } });
  return { clock, store, record, request: copy(), copy };
}

const logout = { why: "logout", at: 1 } as const;
const byKey = { kind: KIND, key };
const byHandle = { kind: KIND, handle };
const change = ({ seenAt, expiresAt }: StoredRecord, payload: string) => ({
  payload,
  seenAt,
  expiresAt,
});

describe("[D-20] within one request", () => {
  test("law 1: what was carried comes out to the character, and nothing else", async () => {
    const { request, record } = await bench();
    expect(await request.read(byKey)).toEqual(record);
    expect(await request.read(byHandle)).toEqual(record);
    expect(await request.read({ kind: KIND, key: keyOf("x") })).toBeNull();
    expect(request.taken()).toBeUndefined();
  });

  test("law 2: of 20 updates at one version one is written, the others see its record", async () => {
    const { request, record } = await bench();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        request.update(byKey, change(record, String(index)), 1),
      ),
    );
    const [written] = answers.filter(({ status }) => status === "updated");
    expect(answers.filter(({ status }) => status === "conflict")).toHaveLength(19);
    expect(await request.read(byKey)).toEqual(
      written && "record" in written ? written.record : null,
    );
  });

  test("law 2: after an end, here or in a copy, nothing is written, replaced, touched or ended again", async () => {
    for (const where of ["here", "copy", "outside"] as const) {
      const { request, copy, store, record } = await bench();
      const ender = { here: request, copy: copy(), outside: store }[where];
      expect(await ender.end(byHandle, logout)).toMatchObject({ handle, ending: logout });
      expect(await request.end(byHandle, { ...logout, why: "revoked" })).toBeNull();
      expect(await request.update(byKey, change(record, "late"), 1)).toMatchObject({
        status: "gone",
        tombstone: { ending: logout },
      });
      const next = { ...record, key: keyOf("n"), handle: handleOf("n") };
      const how = { expectedVersion: 1, ending: { why: "rotated", at: 2 } } as const;
      expect(await request.replace(byKey, next, how)).toMatchObject({ status: "gone" });
      expect(await request.touch(byKey, record.seenAt + 1, record.expiresAt + 1)).toBe(false);
      expect(await request.read(byKey)).toMatchObject({ ending: logout });
      expect(await store.read(byHandle)).toMatchObject({ ending: logout });
      expect(request.taken()).toBe(where === "here" ? null : undefined);
    }
  });

  test("law 2: of 20 replaces, in copies, one wins", async () => {
    const { copy, record } = await bench();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const next = { ...record, key: keyOf(String.fromCharCode(97 + index)), version: 2 };
        return copy().replace(byKey, next, {
          expectedVersion: 1,
          ending: { why: "rotated", at: 1 },
        });
      }),
    );
    expect(answers.filter(({ status }) => status === "replaced")).toHaveLength(1);
    expect(answers.filter(({ status }) => status === "gone")).toHaveLength(19);
  });

  test("law 3: endOwner answers null when the one to spare is over, or another's: then nothing ended", async () => {
    const ending = { why: "revoked", at: 1 } as const;
    const bob = await bench();
    expect(await bob.request.endOwner(KIND, ownerKey("", "bob"), ending, handle)).toBeNull();
    expect(await bob.request.endOwner(KIND, owner, ending, handle)).toBe(0);
    expect(await bob.request.read(byKey)).toEqual(bob.record);
    const { request, store, copy } = await bench();
    const other = copy();
    await store.end(byHandle, logout);
    expect(await request.endOwner(KIND, owner, ending, handle)).toBeNull();
    expect(await store.endOwner(KIND, owner, ending, handle)).toBeNull();
    expect(await other.read(byKey)).toMatchObject({ ending: logout });
  });

  test("law 10: update and touch move the deadline forward only, and never beyond the absolute one", async () => {
    const { request, record } = await bench();
    const { seenAt, expiresAt, absoluteExpiresAt } = record;
    await request.touch(byKey, seenAt + 5, absoluteExpiresAt + 5);
    expect(await request.read(byKey)).toMatchObject({
      seenAt: seenAt + 5,
      expiresAt: absoluteExpiresAt,
    });
    await request.update(byKey, { payload: "{}", seenAt, expiresAt }, 1);
    expect(await request.read(byKey)).toMatchObject({
      seenAt: seenAt + 5,
      expiresAt: absoluteExpiresAt,
    });
    expect(request.taken()).toMatchObject({ key, expiresAt: absoluteExpiresAt });
    expect(request.taken()).toBeUndefined();
  });

  test("law 10: it is dead at its deadline, alive 1 ms before; then nothing ends or replaces it", async () => {
    const { request, record, clock } = await bench();
    clock.advance(HOUR - 1);
    expect(await request.read(byKey)).toEqual(record);
    clock.advance(1);
    expect(await request.read(byKey)).toMatchObject({
      ending: { why: "idle", at: record.expiresAt },
    });
    expect(await request.end(byKey, logout)).toBeNull();
    expect(await request.update(byKey, change(record, "late"), 1)).toMatchObject({
      status: "gone",
    });
    const how = { expectedVersion: 1, ending: logout };
    expect(await request.replace(byKey, { ...record, key: keyOf("n") }, how)).toMatchObject({
      status: "gone",
    });
  });

  test("law 11: owners such as __proto__ are data", async () => {
    const { store } = await bench();
    const odd = ownerKey("", "__proto__");
    expect(await store.endOwner(KIND, odd, { why: "revoked", at: 1 })).toBe(0);
    expect(await store.endOwner(KIND, odd, { why: "revoked", at: 2 })).toBe(0);
  });
});
