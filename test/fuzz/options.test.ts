/** Options of every kind: an error that lists the problems, or a manager that serves. */
// oxlint-disable vitest/no-standalone-expect -- fuzz() makes the tests
import { createSessionManager, csrfPolicy, KeyRing, memoryStore } from "@sojourn/core";
import type { CsrfOptions, SessionOptions } from "@sojourn/core";
import * as fc from "fast-check";
import { expect } from "vitest";
import { codeOf, SECRET } from "./support/answer.ts";
import { anyText, anyValue } from "./support/damage.ts";
import { fuzz } from "./support/runs.ts";

const store = memoryStore();
/** Good values of each option, so that checks behind the first are reached. */
const GOOD: Record<keyof SessionOptions, readonly unknown[]> = {
  secret: [SECRET, [SECRET], new KeyRing([SECRET]), Buffer.alloc(32, 1)],
  encryption: [true, false, { compress: true }, { keys: SECRET, acceptPlain: true }],
  store: [store],
  cookie: [
    { name: "sid" },
    { secure: true, sameSite: "none" },
    { path: "/a", domain: "example.com" },
  ],
  preset: ["aal1", "aal2", "aal3"],
  justification: ["because it has to be so"],
  idle: ["5m", null, 60_000],
  onIdle: ["end", "lock"],
  binding: ["ignore", "report", "step-up", "revoke"],
  deviceCookie: [true],
  clearSiteData: [true, ["cache"]],
  absolute: ["1h", 3_600_000],
  touchAfter: ["1s", 0],
  grace: ["10s", 0],
  max: [0, 3, () => 2],
  onLimit: ["evict-oldest", "evict-idle", "reject"],
  principal: [() => null, () => "ada"],
  privileges: [() => ["read"]],
  schema: [],
  namespace: ["", "shop"],
  storeDeadline: ["1s"],
  onStoreError: ["fail", "anonymous", "local"],
  staleFor: ["1s"],
  breaker: [false, { failures: 2 }, { pause: "1s" }],
  logger: [false],
  audit: [() => {}],
  metrics: [{ add() {}, observe() {} }],
  clock: [{ now: () => 1_800_000_000_000 }],
  generateSecret: [() => Buffer.from(SECRET).subarray(0, 32), () => Buffer.alloc(32)],
};
const nested = fc.dictionary(
  fc.constantFrom("name", "path", "domain", "secure", "sameSite", "keys", "pause", "id", "now"),
  fc.oneof(anyValue, anyText),
  { maxKeys: 4 },
);
const value = (name: string): fc.Arbitrary<unknown> => {
  const good = GOOD[name as keyof SessionOptions] ?? [];
  const bad = fc.oneof(anyValue, nested, fc.constantFrom("1", "-1s", "9".repeat(400), "1e3d"));
  return good.length > 0 ? fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...good) }, bad) : bad;
};
const objects = fc
  .uniqueArray(fc.constantFrom(...Object.keys(GOOD), "__proto__", "secrets"), { maxLength: 5 })
  .chain((names) => fc.tuple(...names.map((name) => value(name).map((of) => [name, of] as const))))
  .map((entries) => Object.fromEntries<unknown>(entries));

fuzz(
  "any options object: SOJOURN_OPTIONS_INVALID, or a manager that serves a request",
  () => fc.oneof({ weight: 20, arbitrary: objects }, anyValue),
  async (given) => {
    const secret =
      typeof given === "object" && given !== null ? { secret: SECRET, logger: false } : {};
    const options = (
      given === undefined || "secret" in secret ? { ...secret, ...(given as object) } : given
    ) as SessionOptions;
    let manager: ReturnType<typeof createSessionManager> | undefined;
    const code = await codeOf(() => void (manager = createSessionManager(options)));
    if (manager === undefined) {
      expect(code).toBe("SOJOURN_OPTIONS_INVALID");
      return;
    }
    const { pipeline } = manager;
    await codeOf(async () => {
      const context = await pipeline.begin({
        cookieHeader: "sid=x",
        secure: true,
        client: () => ({}),
      });
      (context.session as unknown as Record<string, unknown>)["a"] = 1;
      await pipeline.commit(context);
    });
    expect("polluted" in {}).toBe(false);
  },
);

fuzz(
  "any options of the CSRF guard: refused, or a policy",
  () => {
    const names = ["protection", "trustedOrigins", "trustSameSite", "strict", "contentTypes", "x"];
    const bad = fc.oneof(anyValue, fc.array(anyText, { maxLength: 2 }));
    return fc.oneof(fc.dictionary(fc.constantFrom(...names), bad, { maxKeys: 2 }), anyValue);
  },
  async (given) => {
    const code = await codeOf(() => csrfPolicy(given as CsrfOptions));
    expect([null, "SOJOURN_OPTIONS_INVALID"]).toContain(code);
  },
);

fuzz(
  "any key of a ring: refused, or kept",
  () => fc.array(fc.oneof(anyValue, nested, fc.constant(SECRET)), { maxLength: 3 }),
  async (given) => {
    const code = await codeOf(() => new KeyRing(given as unknown as [string]));
    expect([null, "SOJOURN_OPTIONS_INVALID"]).toContain(code);
  },
);
