/** Encryption at rest: a stolen store shows nothing, and nothing in it can be moved or altered unseen. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeyRing } from "../src/keys/key-ring.ts";
import { Sealing } from "../src/keys/sealing.ts";
import type { SessionOptions } from "../src/options/types.ts";
import type { Store, StoredRecord } from "../src/store/contract.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { type FakeClock, fakeClock, MINUTE } from "./support/clock.ts";
import { interceptStore } from "./support/intercept.ts";
import { collect, failureCode, must, range, world, type World } from "./support/world.ts";

const [A, B] = ["a".repeat(32), "b".repeat(32)] as const;

interface Shared {
  readonly clock: FakeClock;
  readonly store: Store;
  node(options: SessionOptions): World;
  payloads(): Promise<string[]>;
}

function shared(): Shared {
  const clock = fakeClock();
  const store = memoryStore({ clock });
  return {
    clock,
    store,
    node: (options) => world({ ...options, clock, store }),
    payloads: async () => (await collect(store.scan("session"))).map(({ payload }) => payload),
  };
}

describe("G6 encryption", () => {
  test("no data, address or user agent is in the store; everything works as before", async () => {
    const { node, payloads } = shared();
    const { browser, sessions } = node({ secret: A, encryption: true });
    const visitor = browser({ client: { ip: "203.0.113.9", userAgent: "Agent/7" } });
    await visitor.visit((session) => void session.set("a", "assam"));
    await visitor.visit((session) => session.login("ada"));
    await visitor.visit((session) => session.update((data) => void (data["b"] = "ceylon")));
    await visitor.visit((session) => session.rotate());
    await visitor.visit((session) => session.elevate());
    const stored = (await payloads()).join();
    for (const secret of ["assam", "ceylon", "203.0.113.9", "Agent/7", "level"])
      expect(stored).not.toContain(secret);
    expect((await sessions.list("ada")).items).toMatchObject([
      { level: 2, data: { a: "assam", b: "ceylon" }, client: { ip: "203.0.113.9" } },
    ]);
  });

  test("equal data never looks equal", async () => {
    const { node, payloads } = shared();
    const { browser } = node({ secret: A, encryption: true });
    for (const visitor of [browser(), browser()])
      await visitor.visit((session) => void session.set("a", 1));
    const [one, two] = await payloads();
    expect(one).not.toBe(two);
  });

  test("without the key nobody is let in, the cookie stays, and nothing is overwritten", async () => {
    const { node, payloads } = shared();
    const visitor = node({ secret: A, encryption: { keys: B } }).browser();
    await visitor.visit((session) => session.login("ada"));
    const before = await payloads();
    for (const options of [{ secret: A, encryption: { keys: A } }, { secret: A }]) {
      const other = node(options);
      const guest = visitor.at(other.pipeline);
      expect(await guest.visit((session) => session.principal)).toBeNull();
      expect(guest.cookie).toBe(visitor.cookie);
      expect(other.told("cookie-rejected")).toMatchObject([{ reason: "unknown-key" }]);
      expect((await other.sessions.list("ada")).items).toMatchObject([
        { readable: false, principal: "ada", data: {} },
      ]);
    }
    expect(await payloads()).toEqual(before);
  });

  test("T-KEY2 a plain payload is refused where encryption is on, unless acceptPlain says otherwise", async () => {
    const { node, payloads, clock } = shared();
    const visitor = node({ secret: A }).browser();
    await visitor.visit((session) => session.set("a", "a pot of tea") && session.login("ada"));
    await visitor.visit((session) => void session.set("a", "a pot of tea"));
    const strict = visitor.at(node({ secret: A, encryption: true }).pipeline);
    expect(await strict.visit((session) => session.principal)).toBeNull();
    const moving = visitor.at(node({ secret: A, encryption: { acceptPlain: true } }).pipeline);
    expect(await moving.visit((session) => session.get("a"))).toBe("a pot of tea");
    expect((await payloads()).join()).toContain("a pot of tea");
    clock.advance(MINUTE);
    await moving.visit(() => {});
    expect((await payloads()).join()).not.toContain("a pot of tea");
    expect(await strict.visit((session) => session.get("a"))).toBe("a pot of tea");
  });

  test("ASVS 11.2.2 after a new key every session that is used is encrypted anew with its next touch", async () => {
    const { node, payloads, clock } = shared();
    const ring = new KeyRing([A]);
    const { browser } = node({ secret: A, encryption: { keys: ring } });
    const visitor = browser();
    await visitor.visit((session) => void session.set("a", 1));
    const kid = ring.add(B);
    const old = must(ring.list()[1]).kid;
    await visitor.visit(() => {});
    expect((await payloads())[0]).toContain(`sealed1:${old}`);
    clock.advance(MINUTE);
    await visitor.visit(() => {});
    expect((await payloads())[0]).toContain(`sealed1:${kid}`);
    ring.revoke(old);
    expect(await visitor.visit((session) => session.get("a"))).toBe(1);
  });

  test("T-KEY3 a payload moved to another record, or altered in any byte, opens nothing", async () => {
    const { clock, store } = shared();
    let alter = (record: StoredRecord): StoredRecord => record;
    const altered = interceptStore(store, async (operation, run) => {
      const found = (await run()) as StoredRecord | null;
      return operation === "read" && found && "payload" in found ? alter(found) : found;
    });
    const { browser } = world({ clock, store: altered, secret: A, encryption: true });
    const [ada, eve] = [browser(), browser()];
    await ada.visit((session) => session.login("ada"));
    await eve.visit((session) => session.login("eve"));
    const records = await collect(store.scan("session"));
    const adas = must(records.find(({ owner }) => owner?.endsWith(".ada")));
    alter = (record) => ({ ...record, payload: adas.payload });
    expect(await failureCode(eve.open())).toBe("SOJOURN_STORE_CORRUPT");
    expect((await ada.open()).session.principal).toBe("ada");
    for (const at of range(adas.payload.length)) {
      const other = adas.payload[at] === "A" ? "B" : "A";
      alter = (record) => ({
        ...record,
        payload: adas.payload.slice(0, at) + other + adas.payload.slice(at + 1),
      });
      const outcome = await ada.open().then(
        ({ session }) => session.principal,
        (error: { code: string }) => error.code,
      );
      expect([null, "SOJOURN_STORE_CORRUPT"], `byte ${at}`).toContain(outcome);
    }
  });

  test("large data is compressed first where that is asked for", async () => {
    const sizes = await Promise.all(
      [false, true].map(async (compress) => {
        const { node, payloads } = shared();
        const { browser } = node({ secret: A, encryption: { compress } });
        const visitor = browser();
        await visitor.visit((session) => void session.set("a", "tea ".repeat(2_000)));
        expect(await visitor.visit((session) => session.get("a"))).toBe("tea ".repeat(2_000));
        return must((await payloads())[0]).length;
      }),
    );
    expect(sizes[0]).toBeGreaterThan(10_000);
    expect(sizes[1]).toBeLessThan(500);
  });
});

describe("sealing", () => {
  const sealing = (secret: string, purpose = "p", compressFrom: number | null = null) =>
    new Sealing({ ring: new KeyRing([secret]), purpose, compressFrom });

  test("any text comes back, compressed or not", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.string(),
        fc.boolean(),
        (text, context, deflate) => {
          const box = sealing(A, "p", deflate ? 0 : null);
          expect(box.open(box.seal(text, context), context)).toEqual({
            status: "open",
            text,
            stale: false,
          });
        },
      ),
    );
  });

  test("ASVS 11.3.3 nothing but the very same bytes, purpose and context opens", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (text, context, other) => {
        const sealed = sealing(A).seal(text, context);
        if (other !== context) expect(sealing(A).open(sealed, other).status).toBe("damaged");
        expect(sealing(A, "q").open(sealed, context).status).toBe("damaged");
        expect(sealing(B).open(sealed, context).status).toBe("unknown-key");
        expect(sealing(A).open(other, context).status).not.toBe("open");
      }),
    );
  });

  test("ASVS 11.3.2 a cut tag is refused at every length", () => {
    const sealed = sealing(A).seal("text", "");
    for (const length of range(sealed.length)) {
      expect(sealing(A).open(sealed.slice(0, length), "").status).not.toBe("open");
    }
  });

  test("ASVS 11.3.4 no two messages share a salt", () => {
    const box = sealing(A);
    const salts = range(10_000).map(() => box.seal("", "").slice(4, 46));
    expect(new Set(salts).size).toBe(10_000);
  });

  test("a bomb of 65 MiB in 65 KiB is refused", () => {
    const box = sealing(A, "p", 0);
    const bomb = box.seal("\0".repeat(65 * 1024 * 1024), "");
    expect(bomb.length).toBeLessThan(400_000);
    expect(box.open(bomb, "").status).toBe("damaged");
  });
});
