/** What a store says: wrong types, huge values, `__proto__`: an error with a code, or a session that holds together. */
// oxlint-disable vitest/no-standalone-expect -- fuzz() makes the tests
import { createSessionManager, isSojournError, memoryStore } from "@sojourn/core";
import type { Pipeline, SessionOptions, Sessions, Store } from "@sojourn/core";
import * as fc from "fast-check";
import { describe, expect } from "vitest";
import { interceptStore } from "../../packages/core/test/support/intercept.ts";
import { CLIENT, COOKIE, SECRET } from "./support/answer.ts";
import { anyText, anyValue, damaged, spoiled } from "./support/damage.ts";
import { fuzz } from "./support/runs.ts";

const FACTS = '{"authenticatedAt":1800000000000,"level":1,"ip":"192.0.2.8"}';
const DATA = '{"a":1,"cart":["milk"]}';
const NOW = 1_800_000_000_000;
const handle = "abAAAAAAAAAAAAAAAAA";
const record = {
  kind: "session",
  key: `abA.${"k".repeat(43)}`,
  handle,
  owner: "abA.ada",
  version: 1,
  createdAt: NOW,
  seenAt: NOW,
  expiresAt: NOW + 1_000,
  absoluteExpiresAt: NOW + 1_000,
  payload: `${FACTS}\n${DATA}`,
};
const ending = { why: "revoked", at: NOW, reason: "stolen" };
const tombstone = {
  kind: "session",
  key: record.key,
  handle,
  owner: null,
  createdAt: NOW,
  expiresAt: NOW + 1,
  ending,
};

const records = fc.oneof(
  spoiled(record),
  fc.oneof(damaged(record.payload), anyText).map((payload) => ({ ...record, payload })),
  fc.json({ maxDepth: 2 }).map((facts) => ({ ...record, payload: `${facts}\n${DATA}` })),
  fc.json({ maxDepth: 2 }).map((data) => ({ ...record, payload: `${FACTS}\n${data}` })),
);
const tombstones = fc.oneof(
  spoiled(tombstone),
  spoiled(ending).map((bad) => ({ ...tombstone, ending: bad })),
);
const found = fc.oneof(records, tombstones, fc.constant(null), anyValue);
const outcome = fc.oneof(
  found.chain((at) =>
    spoiled({ status: "conflict", record: at, tombstone: at, evicted: [at], active: 1 }),
  ),
  fc
    .tuple(fc.constantFrom("created", "updated", "replaced", "gone", "moved", "refused"), found)
    .map(([status, at]) => ({ status, record: at, tombstone: at, evicted: [at], active: 1 })),
  anyValue,
);

/** What a store may say, by operation. */
const ANSWERS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  read: found,
  create: outcome,
  update: outcome,
  replace: outcome,
  touch: anyValue,
  end: found,
  endOwner: anyValue,
  endAll: anyValue,
  consume: found,
  listOwner: fc.oneof(fc.array(found, { maxLength: 3 }), anyValue),
  count: fc.oneof(spoiled({ active: 1, principals: 1, lifetime: null }), anyValue),
  owners: fc.oneof(spoiled({ owners: [{ owner: "abA.ada", active: 1 }], cursor: null }), anyValue),
};
type Answers = Readonly<Record<string, unknown>>;

/** Answers of one to three operations; the rest is the memory store's. */
const answers: fc.Arbitrary<Answers> = fc
  .uniqueArray(fc.constantFrom(...Object.keys(ANSWERS)), { minLength: 1, maxLength: 3 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) => (ANSWERS[name] ?? anyValue).map((given) => [name, given] as const)),
    ),
  )
  .map((entries) => Object.fromEntries<unknown>(entries));

