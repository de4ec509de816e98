/** F-12, A-13: the life of a key: added, newest, older, revoked; and keys whose secret is elsewhere. */
import {
  createHmac,
  createCipheriv,
  createDecipheriv,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { describe, expect, test } from "vitest";
import type { ExternalKey } from "../src/keys/key.ts";
import { KeyRing } from "../src/keys/key-ring.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { fakeClock } from "./support/clock.ts";
import { failure, failureCode, must, world } from "./support/world.ts";

const [A, B] = ["a".repeat(32), "b".repeat(32)] as const;

/** A KMS as far as the core sees one: hands out MACs and sealed bytes, never a secret. */
function kms(id: string, secret: Buffer = randomBytes(32)): Required<ExternalKey> {
  const sign = (text: string) => createHmac("sha256", secret).update(text).digest();
  return {
    id,
    sign,
    verify: (text, mac) => mac.length === 32 && timingSafeEqual(sign(text), mac),
    seal(plain, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", secret, nonce).setAAD(Buffer.from(context));
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, context) {
      const decipher = createDecipheriv("aes-256-gcm", secret, sealed.subarray(0, 12), {
        authTagLength: 16,
      }).setAAD(Buffer.from(context));
      decipher.setAuthTag(sealed.subarray(-16));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
      } catch {
        return null;
      }
    },
  };
}

describe("a ring that lives", () => {
  test("T-KEY1 an added key signs at once, and cookies of the older one are signed anew on sight", async () => {
    const ring = new KeyRing([A]);
    const { browser } = world({ secret: ring });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const before = visitor.value;
    const kid = ring.add(B);
    expect(ring.list()).toMatchObject([{ kid, isNewest: true }, { isNewest: false }]);
    expect(await visitor.visit((session) => session.principal)).toBe("ada");
    expect(visitor.value).not.toBe(before);
    expect(visitor.value.slice(0, 47)).toBe(before.slice(0, 47));
    expect(visitor.value.slice(48, 52)).toBe(kid);
  });

  test("T-KEY3 A-13 a revoked key is refused without a store call, and with reason unknown-key", async () => {
    const ring = new KeyRing([B, A]);
    const { browser, told } = world({ secret: ring });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const { kid } = must(ring.list()[0]);
    expect(ring.revoke(kid)).toBe(true);
    expect(ring.revoke(kid)).toBe(false);
    expect(await visitor.visit((session) => session.principal)).toBeNull();
    expect(told("cookie-rejected")).toMatchObject([{ reason: "unknown-key" }]);
  });

  test("the only key cannot be revoked, and no key can be in twice", async () => {
    const ring = new KeyRing([A]);
    const { kid } = must(ring.list()[0]);
    expect(await failureCode(() => ring.revoke(kid))).toBe("SOJOURN_OPTIONS_INVALID");
    expect(await failureCode(() => ring.add(A))).toBe("SOJOURN_OPTIONS_INVALID");
    expect(await failureCode(() => ring.add(Buffer.from(A)))).toBe("SOJOURN_OPTIONS_INVALID");
    expect(ring.list()).toHaveLength(1);
  });

  test("a short secret is refused with its length, never with itself", async () => {
    const error = await failure(() => new KeyRing(["too short a secret"]));
    expect(error.message).toContain("this one has 18");
    expect(error.message).not.toContain("too short a secret");
  });
});

describe("F-12 keys whose secret is elsewhere", () => {
  test("sign the cookie and open it again, beside secrets", async () => {
    const { browser } = world({ secret: [kms("projects/x/keys/1"), A] });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    expect(await visitor.visit((session) => session.principal)).toBe("ada");
  });

  test("encrypt what is stored", async () => {
    const clock = fakeClock();
    const store = memoryStore({ clock });
    const { browser } = world({ clock, store, secret: kms("k1"), encryption: true });
    const visitor = browser();
    await visitor.visit((session) => session.set("a", "a pot of tea") && session.login("ada"));
    await visitor.visit((session) => void session.set("b", "a pot of tea"));
    expect(await visitor.visit((session) => session.toJSON())).toMatchObject({ b: "a pot of tea" });
    for await (const { payload } of store.scan("session"))
      expect(payload).not.toContain("a pot of tea");
  });

  test("what one makes, another of the same id but another secret refuses", async () => {
    const clock = fakeClock();
    const store = memoryStore({ clock });
    const one = world({ clock, store, secret: kms("k1") });
    const visitor = one.browser();
    await visitor.visit((session) => session.login("ada"));
    const two = world({ clock, store, secret: kms("k1") });
    const { session } = await visitor.at(two.pipeline).open();
    expect(session.principal).toBeNull();
    expect(two.told("cookie-rejected")).toMatchObject([{ reason: "bad-signature" }]);
  });

  test.each([
    ["too few bytes", { ...kms("k"), sign: () => new Uint8Array(16) }, "sign() must return"],
    [
      "no bytes",
      { ...kms("k"), sign: () => "text" as unknown as Uint8Array },
      "sign() must return",
    ],
  ])("one whose sign() gives %s is told of by its id", async (_, key, text) => {
    const { browser } = world({ secret: key });
    const visit = await browser().open();
    await visit.session.login("ada");
    const error = await failure(visit.close());
    expect(error.code).toBe("SOJOURN_OPTIONS_INVALID");
    expect(error.message).toContain(`the key 'k': ${text}`);
  });

  test("one without seal() cannot encrypt, and says so", async () => {
    const { seal: _seal, open: _open, ...signer } = kms("signs-only");
    const { browser } = world({ secret: signer, encryption: true });
    const error = await failure(browser().visit((session) => session.login("ada")));
    expect(error.message).toContain("signs-only");
  });

  test("an object that is no key is refused at construction, with its place", async () => {
    const error = await failure(() => world({ secret: [A, { id: "x" } as never] }));
    expect(must((error.details as { problems: string[] }).problems[0])).toMatch(/^secret\.1: /);
  });
});

describe("the strength of a secret", () => {
  test.each([
    ["one letter again and again", "s".repeat(64), true],
    ["a word again and again", "keyboard".repeat(8), true],
    ["32 random hex digits", "9f86d081884c7d659a2feaa0c55ad015", false],
    ["32 random bytes", randomBytes(32), false],
  ])("%s: warned of: %s", (_, secret, isWarned) => {
    const warned: string[] = [];
    const logger = {
      debug() {},
      info() {},
      error() {},
      warn: (facts: object) => void warned.push(JSON.stringify(facts)),
    };
    world({ secret, logger });
    expect(warned).toEqual(isWarned ? ['{"topic":"weak-secret"}'] : []);
  });
});
