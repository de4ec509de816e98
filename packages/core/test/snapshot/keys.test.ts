/** The keys of a snapshot and the version of its format. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { KeyRing } from "../../src/keys/key-ring.ts";
import { fakeClock } from "../support/clock.ts";
import { failure, must, SECRET, world } from "../support/world.ts";
import { contents, exported, fill, imported, sessionRecord, snapshotWith } from "./support.ts";

const clock = fakeClock();
const [K1, K2] = [
  "the first key of the snapshots, long enough",
  "the second key of the snapshots, as long",
];

/** A snapshot of one record, written with the option `keys`, or without it. */
async function written(keys?: KeyRing | string): Promise<{ bytes: Buffer; handle: string }> {
  const { store, sessions } = world({ clock });
  const [record] = await fill(store, 1);
  const { bytes } = await exported(sessions, keys === undefined ? {} : { keys });
  return { bytes, handle: must(record).handle };
}

describe("[A-13] keys", () => {
  test("[A-13] written with k1: the ring [k2, k1] reads it, [k2] alone refuses with unknown-key", async () => {
    const { bytes } = await written(K1);
    const { sessions, store } = world({ clock });
    const error = await failure(imported(sessions, bytes, { keys: K2 }));
    expect(error.details).toMatchObject({ reason: "unknown-key", line: 2 });
    expect(error.message).toContain("no key of the ring opens it");
    expect(await contents(store)).toEqual([]);
    expect(await imported(sessions, bytes, { keys: [K2, K1] })).toMatchObject({ restored: 1 });
  });

  test("[A-13] without the option the keys of secret are used, the newest writes", async () => {
    const { bytes } = await written();
    const rotated = world({ clock, secret: [K2, SECRET] });
    expect(await imported(rotated.sessions, bytes)).toMatchObject({ restored: 1 });
    const again = await exported(rotated.sessions);
    const { sessions } = world({ clock, secret: SECRET });
    const error = await failure(imported(sessions, again.bytes));
    expect(error.details).toMatchObject({ reason: "unknown-key" });
    const other = world({ clock, secret: K2 });
    expect(await imported(other.sessions, again.bytes)).toMatchObject({ restored: 1 });
  });

  test("[A-13] a KeyRing is looked at as it is now: added keys write, revoked ones open nothing", async () => {
    const ring = new KeyRing([K1]);
    const { bytes } = await written(ring);
    ring.add(K2);
    const { sessions } = world({ clock });
    expect(await imported(sessions, bytes, { keys: ring })).toMatchObject({ restored: 1 });
    const old = must(ring.list().find(({ isNewest }) => !isNewest));
    ring.revoke(old.kid);
    const error = await failure(imported(sessions, bytes, { keys: ring }));
    expect(error.details).toMatchObject({ reason: "unknown-key" });
  });

  test("[A-13] keys may be bytes", async () => {
    const bytes = new Uint8Array(32).map((_, index) => index * 7);
    const from = world({ clock });
    await fill(from.store, 1);
    const snapshot = await exported(from.sessions, { keys: bytes });
    const { sessions } = world({ clock });
    expect(await imported(sessions, snapshot.bytes, { keys: [K1, bytes] })).toMatchObject({
      restored: 1,
    });
  });

  test("[A-13] a short key is refused, and its message does not hold it", async () => {
    const { sessions } = world({ clock });
    const error = await failure(imported(sessions, "", { keys: "too short" }));
    expect(error.code).toBe("SOJOURN_OPTIONS_INVALID");
    expect(error.message).not.toContain("too short");
  });

  test("[A-13] payloads that are encrypted in the store come over as they are, and open with its keys alone", async () => {
    const from = world({ clock, encryption: { keys: K1 } });
    const visitor = from.browser();
    await visitor.visit((session) => void (session.cart = "bread"));
    const { bytes } = await exported(from.sessions);
    const to = world({ clock, encryption: { keys: K1 } });
    await imported(to.sessions, bytes);
    expect(await contents(to.store)).toEqual(await contents(from.store));
    expect(await visitor.at(to.pipeline).visit((session) => session.cart)).toBe("bread");
    const without = world({ clock, encryption: { keys: K2 } });
    const result = await imported(without.sessions, bytes);
    expect(result).toMatchObject({ restored: 0, skipped: { invalid: 1 } });
    expect(result.failed[0]?.reason).toContain("SOJOURN_KEY_UNKNOWN");
  });

  test("[A-13] what the same secret sealed for another purpose is no segment", async () => {
    const { sessions, store } = world({ clock, encryption: true });
    const visitor = world({ clock, encryption: true, store }).browser();
    await visitor.visit((session) => void (session.cart = 1));
    const { payload } = must((await contents(store))[0]);
    const sealed = payload.replace("sealed1:", "");
    const [header, segment, end] = snapshotWith([sessionRecord(clock)])
      .toString()
      .split("\n");
    const forged = JSON.stringify({ ...(JSON.parse(must(segment)) as object), sealed });
    const error = await failure(imported(sessions, [header, forged, end].join("\n")));
    expect(error.details).toMatchObject({ reason: "damaged", line: 2 });
  });
});

describe("[A-29] the version", () => {
  /** Written by the first release; must be readable by every later one. */
  const fixture = (name: string) =>
    readFile(new URL(`./fixtures/${name}.snapshot`, import.meta.url));

  test.for(["v1-encrypted", "v1-compressed", "v1-plain"])(
    "[A-29] the fixture %s of version 1 is read: 3 records with every field",
    async (name) => {
      const { sessions, store } = world({ clock });
      const options = { keys: K1, acceptPlain: true, kinds: ["session", "grant"] };
      const result = await imported(sessions, await fixture(name), options);
      expect(result).toMatchObject({ createdAt: clock.now(), records: 3, restored: 3 });
      const facts = '{"authenticatedAt":1800000000000,"level":1}';
      expect(await contents(store, ["session", "grant"])).toMatchObject([
        {
          kind: "grant",
          handle: "AAAAAAAAAAAAAAAAAAA",
          owner: null,
          version: 1,
          payload: "anything at all",
        },
        {
          kind: "session",
          handle: expect.stringMatching(/^[\w-]{19}$/) as unknown,
          owner: expect.stringMatching(/^[\w-]{3}\.ad\u00e4@example\.com$/) as unknown,
          version: 7,
          createdAt: 1_800_000_000_000,
          seenAt: 1_800_000_000_001,
          expiresAt: 1_800_001_800_000,
          absoluteExpiresAt: 1_800_086_400_000,
          payload: `${facts}\n{"cart":["br\u00e9ad","\u{1f35e}"],"__proto__":1}`,
        },
        { kind: "session", owner: null, version: 1 },
      ]);
    },
  );

  test("[A-29] a newer version is refused, with what to do, whatever else its header says", async () => {
    const { sessions } = world({ clock });
    for (const more of [{}, { id: { next: 1 }, encrypted: "age", kinds: 7 }]) {
      const header = JSON.stringify({ snapshot: "sojourn", version: 2, ...more });
      const error = await failure(imported(sessions, `${header}\nanything`));
      expect(error.details).toMatchObject({ reason: "newer-version", line: 1, result: null });
      expect(error.message).toContain("a newer release of Sojourn wrote it");
    }
  });
});
