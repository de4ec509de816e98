/** An import goes on in batches, and gives way to everything else between them. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { memoryStore } from "../../src/store/memory/store.ts";
import { fakeClock } from "../support/clock.ts";
import { interceptStore } from "../support/intercept.ts";
import { failureCode, must, range, world } from "../support/world.ts";
import { contents, imported, sessionRecord, snapshotWith } from "./support.ts";

describe("[A-23] in batches", () => {
  /** The sizes of the groups of records that came to the store between two turns of the event loop. */
  async function groups(batchSize: number | undefined, count: number): Promise<number[]> {
    const clock = fakeClock();
    const sizes: number[] = [0];
    const store = interceptStore(memoryStore({ clock }), (operation, run) => {
      if (operation === "adopt") sizes[sizes.length - 1] = must(sizes.at(-1)) + 1;
      return run();
    });
    const work = { isOver: false };
    const turns = (async () => {
      while (!work.isOver) {
        await nextTurn();
        if (sizes.at(-1) !== 0) sizes.push(0);
      }
    })();
    const { sessions } = world({ clock, store });
    const snapshot = snapshotWith(range(count).map(() => sessionRecord(clock)));
    await imported(sessions, snapshot, batchSize === undefined ? {} : { batchSize });
    work.isOver = true;
    await turns;
    return sizes.filter((size) => size > 0);
  }

  test("[A-23] batchSize 70: never more than 70 records between two turns of the event loop, in any segment", async () => {
    const sizes = await groups(70, 1_250);
    expect(Math.max(...sizes)).toBe(70);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1_250);
  });

  test("[A-23] without batchSize: never more than 500", async () => {
    expect(Math.max(...(await groups(undefined, 2_300)))).toBe(500);
  });

  test("[A-23] batches larger than a segment are filled from several", async () => {
    expect(Math.max(...(await groups(900, 2_000)))).toBe(900);
  });

  test("[A-23] a snapshot of nothing but dead records still lets the event loop turn", async () => {
    const { sessions, clock } = world();
    const records = range(5_000).map(() => sessionRecord(clock, { expiresAt: clock.now() }));
    const snapshot = snapshotWith(records);
    let turns = 0;
    const work = { isOver: false };
    const counting = (async () => {
      while (!work.isOver) {
        await nextTurn();
        turns += 1;
      }
    })();
    await sessions.import(once(snapshot));
    work.isOver = true;
    expect(turns).toBeGreaterThanOrEqual(9);
    await counting;
  });

  test("[A-23] limit takes those used last, with the newest first where they fit no batch", async () => {
    const { store, sessions, clock } = world();
    const records = range(1_000).map((index) =>
      sessionRecord(clock, {
        createdAt: clock.now() - 2_000,
        seenAt: clock.now() - ((index * 7) % 1_000),
      }),
    );
    await imported(sessions, snapshotWith(records), { limit: 10, batchSize: 3 });
    const seen = (await contents(store)).map(({ seenAt }) => clock.now() - seenAt);
    expect(seen.toSorted((one, other) => one - other)).toEqual(range(10));
  });

  test("[A-23] filter: what it does not want is left out, and counted", async () => {
    const { store, sessions, clock } = world();
    const records = range(10).map((index) => sessionRecord(clock, { user: `u${index % 2}` }));
    const result = await imported(sessions, snapshotWith(records), {
      filter: ({ principal }) => principal === "u1",
    });
    expect(result).toMatchObject({ restored: 5, skipped: { filtered: 5 } });
    expect((await contents(store)).every(({ owner }) => owner?.endsWith("u1"))).toBe(true);
  });

  test("[A-23] onProgress tells of each batch", async () => {
    const { sessions, clock } = world();
    const snapshot = snapshotWith(range(25).map(() => sessionRecord(clock)));
    const told: object[] = [];
    await imported(sessions, snapshot, { batchSize: 10, onProgress: (now) => told.push(now) });
    const bytes = snapshot.length;
    expect(told).toEqual([10, 20, 25].map((records) => ({ records, bytes })));
  });

  test.for([0, -1, 2.5, Number.NaN, "5"])(
    "[A-23] batchSize and limit %s are refused",
    async (wrong) => {
      const { sessions } = world();
      for (const options of [{ batchSize: wrong as number }, { limit: wrong as number }])
        expect(await failureCode(imported(sessions, "", options))).toBe("SOJOURN_OPTIONS_INVALID");
    },
  );
});

/** All bytes at once. */
async function* once(bytes: Buffer): AsyncIterable<Uint8Array> {
  yield bytes;
}
