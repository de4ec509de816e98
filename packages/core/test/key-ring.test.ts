/** The key ring and the signed cookie value. */
import { describe, expect, test } from "vitest";
import { openCookies, sealToken } from "../src/token/cookie-value.ts";
import { KeyRing } from "../src/keys/key-ring.ts";
import { Signing } from "../src/keys/signing.ts";
import { mintToken } from "../src/token/token.ts";
import { countingStore } from "./support/intercept.ts";
import { memoryStore } from "../src/store/memory/store.ts";
import { fakeClock } from "./support/clock.ts";
import { range, world } from "./support/world.ts";

const [A, B, C] = ["a".repeat(32), "b".repeat(32), new Uint8Array(32).fill(3)] as const;
const ring = (...secrets: [string | Uint8Array, ...(string | Uint8Array)[]]): Signing =>
  new Signing(new KeyRing(secrets), "cookie");

describe("key ring", () => {
  test("T-KEY1 the newest key signs", () => {
    const signature = ring(B, A).sign("text");
    expect(ring(B).verify("text", signature)).toBe("valid");
    expect(ring(A).verify("text", signature)).toBe("unknown-key");
  });

  test("ASVS 9.1.3 A-13 every key of the ring verifies, an older one as stale, a removed one not at all", () => {
    const signature = ring(A).sign("text");
    expect(ring(A, B, C).verify("text", signature)).toBe("valid");
    expect(ring(B, A, C).verify("text", signature)).toBe("stale");
    expect(ring(C, B, A).verify("text", signature)).toBe("stale");
    expect(ring(B, C).verify("text", signature)).toBe("unknown-key");
  });

  test("secrets are text or bytes, the same for the same content", () => {
    expect(ring(new TextEncoder().encode(A)).verify("text", ring(A).sign("text"))).toBe("valid");
  });

  test("ASVS 9.2.2 a key serves one purpose only", () => {
    const signature = new Signing(new KeyRing([A]), "other").sign("text");
    expect(ring(A).verify("text", signature)).not.toBe("valid");
  });

  test("another text is a bad signature", () => {
    expect(ring(A).verify("texT", ring(A).sign("text"))).toBe("bad-signature");
  });

  test("ASVS 9.1.1 no change of one character of a signature is accepted", () => {
    const keys = ring(A, B);
    const signature = keys.sign("text");
    for (const at of range(signature.length)) {
      for (const other of "AQgwZ09-_") {
        if (signature[at] === other) continue;
        const forged = signature.slice(0, at) + other + signature.slice(at + 1);
        expect(["bad-signature", "unknown-key"]).toContain(keys.verify("text", forged));
      }
    }
  });

  test("a signature that is cut or longer is refused without an exception", () => {
    const signature = ring(A).sign("text");
    for (const length of range(signature.length)) {
      expect(ring(A).verify("text", signature.slice(0, length))).not.toBe("valid");
    }
    expect(ring(A).verify("text", `${signature}A`)).toBe("bad-signature");
    expect(ring(A).verify("text", `${signature.slice(0, -1)}é`)).toBe("bad-signature");
  });
});

describe("cookie value", () => {
  const keys = ring(A);
  const token = mintToken("AAA");
  const sealed = sealToken(keys, "sid", token);

  test("opens under its own name only", () => {
    expect(openCookies(keys, "sid", [sealed])).toEqual({
      status: "token",
      token,
      resign: false,
      amongOthers: false,
    });
    expect(openCookies(keys, "__Host-sid", [sealed])).toEqual({
      status: "rejected",
      reason: "bad-signature",
    });
  });

  test.each([
    ["empty", ""],
    ["the token alone", sealed.slice(0, 47)],
    ["the signature alone", sealed.slice(48)],
    ["one more character", `${sealed}A`],
    ["one less", sealed.slice(0, -1)],
    ["quoted", `"${sealed.slice(1, -1)}"`],
    ["10 kB", "A".repeat(10_240)],
    ["a NUL in it", sealed.replace(".", "\0")],
    ["traversal", "../".repeat(40).slice(0, 95)],
    ["a signature with a character outside base64url", `${sealed.slice(0, -1)}+`],
  ])("%s is malformed", (_, value) => {
    expect(openCookies(keys, "sid", [value])).toEqual({ status: "rejected", reason: "malformed" });
  });

  test("T-COOK2 of two values exactly one must be valid", () => {
    const other = sealToken(keys, "sid", mintToken("AAA"));
    const forged = `${sealed.slice(0, -8)}AAAAAAAA`;
    expect(openCookies(keys, "sid", [forged, sealed])).toMatchObject({ status: "token", token });
    expect(openCookies(keys, "sid", [sealed, forged])).toMatchObject({ status: "token", token });
    expect(openCookies(keys, "sid", [sealed, other])).toEqual({
      status: "rejected",
      reason: "duplicate",
    });
    expect(openCookies(keys, "sid", [forged, "x"])).toMatchObject({ status: "rejected" });
  });

  test("a flood of values is refused as a whole", () => {
    const values = [...range(8).map((index) => `junk${index}`), sealed];
    expect(openCookies(keys, "sid", values)).toEqual({ status: "rejected", reason: "duplicate" });
    expect(openCookies(keys, "sid", values.slice(1))).toMatchObject({ status: "token" });
  });
});

describe("in a request", () => {
  test("T-KEY3 no change of one character of the cookie reaches the store", async () => {
    const clock = fakeClock();
    const { store, calls } = countingStore(memoryStore({ clock }));
    const { browser, events } = world({ clock, store });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const name = visitor.cookie?.split("=")[0] ?? "";
    const { value } = visitor;
    calls.length = 0;
    events.length = 0;
    for (const at of range(value.length)) {
      const forged = value.slice(0, at) + (value[at] === "A" ? "B" : "A") + value.slice(at + 1);
      const visit = await visitor.open(`${name}=${forged}`);
      expect(visit.session.principal).toBeNull();
      const { cookie } = await visitor.parts.pipeline.commit(visit.context);
      expect(cookie).toBeNull();
    }
    expect(calls).toEqual([]);
    expect(events).toHaveLength(value.length);
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(["cookie-rejected"]));
  });

  test("T-KEY1 a cookie signed by an older key is sent again, signed by the newest, same token", async () => {
    const old = world({ secret: A });
    const visitor = old.browser();
    await visitor.visit((session) => session.login("ada"));
    const token = visitor.value.slice(0, 47);
    const between = world({ secret: [B, A], clock: old.clock, store: old.store });
    const moved = visitor.at(between.pipeline);
    expect(await moved.visit((session) => session.principal)).toBe("ada");
    expect(moved.value.slice(0, 47)).toBe(token);
    expect(moved.value).not.toBe(visitor.value);
    await moved.visit(() => {});
    expect(moved.plan?.cookie).toBeNull();
    const now = world({ secret: B, clock: old.clock, store: old.store });
    expect(await moved.at(now.pipeline).visit((session) => session.principal)).toBe("ada");
    expect(await visitor.at(now.pipeline).visit((session) => session.principal)).toBeNull();
    expect(now.told("cookie-rejected").map(({ reason }) => reason)).toEqual(["unknown-key"]);
  });
});
