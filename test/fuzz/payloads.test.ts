/** What is stored of a session: a sealed payload opens as it was sealed or not at all, a plain one is read or refused. */
// oxlint-disable vitest/no-standalone-expect -- fuzz() makes the tests
import { KeyRing } from "@sojourn/core";
import * as fc from "fast-check";
import { expect } from "vitest";
import { Sealing } from "../../packages/core/src/keys/sealing.ts";
import { PayloadCodec } from "../../packages/core/src/session/payload.ts";
import type { Decoded } from "../../packages/core/src/session/payload.ts";
import type { Handle, RecordKey, StoredRecord } from "../../packages/core/src/store/contract.ts";
import { codeOf, SECRET } from "./support/answer.ts";
import { anyText, damaged } from "./support/damage.ts";
import { fuzz } from "./support/runs.ts";

const ring = new KeyRing([SECRET, `another ${SECRET}`]);
const FACTS = { authenticatedAt: 1_800_000_000_000, level: 1, ip: "192.0.2.7" };
const DATA = JSON.stringify({ cart: ["milk", "br\u00e9ad"], ["__proto__"]: 1 });
const BOUND = { kind: "session", handle: "abcAAAAAAAAAAAAAAAA" as Handle, owner: null };

function record(payload: string, handle: string = BOUND.handle): StoredRecord {
  return {
    ...BOUND,
    handle: handle as Handle,
    key: "abc.k" as RecordKey,
    version: 1,
    createdAt: 1,
    seenAt: 1,
    expiresAt: 2,
    absoluteExpiresAt: 2,
    payload,
  };
}

const codecOf = (acceptPlain: boolean, compressFrom: number | null): PayloadCodec =>
  new PayloadCodec({
    sealing: new Sealing({ ring, purpose: "payload", compressFrom }),
    acceptPlain,
  });
const plain = new PayloadCodec(null);
const packed = codecOf(false, 10);

/** What a codec makes of a record: what it decoded, null for an unknown key, or the code of its error. */
async function outcome(codec: PayloadCodec, found: StoredRecord): Promise<Decoded | string | null> {
  let decoded: Decoded | null = null;
  const code = await codeOf(() => {
    decoded = codec.tryDecode(found);
  });
  return code ?? decoded;
}

for (const compressFrom of [null, 10]) {
  const codec = codecOf(false, compressFrom);
  const sealed = codec.encode(BOUND, FACTS, DATA);
  fuzz(
    `any sealed payload, ${compressFrom === null ? "not compressed" : "compressed"}: opens as it was sealed, or not at all`,
    () =>
      fc.oneof(
        damaged(sealed),
        anyText,
        anyText.map((text) => `sealed1:${text}`),
      ),
    async (payload) => {
      const found = await outcome(codec, record(payload));
      if (payload === sealed) expect(found).toEqual({ facts: FACTS, dataText: DATA, stale: false });
      else expect([null, "SOJOURN_STORE_CORRUPT"]).toContain(found);
    },
  );
}

fuzz(
  "a sealed payload of any text comes back, and opens in no other record",
  () => fc.tuple(fc.string({ unit: "grapheme", maxLength: 200 }), damaged(BOUND.handle)),
  async ([text, handle]) => {
    const sealed = packed.encode(BOUND, FACTS, text);
    expect(await outcome(packed, record(sealed, handle))).toEqual(
      handle === BOUND.handle
        ? { facts: FACTS, dataText: text, stale: false }
        : "SOJOURN_STORE_CORRUPT",
    );
  },
);

fuzz(
  "any bytes that our own key sealed: text, or damaged, never a crash",
  () => fc.tuple(fc.constantFrom(0, 1, 2, 255), fc.uint8Array({ maxLength: 80 })),
  ([form, bytes]) => {
    const body = Buffer.concat([Buffer.from([form]), bytes]);
    const { newest } = ring;
    const sealed =
      newest.kid + Buffer.from(newest.seal("payload", body, "here")).toString("base64url");
    const opened = new Sealing({ ring, purpose: "payload", compressFrom: null }).open(
      sealed,
      "here",
    );
    if (form === 0) expect(opened.status).toBe("open");
    else expect(form === 1 ? ["open", "damaged"] : ["damaged"]).toContain(opened.status);
  },
);

const text = plain.encode(BOUND, FACTS, DATA);
for (const [name, codec] of [
  ["without encryption", plain],
  ["with encryption that accepts plain ones", codecOf(true, null)],
] as const) {
  fuzz(
    `any plain payload ${name}: facts of the right types, or refused`,
    () => {
      const facts = fc.json({ maxDepth: 2 }).map((json) => `${json}\n${DATA}`);
      return fc.oneof(damaged(text), anyText, facts);
    },
    async (payload) => {
      const found = await outcome(codec, record(payload));
      if (found === null || typeof found === "string")
        return expect([null, "SOJOURN_STORE_CORRUPT"]).toContain(found);
      const { facts } = found;
      expect(typeof facts.level).toBe("number");
      expect(["object", "number"]).toContain(typeof facts.authenticatedAt);
      for (const fact of ["ip", "userAgent", "device", "privileges"] as const)
        expect(["string", "undefined"]).toContain(typeof facts[fact]);
    },
  );
}
