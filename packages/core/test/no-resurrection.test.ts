/** G1: what was logged out, revoked, evicted or expired never comes back, whatever comes late. */
import { describe, expect, test } from "vitest";
import { memoryStore } from "../src/store/memory/store.ts";
import type { Browser, TestSession } from "./support/browser.ts";
import { fakeClock, MINUTE } from "./support/clock.ts";
import { Gate } from "./support/intercept.ts";
import { must, parallel, world, type World } from "./support/world.ts";

const principalOf = (visitor: Browser): Promise<string | null> =>
  visitor
    .clone()
    .open()
    .then(({ session }) => session.principal);

interface Gated extends World {
  readonly gate: Gate;
  readonly visitor: Browser;
}

async function gated(options: Parameters<typeof world>[0] = {}): Promise<Gated> {
  const clock = fakeClock();
  const gate = new Gate(memoryStore({ clock }));
  const made = world({ ...options, clock, store: gate.store });
  const visitor = made.browser();
  await visitor.visit((session) => session.set("a", 1) && session.login("ada"));
  return { ...made, gate, visitor };
}

/** How a session ends, by another request or from outside. */
const ENDINGS: [name: string, end: (made: Gated) => unknown][] = [
  ["logout", ({ visitor }) => visitor.clone().visit((session) => session.logout())],
  ["destroy", ({ visitor }) => visitor.clone().visit((session) => session.destroy())],
  ["regenerate", ({ visitor }) => visitor.clone().visit((session) => session.regenerate())],
  ["a login", ({ visitor }) => visitor.clone().visit((session) => session.login("bob"))],
  ["elevate", ({ visitor }) => visitor.clone().visit((session) => session.elevate())],
  ["revokeAll", ({ sessions }) => sessions.revokeAll("ada")],
  ["revokeEveryone", ({ sessions }) => sessions.revokeEveryone()],
  [
    "revoke by handle",
    async ({ sessions }) => sessions.revoke(must((await sessions.list("ada")).items[0]).handle),
  ],
  ["eviction", ({ browser }) => browser().visit((session) => session.login("ada", { max: 1 }))],
  ["the idle timeout", ({ clock }) => clock.advance(30 * MINUTE)],
];

/** What a slow request does with its session. */
const LATE: [name: string, operation: string, act: (session: TestSession) => unknown][] = [
  ["changes data", "update", (session) => void (session.b = 2)],
  ["changes data in place and saves", "update", (session) => session.set("b", 2).save()],
  ["updates", "update", (session) => session.update((data) => void (data["b"] = 2))],
  ["touches", "touch", (session) => session.touch()],
  ["rotates", "replace", (session) => session.rotate()],
  ["elevates", "replace", (session) => session.elevate()],
  ["re-authenticates", "replace", (session) => session.reauthenticate()],
  ["reloads", "read", (session) => session.reload()],
];

const CASES = ENDINGS.flatMap(([ending, end]) =>
  LATE.map(([late, operation, act]) => ({ ending, end, late, operation, act })),
);

describe("G1 T-RES1 no resurrection", () => {
  test.each(CASES)("$ending, and a request that read before $late", async ({ end, act }) => {
    const made = await gated();
    const { visitor, sessions } = made;
    const slow = await visitor.clone().open();
    made.clock.advance(1);
    await end(made);
    await Promise.resolve(act(slow.session)).catch((error: unknown) =>
      expect(error).toMatchObject({ code: "SOJOURN_SESSION_ENDED" }),
    );
    const plan = await visitor.parts.pipeline.commit(slow.context);
    expect(plan.cookie?.value ?? "").toBe("");
    expect(await principalOf(visitor)).toBeNull();
    for await (const info of sessions.find({})) expect(info.data).not.toHaveProperty("b");
  });

  test.each(CASES.filter(({ operation }) => operation !== "read"))(
    "$ending, while the slow request's write is on its way to the store: $late",
    async ({ end, operation, act }) => {
      const made = await gated();
      const { visitor, gate, sessions } = made;
      const slow = await visitor.clone().open();
      made.clock.advance(1);
      gate.hold(operation, "before");
      const work = Promise.resolve(act(slow.session))
        .catch((error: unknown) => expect(error).toMatchObject({ code: "SOJOURN_SESSION_ENDED" }))
        .then(() => visitor.parts.pipeline.commit(slow.context));
      await gate.reached(operation);
      gate.pass(operation);
      await end(made);
      gate.open();
      const plan = await work;
      expect(plan.cookie?.value ?? "").toBe("");
      expect(await principalOf(visitor)).toBeNull();
      for await (const info of sessions.find({})) expect(info.data).not.toHaveProperty("b");
    },
  );

  test.each(ENDINGS)("%s, while a slow read is on its way back", async (_, end) => {
    const made = await gated();
    const { visitor, gate } = made;
    gate.hold("read", "after");
    const opening = visitor.clone().open();
    await gate.reached("read");
    gate.pass("read");
    made.clock.advance(1);
    await end(made);
    gate.open();
    const slow = await opening;
    slow.session.b = 2;
    slow.session.touch();
    const plan = await visitor.parts.pipeline.commit(slow.context);
    // Where the expiry was seen already, the change began a session of its own, with its own token.
    expect(plan.cookie?.value ?? "").not.toContain(visitor.value.slice(0, 47));
    expect(await principalOf(visitor)).toBeNull();
  });

  test("7.4.1 a logout that races 200 saves wins over all of them", async () => {
    const { visitor, told, sessions } = await gated();
    const visits = await parallel(200, () => visitor.clone().open());
    const leaving = await visitor.clone().open();
    await Promise.all([
      ...visits.map((visit, index) => {
        visit.session.set(`key${index}`, index);
        return visit.close();
      }),
      leaving.session.logout(),
    ]);
    expect(await principalOf(visitor)).toBeNull();
    expect((await sessions.count()).active).toBe(0);
    expect(told("logout")).toHaveLength(1);
  });

  test("T-RES1 a second process that is slow revives nothing either", async () => {
    const { visitor, clock, store, sessions } = await gated();
    const other = world({ clock, store });
    const slow = await visitor.at(other.pipeline).open();
    slow.session.b = 2;
    await sessions.revokeAll("ada");
    await slow.close();
    expect(await principalOf(visitor.at(other.pipeline))).toBeNull();
    expect(other.told("changes-dropped")).toMatchObject([
      { keys: ["b"], ending: { why: "revoked" } },
    ]);
  });
});
