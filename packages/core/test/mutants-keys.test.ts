/** What mutation testing found untested in keys/; see docs/mutation.md. */
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { KeyRing } from "../src/keys/key-ring.ts";
import { type ExternalKey, SecretKey } from "../src/keys/key.ts";
import { Sealing } from "../src/keys/sealing.ts";
import { Signing } from "../src/keys/signing.ts";
import { failure, must } from "./support/world.ts";

const SECRET = "s".repeat(32);
const ring = new KeyRing([SECRET]);
const signing = new Signing(ring, "test");
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

describe("a signature has one form", () => {
  const signature = signing.sign("text");

  test("of the 4 letters that end the same 32 bytes only the canonical one is valid", () => {
    const last = BASE64URL.indexOf(must(signature.at(-1)));
    expect(last % 4).toBe(0);
    const verdicts = [0, 1, 2, 3].map((low) =>
      signing.verify("text", signature.slice(0, -1) + must(BASE64URL[last + low])),
    );
    expect(verdicts).toEqual(["valid", "bad-signature", "bad-signature", "bad-signature"]);
  });

  test.each(["=", "A", " ", "\n", "."])("%j behind it is a bad signature", (more) => {
    expect(signing.verify("text", signature + more)).toBe("bad-signature");
  });

  test("the alphabet of base64 is not that of base64url", () => {
    for (let n = 0, seen = 0; seen < 3; n++) {
      const made = signing.sign(`text ${n}`);
      const [kid, mac] = [made.slice(0, 4), made.slice(4)];
      const other = mac.replaceAll("-", "+").replaceAll("_", "/");
      if (other === mac) continue;
      seen++;
      expect(signing.verify(`text ${n}`, kid + mac)).toBe("valid");
      expect(signing.verify(`text ${n}`, kid + other)).toBe("bad-signature");
    }
  });

  test.each(["", "A", signature.slice(4, -1)])("%j as MAC is a bad signature", (mac) => {
    expect(signing.verify("text", signature.slice(0, 4) + mac)).toBe("bad-signature");
  });
});

describe("a key made from a secret", () => {
  const key = new SecretKey(SECRET);

  test("its id and its signatures are those of every earlier release", () => {
    expect(key.kid).toBe("RjmC");
    expect(signing.sign("text")).toBe("RjmCiTZfYbReK0YFyp2TOBv5GOwVIdlC0BslTfqU2sD3X0k");
    expect(new SecretKey(Buffer.from(SECRET)).kid).toBe(key.kid);
    expect(new SecretKey(new Uint8Array(Buffer.from(SECRET))).kid).toBe(key.kid);
  });

  test("what an earlier release sealed still opens", () => {
    const sealing = new Sealing({ ring, purpose: "test", compressFrom: null });
    const sealed = "RjmCJ8MTqhwJkm08IkCWKNZrqMu-qWia9yQ5d9O1L0Ht3r-rglC_nCgyIGiIx9XXGQIevKF5r9M";
    expect(sealing.open(sealed, "here")).toEqual({ status: "open", text: "kept", stale: false });
  });

  test("seals nothing as well, and opens nothing that is too short", () => {
    const sealed = key.seal("test", new Uint8Array(0), "here");
    expect(sealed).toHaveLength(48);
    expect(key.open("test", sealed, "here")).toHaveLength(0);
    for (let length = 0; length < 48; length++)
      expect(key.open("test", sealed.subarray(0, length), "here")).toBeNull();
  });

  test("compares MACs of 32 bytes only", () => {
    const mac = key.sign("test", "text");
    expect(key.verify("test", "text", mac)).toBe(true);
    expect(key.verify("test", "text", mac.subarray(0, 31))).toBe(false);
    expect(key.verify("test", "text", Buffer.concat([mac, Buffer.alloc(1)]))).toBe(false);
  });
});

