/** E-23: a record that was made while Redis was away comes in, unless its owner or all were ended since. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Store } from "@sojourn/core/store";
import { redisStore } from "../src/index.ts";
import { ownerOf, recordOf, rejection } from "./support/records.ts";
import { clusterClient, startCluster, startServer } from "./support/server.ts";

const SECOND = 1_000;
const clock = { now: () => 1_800_000_000_000 };
const now = clock.now();
/** A session of so long ago. */
const made = (user: string | null, ago: number) =>
  recordOf(clock, user, { createdAt: now - ago, seenAt: now - ago });
const revoked = { why: "revoked", at: now - 60 * SECOND, reason: "stolen" } as const;

describe.each([
  ["a server", startServer, (server: Awaited<ReturnType<typeof startServer>>) => server.client()],
  ["a cluster", startCluster, clusterClient],
])("on %s", (_what, start, connect) => {
  let store: Store;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    const started = await start();
    const client = connect(started as never);
    store = redisStore({ client, clock });
    stop = async () => {
      await store.close();
      client.disconnect();
      await started.stop();
    };
  }, 60_000);
  afterAll(() => stop());
  const adopt: NonNullable<Store["adopt"]> = async (...args) => {
    if (!store.adopt) throw new Error("no adopt");
    return store.adopt(...args);
  };

  test("[E-23] nothing was ended: it is created as by create", async () => {
    const mine = made("ada", 30 * SECOND);
    expect(await adopt(mine)).toEqual({ status: "created", evicted: [] });
    expect(await store.read(mine)).toEqual(mine);
    expect(await rejection(adopt({ ...made("ada", 0), key: mine.key }))).toMatchObject({
      code: "SOJOURN_RECORD_EXISTS",
    });
  });

  test("[E-23] asked again, or after a creation that came late, it is created, once and with what was written since", async () => {
    const mine = made("late", 30 * SECOND);
    await store.create(mine);
    await store.update(mine, { ...mine, payload: "written since" }, 1);
    for (let again = 0; again < 3; again += 1)
      expect(await adopt(mine, { max: 1, onLimit: "evict-oldest" })).toEqual({
        status: "created",
        evicted: [],
      });
    expect(await store.listOwner("session", ownerOf("late"))).toMatchObject([
      { payload: "written since" },
    ]);
  });

  test("[E-23] a creation that came later than the ending of its owner's sessions is ended with them", async () => {
    await store.endOwner("session", ownerOf("dan"), revoked);
    const mine = made("dan", 90 * SECOND);
    await store.create(mine);
    expect(await adopt(mine)).toEqual({ status: "ended", ending: revoked });
    expect(await store.read(mine)).toMatchObject({ ending: { why: "revoked", reason: "stolen" } });
  });

  test("[E-23] what was ended by itself stays ended", async () => {
    const mine = made("eli", 30 * SECOND);
    await adopt(mine);
    await store.end(mine, { why: "logout", at: now });
    expect(await rejection(adopt(mine))).toMatchObject({ code: "SOJOURN_RECORD_EXISTS" });
    expect(await store.read(mine)).toMatchObject({ ending: { why: "logout" } });
  });

  test("[E-23] its owner's sessions were ended since: the ending, and nothing is written", async () => {
    await store.endOwner("session", ownerOf("bob"), revoked);
    const mine = made("bob", 90 * SECOND);
    expect(await adopt(mine)).toEqual({ status: "ended", ending: revoked });
    expect(await store.read(mine)).toBeNull();
    expect(await store.listOwner("session", ownerOf("bob"))).toEqual([]);
    expect((await adopt(made("eve", 90 * SECOND))).status).toBe("created");
    expect((await adopt(made(null, 90 * SECOND))).status).toBe("created");
  });

  test("[E-23] ended up to 10 s before it was made, by clocks that differ: ended; 1 ms more: created", async () => {
    await store.endOwner("session", ownerOf("cid"), revoked);
    expect((await adopt(made("cid", 50 * SECOND))).status).toBe("ended");
    expect((await adopt(made("cid", 50 * SECOND - 1))).status).toBe("created");
  });

  test("[E-23] an earlier of several endings counts too, when its instant is the latest", async () => {
    await store.endOwner("session", ownerOf("dan"), revoked);
    await store.endOwner("session", ownerOf("dan"), { ...revoked, at: now - 3_600 * SECOND });
    expect(await adopt(made("dan", 90 * SECOND))).toEqual({ status: "ended", ending: revoked });
  });

  test("[E-23] a limit holds: the oldest is evicted, or the adopted one refused", async () => {
    const [first, second] = [made("fay", 30 * SECOND), made("fay", 20 * SECOND)];
    await store.create(first);
    const refusal = await adopt(second, { max: 1, onLimit: "reject" });
    expect(refusal).toEqual({ status: "refused", active: 1 });
    const outcome = await adopt(second, { max: 1, onLimit: "evict-oldest" });
    expect(outcome).toMatchObject({ status: "created", evicted: [{ handle: first.handle }] });
    expect(await store.listOwner("session", ownerOf("fay"))).toEqual([second]);
  });

  test("[E-23] all of the kind were ended since: ended, also nobody's; another kind's comes in", async () => {
    await store.endAll("session", revoked);
    for (const user of ["gil", null]) {
      expect(await adopt(made(user, 90 * SECOND))).toEqual({ status: "ended", ending: revoked });
      expect((await adopt(made(user, 10 * SECOND))).status).toBe("created");
    }
    const other = { ...made("gil", 90 * SECOND), kind: "grant" };
    expect((await adopt(other)).status).toBe("created");
  });
});
