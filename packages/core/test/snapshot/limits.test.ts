/** How many an import restores, which, and what a validator lets through. */
import { describe, expect, test } from "vitest";
import { memoryStore } from "../../src/store/memory/store.ts";
import { fakeClock } from "../support/clock.ts";
import { failureCode, range, world } from "../support/world.ts";
import { contents, imported, inOrder, sessionRecord, snapshotWith } from "./support.ts";

describe("[A-09] limits", () => {
  test("[A-09] limit 100 of 150 in random order: the 100 used last survive, and restore-limited is told once", async () => {
    const { store, sessions, clock, told } = world();
    const used = range(150).map((index) => (index * 77) % 150);
    const records = used.map((seen) =>
      sessionRecord(clock, { createdAt: clock.now() - 200, seenAt: clock.now() - 150 + seen }),
    );
    const result = await imported(sessions, snapshotWith(records), { limit: 100 });
    expect(result).toMatchObject({ restored: 100, skipped: { limit: 50 } });
    const newest = records.toSorted((one, other) => other.seenAt - one.seenAt).slice(0, 100);
    expect(await contents(store)).toEqual(inOrder(newest));
    expect(told("restore-limited")).toMatchObject([{ limit: 100, count: 50 }]);
  });

  test("[A-09] a limit that is not reached is not told", async () => {
    const { sessions, clock, told } = world();
    await imported(sessions, snapshotWith([sessionRecord(clock)]), { limit: 1 });
    expect(told("restore-limited")).toEqual([]);
  });

  test("[A-09] nobody alive is ended for a restored session: max 2, one alive, three in the snapshot", async () => {
    const { store, sessions, browser, clock, told } = world({ max: 2, onLimit: "evict-oldest" });
    const visitor = browser();
    await visitor.visit((session) => session.login("ada"));
    const records = range(3).map(() => sessionRecord(clock, { user: "ada" }));
    const result = await imported(sessions, snapshotWith(records));
    expect(result).toMatchObject({ restored: 1, skipped: { limit: 2 } });
    expect(await visitor.visit((session) => session.principal)).toBe("ada");
    expect((await contents(store)).length).toBe(2);
    expect(told("evicted")).toEqual([]);
  });

  test("[A-09] the limit of the principal is asked for each, and holds by name", async () => {
    const { sessions, clock } = world({ max: (principal) => (principal === "ada" ? 1 : 0) });
    const records = range(6).map((index) =>
      sessionRecord(clock, { user: index % 2 === 0 ? "ada" : "bob" }),
    );
    const result = await imported(sessions, snapshotWith(records));
    expect(result).toMatchObject({ restored: 4, skipped: { limit: 2 } });
    expect((await sessions.list("bob")).items).toHaveLength(3);
  });

  test("[A-09] a full store refuses with its own code, and what it took stays", async () => {
    const clock = fakeClock();
    const store = memoryStore({ clock, maxRecords: 120 });
    const { sessions } = world({ clock, store });
    const records = range(200).map((index) => sessionRecord(clock, { user: `u${index}` }));
    const work = imported(sessions, snapshotWith(records), { batchSize: 50 });
    expect(await failureCode(work)).toBe("SOJOURN_STORE_FULL");
    expect((await contents(store)).length).toBe(120);
  });
});

describe("[A-24] a validator", () => {
  test("[A-24] a session whose data it does not like is reported with its reason, and never stored", async () => {
    const { store, sessions, clock } = world();
    const good = sessionRecord(clock, { data: { apiUrl: "https://example.com" } });
    const bad = sessionRecord(clock, { user: "ada", data: { apiUrl: "gopher://example.com" } });
    const calls: [object, object][] = [];
    const result = await imported(sessions, snapshotWith([bad, good]), {
      validate(data, record) {
        calls.push([data, record]);
        return String(data["apiUrl"]).startsWith("https:") ? null : "apiUrl is no https URL";
      },
    });
    expect(result).toMatchObject({
      restored: 1,
      skipped: { invalid: 1 },
      failed: [{ position: 1, handle: bad.handle, reason: "apiUrl is no https URL" }],
    });
    expect(await contents(store)).toEqual([good]);
    expect(calls[0]).toMatchObject([
      { apiUrl: "gopher://example.com" },
      { principal: "ada", handle: bad.handle },
    ]);
  });

  test("[A-24] it is asked about sessions alone, and only about those that may be restored", async () => {
    const { sessions, clock } = world();
    const records = [
      sessionRecord(clock, { kind: "grant", payload: "anything" }),
      sessionRecord(clock, { expiresAt: clock.now() }),
      sessionRecord(clock, { user: "eve" }),
      sessionRecord(clock, { user: "ada" }),
    ];
    const asked: (string | null)[] = [];
    const result = await imported(sessions, snapshotWith(records), {
      kinds: ["session", "grant"],
      filter: ({ principal }) => principal !== "eve",
      validate(_, { principal }) {
        asked.push(principal);
        return null;
      },
    });
    expect(asked).toEqual(["ada"]);
    expect(result).toMatchObject({ restored: 2 });
  });

  test("[A-24] one that throws stops the import with its own error", async () => {
    const { store, sessions, clock } = world();
    const work = imported(sessions, snapshotWith([sessionRecord(clock)]), {
      validate() {
        throw new TypeError("a fault of the application");
      },
    });
    await expect(work).rejects.toThrow("a fault of the application");
    expect(await contents(store)).toEqual([]);
  });
});
