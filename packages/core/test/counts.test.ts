/** Counts and statistics against a simulation by brute force. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryStore } from "../src/store/memory/store.ts";
import { fakeClock, MINUTE } from "./support/clock.ts";
import { interceptStore } from "./support/intercept.ts";
import { must, parallel, range, world } from "./support/world.ts";

describe("B-16 E-18 counts against a simulation", () => {
  type Step =
    | { do: "create" | "end" | "touch"; who: number }
    | { do: "wait"; ms: number }
    | { do: "revokeAll"; who: number };
  const who = fc.nat(5);
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("create" as const), who }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("end" as const), who }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("touch" as const), who }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("revokeAll" as const), who }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(20 * MINUTE) }),
    },
  );
  interface Model {
    handle: string;
    who: number;
    createdAt: number;
    expiresAt: number;
    endedAt: number | null;
  }

  test("B-09 active, principals, list, total, peak, ended and average agree after every step", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { sessions, clock, pipeline } = world({ touchAfter: 0 });
        const all: (Model & { cookie: string })[] = [];
        let peak = 0;
        const settle = (): Model[] => {
          for (const one of all) {
            if (one.endedAt === null && one.expiresAt <= clock.now()) one.endedAt = one.expiresAt;
          }
          return all.filter(({ endedAt }) => endedAt === null);
        };
        for (const next of steps) {
          const alive = settle() as typeof all;
          if (next.do === "wait") clock.advance(next.ms);
          else if (next.do === "create") {
            const made = await sessions.create({ principal: next.who });
            const cookie = must(made.setCookie.split(";")[0]);
            const { handle, createdAt, expiresAt } = made.session;
            all.push({ handle, who: next.who, createdAt, expiresAt, endedAt: null, cookie });
          } else if (next.do === "revokeAll") {
            const theirs = alive.filter((one) => one.who === next.who);
            expect(await sessions.revokeAll(next.who)).toBe(theirs.length);
            for (const one of theirs) one.endedAt = clock.now();
          } else if (next.do === "end") {
            const one = alive[next.who % Math.max(1, alive.length)];
            if (!one) continue;
            expect(await sessions.revoke(one.handle)).toBe(true);
            one.endedAt = clock.now();
          } else {
            const one = alive[next.who % Math.max(1, alive.length)];
            if (!one) continue;
            const context = await pipeline.begin({
              cookieHeader: one.cookie,
              secure: false,
              client: () => ({}),
            });
            await pipeline.commit(context);
            one.expiresAt = clock.now() + 30 * MINUTE;
          }
          const now = settle();
          peak = Math.max(peak, now.length);
          const ended = all.filter(({ endedAt }) => endedAt !== null);
          const lived = ended.reduce((sum, one) => sum + (one.endedAt ?? 0) - one.createdAt, 0);
          const principals = [...new Set(now.map((one) => String(one.who)))].toSorted();
          expect(await sessions.stats()).toEqual({
            active: now.length,
            principals: principals.length,
            totalCreated: all.length,
            totalEnded: ended.length,
            peakActive: peak,
            averageDurationMs: ended.length === 0 ? null : lived / ended.length,
          });
          const { items } = await sessions.principals();
          expect(items.map(({ principal }) => principal).toSorted()).toEqual(principals);
          for (const { principal, active } of items) {
            const theirs = now.filter((one) => String(one.who) === principal);
            expect(active).toBe(theirs.length);
            const listed = (await sessions.list(principal)).items.map(({ handle }) => handle);
            expect(listed.toSorted()).toEqual(theirs.map(({ handle }) => handle).toSorted());
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test("principals are paged, each once", async () => {
    const { sessions } = world();
    await parallel(25, (index) => sessions.create({ principal: `user${index % 10}` }));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await sessions.principals({ limit: 3, cursor });
      seen.push(...page.items.map(({ principal }) => principal));
      ({ cursor } = page);
    } while (cursor !== null);
    expect(seen.toSorted()).toEqual(range(10).map((index) => `user${index}`));
  });

  test("stats of a store that does not know its lifetime say so", async () => {
    const clock = fakeClock();
    const store = interceptStore(memoryStore({ clock }), async (operation, run) => {
      const answer = await run();
      return operation === "count" ? { ...(answer as object), lifetime: null } : answer;
    });
    const { sessions } = world({ clock, store });
    await sessions.create({ principal: "ada" });
    expect(await sessions.stats()).toEqual({
      active: 1,
      principals: 1,
      totalCreated: null,
      totalEnded: null,
      peakActive: null,
      averageDurationMs: null,
    });
  });
});
