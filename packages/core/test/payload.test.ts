/** How the core's facts of a session are stored. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ANONYMOUS, type Facts, PayloadCodec } from "../src/session/payload.ts";
import type { StoredRecord } from "../src/store/contract.ts";
import { record, testClock } from "./store/fixtures.ts";

const codec = new PayloadCodec(null);
const stored = record(testClock());
const withFacts = (line: string): StoredRecord => ({ ...stored, payload: `${line}\n{"n":1}` });
const roundTrip = (facts: Facts): Facts =>
  codec.decode({ ...stored, payload: codec.encode(stored, facts, "{}") }).facts;

describe("[E-07] the facts of a session", () => {
  const text = fc.string();
  const number = fc.integer();
  const facts = fc.record(
    {
      authenticatedAt: fc.option(number, { nil: null }),
      level: fc.nat(3),
      idle: fc.option(number, { nil: null }),
      absolute: number,
      ip: text,
      userAgent: text,
      device: text,
      authVersion: text,
      privileges: text,
      aFactOfALaterRelease: text,
    },
    { requiredKeys: ["authenticatedAt", "level"] },
  );

  test("come back as they were, also those of a later release", () => {
    fc.assert(
      fc.property(facts, (each) => {
        expect(roundTrip(each)).toEqual(each);
      }),
    );
  });

  test("take few bytes: 19 for a login, 10 for nobody", () => {
    const login = { authenticatedAt: 1_800_000_000_000, level: 1 };
    expect(codec.encode(stored, login, "{}")).toBe('{"a":1800000000000}\n{}');
    expect(codec.encode(stored, ANONYMOUS, "{}")).toBe('{"a":null}\n{}');
  });

  test("may have their long names", () => {
    const long = withFacts('{"authenticatedAt":1800000000000,"level":2,"ip":"192.0.2.1"}');
    const { facts: read, dataText } = codec.decode(long);
    expect(read).toEqual({ authenticatedAt: 1_800_000_000_000, level: 2, ip: "192.0.2.1" });
    expect(dataText).toBe('{"n":1}');
  });

  test.each(['{"l":1}', '{"a":"1"}', '{"a":1,"l":"1"}', '{"a":1,"p":7}', '{"a":1,"i":"x"}', "[]"])(
    "are refused where they are none: %s",
    (line) => {
      expect(() => codec.decode(withFacts(line))).toThrow(/cannot be read/);
    },
  );
});
