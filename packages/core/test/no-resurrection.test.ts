/** G1: what was logged out, revoked, evicted or expired never comes back, whatever comes late. */
import { describe, expect, test } from "vitest";
import type { TestSession } from "./support/browser.ts";
import { principalOf } from "./support/browser.ts";
import { ENDINGS, gated } from "./support/gated.ts";
import { parallel, world } from "./support/world.ts";

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

  test("ASVS 7.4.1 a logout that races 200 saves wins over all of them", async () => {
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
