/** Tokens, tags, handles and owners: form, uniqueness, randomness. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ownerKey, parseTaggedOwner, principalTag, randomTag, tagOf } from "../src/token/tag.ts";
import {
  digestToken,
  isToken,
  mintHandle,
  mintToken,
  parseHandle,
  randomSecret,
  type Token,
} from "../src/token/token.ts";
import { failureCode, parallel, range, world } from "./support/world.ts";

const SECRET_OF_A = `${"A".repeat(42)}A`;

describe("token", () => {
  test("is a tag of 3, a dot and 256 bits in 43 characters", () => {
    const token = mintToken("abQ");
    expect(token).toMatch(/^abQ\.[\w-]{43}$/);
    expect(Buffer.from(token.slice(4), "base64url")).toHaveLength(32);
  });

  test("ASVS 7.2.2 100,000 tokens are all different", () => {
    expect(new Set(range(100_000).map(() => mintToken("AAA"))).size).toBe(100_000);
  });

  test("ASVS 7.2.3 ASVS 11.5.1 NIST 5.1-entropy the bytes of 100,000 secrets pass a chi-square test", () => {
    const seen = new Float64Array(256);
    for (const _ of range(100_000)) {
      for (const byte of randomSecret()) seen[byte] = (seen[byte] ?? 0) + 1;
    }
    const expected = (100_000 * 32) / 256;
    const chiSquare = seen.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 255 degrees of freedom: beyond 400 once in 10^8 runs; below 130 would be too even to be true.
    expect(chiSquare).toBeLessThan(400);
    expect(chiSquare).toBeGreaterThan(130);
  });

  test.each([
    ["nothing", ""],
    ["a dash for the dot", `AAA-${SECRET_OF_A}`],
    ["one character less", `AAA.${SECRET_OF_A.slice(1)}`],
    ["one character more", `AAA.A${SECRET_OF_A}`],
    ["unused bits of the secret set", `AAA.${"A".repeat(42)}B`],
    ["unused bits of the tag set", `AAB.${SECRET_OF_A}`],
    ["a plus", `AAA.+${SECRET_OF_A.slice(1)}`],
    ["a padding", `AAA.${"A".repeat(42)}=`],
    ["a line feed at the end", `AAA.${"A".repeat(42)}\n`],
    ["a NUL", `AAA.\0${SECRET_OF_A.slice(1)}`],
    ["a letter outside ASCII", `AAA.é${SECRET_OF_A.slice(1)}`],
    ["a path", `../${"A".repeat(44)}`],
  ])("%s is no token", (_, text) => {
    expect(isToken(text)).toBe(false);
  });

  test("every minted one is a token", () => {
    for (const _ of range(1_000)) expect(isToken(mintToken(randomTag()))).toBe(true);
  });

  test("T-TIME ASVS 11.2.4 the store's key is its tag and its SHA-256, nothing of its secret", () => {
    const token = mintToken("abQ");
    const sha = createHash("sha256").update(token).digest("base64url");
    expect(digestToken(token)).toBe(`abQ.${sha}`);
    expect(digestToken(token)).not.toContain(token.slice(4, 12));
  });
});

describe("a generator of one's own", () => {
  test.each([
    ["31 bytes", () => new Uint8Array(31).map((_, index) => index)],
    ["33 bytes", () => new Uint8Array(33).map((_, index) => index)],
    ["text", () => "x".repeat(32) as unknown as Uint8Array],
    ["nothing", () => undefined as unknown as Uint8Array],
    ["32 equal bytes", () => new Uint8Array(32).fill(7)],
  ])("E-02 that returns %s is refused, and nothing is written", async (_, generateSecret) => {
    const { browser, sessions } = world({ generateSecret });
    const { session } = await browser().open();
    await expect(session.login("ada")).rejects.toThrow(/generateSecret/);
    expect(session.principal).toBeNull();
    expect((await sessions.count()).active).toBe(0);
  });

  test("is used for every token", async () => {
    let made = 0;
    const generateSecret = (): Uint8Array => new Uint8Array(32).fill(1).with(0, 2 + made++);
    const { browser } = world({ generateSecret });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    expect(made).toBe(1);
    const secret = new Uint8Array(32).fill(1).with(0, 2);
    expect(visitor.value).toContain(`.${Buffer.from(secret).toString("base64url")}.`);
  });

  test("ASVS 7.2.3 that repeats itself never gets into another's session", async () => {
    const generateSecret = (): Uint8Array => new Uint8Array(32).fill(1).with(0, 2);
    const { browser } = world({ generateSecret });
    const first = browser();
    await first.visit((session) => session.login("ada"));
    const { session } = await browser().open();
    // The same principal: the same tag, so the very same token.
    expect(await failureCode(session.login("ada"))).toBe("SOJOURN_RECORD_EXISTS");
    expect(session.principal).toBeNull();
    expect(await first.visit((mine) => mine.principal)).toBe("ada");
  });
});

describe("tag", () => {
  test("of a principal is the same in every process and differs between namespaces", () => {
    const digest = createHash("sha256").update("shop\0ada").digest();
    const bits = digest.readUInt16BE(0) >> 2;
    const text = Buffer.from([bits >> 6, (bits << 2) & 0xff, 0])
      .toString("base64url")
      .slice(0, 3);
    expect(principalTag("shop", "ada")).toBe(text);
    expect(principalTag("shop", "ada")).not.toBe(principalTag("", "ada"));
  });

  test("of nobody is random over all 16,384 values", () => {
    const seen = new Set(range(200_000).map(() => randomTag()));
    expect(seen.size).toBeGreaterThan(16_300);
    expect(seen.size).toBeLessThanOrEqual(16_384);
  });

  test("stands at the head of owner, key and handle", () => {
    const owner = ownerKey("", "ada");
    const tag = tagOf(owner);
    expect(tagOf(digestToken(mintToken(tag)))).toBe(tag);
    expect(tagOf(mintHandle(tag))).toBe(tag);
  });

  test("an owner key gives back whatever principal it was made from", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1, unit: "binary" }), (space, principal) => {
        expect(parseTaggedOwner(ownerKey(space, principal))).toBe(principal);
      }),
    );
  });
});

describe("handle", () => {
  test("100,000 handles are all different", () => {
    expect(new Set(range(100_000).map(() => mintHandle("AAA"))).size).toBe(100_000);
  });

  test.each(["", "abc", "A".repeat(20), `AAB${"A".repeat(16)}`, `AAA${"A".repeat(15)}.`])(
    "A-30 '%s' is no handle",
    (text) => {
      expect(parseHandle(text)).toBeNull();
    },
  );

  test("OWASP-meaningless says nothing of the token", async () => {
    const { browser } = world();
    await parallel(20, async () => {
      const visitor = browser();
      const handle = await visitor.visit(async (session) => {
        await session.login("ada");
        return session.handle ?? "";
      });
      const token = visitor.value.slice(0, 47) as Token;
      expect(token).not.toContain(handle.slice(3));
      expect(digestToken(token)).not.toContain(handle.slice(3));
    });
  });
});