describe("compression", () => {
  test("begins at exactly the length that is set", () => {
    const sealing = new Sealing({ ring, purpose: "test", compressFrom: 100 });
    const bare = new Sealing({ ring, purpose: "test", compressFrom: null });
    const length = (of: Sealing, text: string) => of.seal(text, "here").length;
    expect(length(sealing, "a".repeat(99))).toBe(length(bare, "a".repeat(99)));
    expect(length(sealing, "a".repeat(100))).toBeLessThan(length(bare, "a".repeat(60)));
  });

  test("an unknown form is damaged, also where it would inflate", () => {
    const sealing = new Sealing({ ring, purpose: "test", compressFrom: 1 });
    const key = ring.newest;
    const body = must(
      key.open("test", Buffer.from(sealing.seal("text", "").slice(4), "base64url"), ""),
    );
    body[0] = 2;
    const sealed = key.kid + Buffer.from(key.seal("test", body, "")).toString("base64url");
    expect(sealing.open(sealed, "")).toEqual({ status: "damaged" });
  });
});

describe("a key of somebody else's making", () => {
  const sign = (text: string): Buffer => createHmac("sha256", SECRET).update(text).digest();
  const external = (more: Partial<ExternalKey> = {}): ExternalKey => ({
    id: "kms",
    sign,
    verify: (text, mac) => sign(text).equals(mac),
    ...more,
  });
  const newest = (more?: Partial<ExternalKey>) => new KeyRing([external(more)]).newest;

  test("has an id of its own, from its name", () => {
    const { list } = KeyRing.prototype;
    const two = new KeyRing([external(), external({ id: "hsm" })]);
    expect(new Set(list.call(two).map(({ kid }) => kid)).size).toBe(2);
    expect(newest().kid).toBe("7nHb");
  });

  test("is not asked about a MAC of another length", () => {
    let asked = 0;
    const key = newest({ verify: () => (asked++, true) });
    expect(key.verify("test", "text", Buffer.alloc(31))).toBe(false);
    expect(asked).toBe(0);
    expect(key.verify("test", "text", Buffer.alloc(32))).toBe(true);
  });

  test.each([
    ["undefined", undefined],
    ["what it was given", Buffer.from("text")],
    ["a text", "a longer text"],
  ])("seal() that returns %s is refused by name", async (_what, sealed) => {
    const key = newest({ seal: () => sealed as Uint8Array });
    const error = await failure(() => key.seal("test", Buffer.from("text"), "here"));
    expect(error.message).toContain("the key 'kms': seal() must return a Uint8Array longer than");
  });

  test("open() may be missing, or say null; anything else but bytes is refused by name", async () => {
    expect(newest().open("test", Buffer.alloc(60), "here")).toBeNull();
    expect(newest({ open: () => null }).open("test", Buffer.alloc(60), "here")).toBeNull();
    const bytes = Buffer.from("text");
    expect(newest({ open: () => bytes }).open("test", Buffer.alloc(60), "here")).toBe(bytes);
    const wrong = newest({ open: () => "text" as unknown as Uint8Array });
    const error = await failure(() => wrong.open("test", Buffer.alloc(60), "here"));
    expect(error.message).toContain("the key 'kms': open() must return a Uint8Array, or null");
  });
});

describe("a ring", () => {
  test("says what is wrong with its keys", async () => {
    expect((await failure(() => new KeyRing([SECRET, SECRET]))).message).toContain("a key twice");
    const { kid } = ring.newest;
    expect((await failure(() => ring.revoke(kid))).message).toContain("add another one first");
  });

  test.each([
    ["nothing", []],
    ["null", [null]],
    ["a number", [1]],
    ["an object without verify()", [{ id: "a", sign() {} }]],
    ["an object without id", [{ sign() {}, verify() {} }]],
    ["sign as a text", [{ id: "a", sign: "b", verify() {} }]],
  ])("made from %s is SOJOURN_OPTIONS_INVALID", async (_what, sources) => {
    const error = await failure(() => new KeyRing(sources as unknown as [string]));
    expect(error.code).toBe("SOJOURN_OPTIONS_INVALID");
    expect(error.message).toContain("key ring: a key must be");
  });
});
