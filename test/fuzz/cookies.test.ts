/** Cookie headers, cookie values and device cookies: only what we signed, byte for byte, reaches the store. */
// oxlint-disable vitest/no-standalone-expect -- fuzz() makes the tests
import { randomBytes } from "node:crypto";
import { KeyRing } from "@sojourn/core";
import * as fc from "fast-check";
import { describe, expect } from "vitest";
import { Device } from "../../packages/core/src/cookie/device.ts";
import { readCookie } from "../../packages/core/src/cookie/read.ts";
import { Signing } from "../../packages/core/src/keys/signing.ts";
import { COOKIE, SECRET, target } from "./support/answer.ts";
import { anyText, damaged } from "./support/damage.ts";
import { fuzz } from "./support/runs.ts";

const MOST_VALUES = 8;
const UNSIGNED = ["rejected: malformed", "rejected: bad-signature", "rejected: unknown-key"];

/** RFC 6265 the slow way: what a header carries under a name, each value once. */
function valuesIn(header: string, name: string): string[] {
  const values = header.split(";").flatMap((pair) => {
    const equals = pair.indexOf("=");
    const [left, right] = [pair.slice(0, equals), pair.slice(equals + 1)].map((text) =>
      text.replace(/^[ \t]+|[ \t]+$/g, ""),
    );
    return equals !== -1 && left === name && right !== undefined ? [right] : [];
  });
  return [...new Set(values)];
}

const pair = (values: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(COOKIE, ` ${COOKIE}`, "a", COOKIE.toLowerCase(), "x"), values)
    .map(([name, value]) => `${name}=${value}`);

describe("the session cookie", () => {
  const { ask, loggedIn } = target();
  const none = ask(undefined);
  const genuine = none.then(loggedIn);

  /** Every header gets the answer of no cookie, and one that was signed its session. */
  async function check(header: string): Promise<void> {
    const values = valuesIn(header, COOKIE);
    const answer = await ask(header);
    const isIn = values.includes(await genuine) && values.length <= MOST_VALUES;
    if (isIn) {
      const others = values.length > 1 ? ["rejected: duplicate"] : [];
      expect(answer).toMatchObject({
        principal: "ada",
        calls: ["read"],
        told: [...others, "loaded"],
      });
      return;
    }
    expect(answer).toEqual({ ...(await none), told: answer.told });
    const reasons = values.length > MOST_VALUES ? ["rejected: duplicate"] : UNSIGNED;
    if (values.length === 0) expect(answer.told).toEqual([]);
    else expect(reasons).toContain(answer.told.join());
  }

  fuzz(
    "[A-30] any value: 0 store calls, and the plan and the event of every other forgery",
    async () => fc.oneof(damaged(await genuine), anyText).map((value) => `${COOKIE}=${value}`),
    check,
  );

  fuzz(
    "[A-30] any header: no other value than the signed one is let in, planted beside it or not",
    async () => {
      const value = fc.oneof(fc.constant(await genuine), damaged(await genuine), anyText);
      const pairs = fc.array(pair(value), { maxLength: 12 }).map((all) => all.join(";"));
      return fc.oneof(pairs, pairs.chain(damaged), anyText);
    },
    check,
  );

  fuzz(
    "[A-30] [E-04] a token of any bytes with a signature of any bytes, in the right form",
    async () => {
      const kid = (await genuine).slice(48, 52);
      const bytes = (length: number): fc.Arbitrary<string> =>
        fc
          .uint8Array({ minLength: length, maxLength: length })
          .map((all) => Buffer.from(all).toString("base64url"));
      const tag = fc.nat(2 ** 14 - 1).map((bits) => {
        const two = Buffer.from([bits >> 6, (bits << 2) & 0xff, 0]);
        return two.toString("base64url").slice(0, 3);
      });
      return fc
        .tuple(tag, bytes(32), fc.oneof(fc.constant(kid), bytes(3)), bytes(32))
        .map(([of, secret, key, mac]) => `${COOKIE}=${of}.${secret}.${key}${mac}`);
    },
    check,
  );

  fuzz(
    "a header of 64 KB is read in time, and as by the grammar",
    () => {
      const unit = fc.constantFrom("=", ";", " ", "\t", "sid", "sid=", "sid=1;", "x", "s");
      return fc.tuple(fc.array(unit, { minLength: 1, maxLength: 8 }), fc.nat(8_000));
    },
    ([units, times]) => {
      const header = units.join("").repeat(times).slice(0, 65_536);
      expect(readCookie(header, "sid")).toEqual(valuesIn(header, "sid"));
    },
    { oneIn: 20 },
  );
});

describe("the device cookie", () => {
  const signing = new Signing(new KeyRing([SECRET]), "device");
  const attributes = { path: "/", httpOnly: true, secure: true, sameSite: "lax" } as const;
  const spec = { name: COOKIE, attributes };
  const name = `${COOKIE}-device`;
  const first = new Device(signing, spec, undefined);
  first.introduce();
  const { value: genuine = "" } = first.take() ?? {};

  fuzz(
    "any device cookie: known only as it was signed, else replaced by a new one",
    () => {
      const id = randomBytes(16).toString("base64url");
      const value = fc.oneof(damaged(genuine), damaged(`${id}.${signing.sign(id)}`), anyText);
      return value.map((text) => `${name}=${text}`);
    },
    (header) => {
      const device = new Device(signing, spec, header);
      const isKnown = valuesIn(header, name).includes(genuine);
      expect(device.digest).toBe(isKnown ? first.digest : undefined);
      device.introduce();
      const cookie = device.take();
      if (isKnown) expect(cookie).toBeNull();
      else expect(cookie?.value).toMatch(/^[\w-]{22}\.[\w-]{47}$/);
    },
  );
});
