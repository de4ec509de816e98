/** Law 12: what the file could not give back is refused, what it can comes back. */
import { describe, expect, test } from "vitest";
import { linesIn, names, newPath, storeAt } from "./support/place.ts";
import { HOUR, LOGOUT, START, ownerOf, recordOf, refOf } from "./support/records.ts";

describe("law 12 what the file could not give back is refused before anything changes", () => {
  test("a record of more than 16 MiB", async () => {
    const store = storeAt(newPath());
    const payload = "x".repeat(16 * 1024 * 1024);
    const tooLarge = { code: "SOJOURN_DATA_TOO_LARGE" };
    await expect(store.create(recordOf("one", { payload }))).rejects.toMatchObject(tooLarge);
    expect(await store.read(refOf("one"))).toBeNull();
    const escaped = "\0".repeat(3 * 1024 * 1024);
    await expect(store.create(recordOf("one", { payload: escaped }))).rejects.toMatchObject(
      tooLarge,
    );
    await store.create(recordOf("one"));
    const change = { payload, seenAt: START, expiresAt: START + HOUR };
    await expect(store.update(refOf("one"), change, 1)).rejects.toMatchObject(tooLarge);
  });

  test("a record of 15 MiB comes back after a restart", async () => {
    const path = newPath();
    const store = storeAt(path);
    const payload = "ä".repeat(15 * 512 * 1024);
    await store.create(recordOf("one", { payload }));
    await store.close();
    const found = await storeAt(path).read(refOf("one"));
    expect(found && "payload" in found && found.payload === payload).toBe(true);
  });

  test.each([Number.NaN, Infinity])("an instant that is %d", async (expiresAt) => {
    const store = storeAt(newPath());
    const invalid = { code: "SOJOURN_DATA_INVALID" };
    await expect(store.create(recordOf("one", { expiresAt }))).rejects.toMatchObject(invalid);
    await expect(store.touch(refOf("one"), START, expiresAt)).rejects.toMatchObject(invalid);
  });

  test("any string survives: lone surrogates, controls, quotes", async () => {
    const path = newPath();
    const payload = '\ud800 \udfff \u2028 \n \r \0 " \\ 😀';
    const store = storeAt(path);
    await store.create(recordOf("one", { payload }));
    await store.close();
    expect(await storeAt(path).read(refOf("one"))).toMatchObject({ payload });
  });

  test(
    "the ending of so many records that it takes more than a line",
    { timeout: 60_000 },
    async () => {
      const path = newPath();
      const store = storeAt(path, { durability: "write" });
      const all = names(2_000, "y".repeat(9_000));
      await Promise.all(all.map((name) => store.create(recordOf(name))));
      const lines = linesIn(path).length;
      expect(await store.endOwner("session", ownerOf("alice"), LOGOUT)).toBe(2_000);
      expect(linesIn(path).length).toBeGreaterThan(lines + 1);
      await store.close();
      const again = storeAt(path);
      expect(await again.count("session")).toMatchObject({ active: 0 });
    },
  );
});