const REQUESTS: Record<string, (session: Record<string, unknown> & Session) => unknown> = {
  look: (session) => [session.principal, session.handle, session["a"], Object.keys(session)],
  show: (session) => JSON.stringify(session),
  set: (session) => (session["b"] = 1),
  login: (session) => session.login("ada"),
  "login with a limit": (session) => session.login("ada", { max: 1 }),
  elevate: (session) => session.elevate(),
  rotate: (session) => session.rotate(),
  logout: (session) => session.logout(),
  reload: (session) => session.reload(),
  update: (session) => session.update((data) => (data["b"] = 1)),
  check: (session) => session.checkClient(),
  "revoke others": (session) => session.revokeOthers(),
};
const OUTSIDE: Record<string, (sessions: Sessions) => unknown> = {
  list: (sessions) => sessions.list("ada"),
  count: (sessions) => sessions.count(),
  principals: (sessions) => sessions.principals(),
  revoke: (sessions) => sessions.revoke(handle),
  "revoke all": (sessions) => sessions.revokeAll("ada"),
  "revoke everyone": (sessions) => sessions.revokeEveryone(),
  create: (sessions) => sessions.create({ principal: "ada" }),
};
type Session = Awaited<ReturnType<Pipeline["begin"]>>["session"];

/** So many calls get a bad answer; then the real store answers. */
const MOST_LIES = 3;

/** A store that answers so, once it is told to. */
function hostile(given: Answers, real: Store): { store: Store; turn: () => void } {
  let lies = 0;
  const store = interceptStore(real, async (operation, run) =>
    operation in given && lies-- > 0 ? given[operation] : run(),
  );
  return { store, turn: () => void (lies = MOST_LIES) };
}

async function cookieOf(sessions: Sessions): Promise<string> {
  const { setCookie } = await sessions.create({ principal: "ada" });
  return setCookie.slice(0, setCookie.indexOf(";"));
}

/** Nothing but a SojournError comes out, and in time. */
async function holds(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isSojournError(error)) throw error;
    expect(error.code).not.toBe("SOJOURN_STORE_TIMEOUT");
  }
}

const OPTIONS: readonly SessionOptions[] = [
  {},
  { binding: "revoke", deviceCookie: true },
  { binding: "step-up", onIdle: "lock" },
  { privileges: () => ["read"], cookie: { secure: true, persistent: true } },
  { principal: (data) => (data["user"] === "ada" ? "ada" : null) },
];

describe("a store that answers anything", () => {
  const clock = { now: () => NOW };
  const manager = (options: SessionOptions, given: Answers) => {
    const { store, turn } = hostile(given, memoryStore({ clock }));
    const cookie = { secure: true };
    const base = { secret: SECRET, logger: false, cookie, storeDeadline: "1s" } as const;
    return { ...createSessionManager({ ...base, ...options, store }), turn };
  };

  fuzz(
    "a request gets an error with a code, or a session; Object.prototype stays as it is",
    () => fc.tuple(answers, fc.constantFrom(...OPTIONS), fc.constantFrom(...Object.keys(REQUESTS))),
    async ([given, options, name]) => {
      const { sessions, pipeline, turn } = manager(options, given);
      const cookieHeader = await cookieOf(sessions);
      expect(cookieHeader.startsWith(`${COOKIE}=`)).toBe(true);
      turn();
      await holds(async () => {
        const context = await pipeline.begin({ cookieHeader, secure: true, client: () => CLIENT });
        await holds(() => REQUESTS[name]?.(context.session as Record<string, unknown> & Session));
        const plan = await pipeline.commit(context);
        expect(Object.keys(plan).toSorted()).toEqual([
          "carried",
          "clearSiteData",
          "cookie",
          "device",
          "privacy",
        ]);
      });
      expect("polluted" in {}).toBe(false);
    },
    { oneIn: 4 },
  );

  fuzz(
    "a manager answers, or fails with a code",
    () => fc.tuple(answers, fc.constantFrom(...Object.keys(OUTSIDE))),
    async ([given, name]) => {
      const { sessions, turn } = manager({}, given);
      turn();
      await holds(() => OUTSIDE[name]?.(sessions));
      expect("polluted" in {}).toBe(false);
    },
    { oneIn: 2 },
  );
});
