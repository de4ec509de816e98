/** HMAC-SHA256 is what RFC 4231 and node:crypto say it is. */
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Mac } from "../src/keys/mac.ts";
import { SecretKey } from "../src/keys/key.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** RFC 4231 section 4, those whose key is no longer than a block and whose data are text. */
const VECTORS: readonly (readonly [name: string, key: Uint8Array, text: string, mac: string])[] = [
  [
    "4.2",
    Buffer.alloc(20, 0x0b),
    "Hi There",
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  ],
  [
    "4.3",
    Buffer.from("Jefe"),
    "what do ya want for nothing?",
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
];

describe("HMAC-SHA256", () => {
  test.each(VECTORS)("RFC 4231 %s", (_, key, text, mac) => {
    expect(hex(new Mac(key).of(text))).toBe(mac);
  });

  test("a text of any characters and length, one after the other, as node:crypto has it", () => {
    const unit = fc.constantFrom("grapheme" as const, "binary" as const);
    const text = unit.chain((each) => fc.string({ unit: each, maxLength: 2_000 }));
    const edge = fc.constantFrom("", "\ud800", "\0", "\u20ac".repeat(320), "\u20ac".repeat(321));
    const key = fc.uint8Array({ minLength: 0, maxLength: 64 });
    fc.assert(
      fc.property(key, fc.array(fc.oneof(text, edge), { maxLength: 5 }), (secret, texts) => {
        const mac = new Mac(secret);
        for (const each of texts) {
          const expected = createHmac("sha256", secret).update(each).digest("hex");
          expect(hex(mac.of(each))).toBe(expected);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("a signature is not changed by the next one", () => {
    const key = new SecretKey("a".repeat(32));
    const [one, other] = [key.sign("cookie", "one"), key.sign("cookie", "other")];
    expect(hex(one)).not.toBe(hex(other));
    expect([key.verify("cookie", "one", one), key.verify("cookie", "one", other)]).toEqual([
      true,
      false,
    ]);
    expect(key.verify("cookie", "other", other)).toBe(true);
  });
});
