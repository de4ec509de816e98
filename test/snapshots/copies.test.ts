/** Sessions that move from store to store: nothing of a record changes, and no browser notices. */
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE } from "../../packages/core/test/support/clock.ts";
import { contents, fill, type RecordFields } from "../../packages/core/test/snapshot/support.ts";
import { must } from "../../packages/core/test/support/world.ts";
import { Client } from "../scenarios/client.ts";
import { frameworks } from "../scenarios/frameworks.ts";
import { shop } from "../scenarios/shop.ts";
import { type StoreKind, stores } from "../scenarios/stores.ts";
import { opened, type Opened, restore, SECRET, snapshotOf } from "./places.ts";

const KINDS = ["session", "grant", "bound"];
const named = (name: StoreKind["name"]): StoreKind[] => stores.filter((kind) => kind.name === name);
/** From memory through every other store back to memory. */
const WAY = [
  ...named("memory"),
  ...stores.filter(({ name }) => name !== "memory"),
  ...named("memory"),
];

/** Records of 3 kinds, of users and of nobody, with deadlines and versions of all sorts. */
function fields(index: number, now: number): RecordFields {
  const absoluteExpiresAt = now + HOUR + (index % 7) * DAY;
  return {
    kind: KINDS[index % 3] ?? "",
    ...(index % 4 === 0
      ? {}
      : { user: ["ada", "b\u00f6b@example.com", "user:3", "\u{1f600}"][index % 4] ?? "" }),
    version: 1 + (index % 5),
    createdAt: now - index,
    seenAt: now + 1 - (index % 2),
    expiresAt: now + MINUTE + index,
    absoluteExpiresAt,
    data: { index, words: ["caf\u00e9", '"quoted"', "\\\\", "\u2028", "\u0000"], ["__proto__"]: 1 },
  };
}

/** Everything that a store says about what is in it. */
async function answersOf({ store, sessions }: Opened, users: readonly string[]) {
  const lists = users.map(async (user) => (await sessions.list(user)).items);
  const { active, principals } = await store.count("session");
  return {
    records: await contents(store, KINDS),
    lists: await Promise.all(lists),
    counts: { active, principals },
    owners: (await sessions.principals()).items.toSorted((one, other) =>
      one.principal < other.principal ? -1 : 1,
    ),
  };
}

describe("[A-19] a copy", () => {
  test(`[A-19] [A-01] [C-28] ${WAY.map(({ name }) => name).join(" to ")}: 250 records of 3 kinds, equal record for record, with lists, counts and deadlines`, async () => {
    const first = await opened(must(WAY[0]));
    const { clock } = first;
    await fill(first.store, 250, (index) => fields(index, clock.now()));
    const users = ["ada", "b\u00f6b@example.com", "user:3", "\u{1f600}"];
    const before = await answersOf(first, users);
    expect(before.records).toHaveLength(250);
    let from = first;
    for (const kind of WAY.slice(1)) {
      const to = await opened(kind, { clock });
      const pipe = new PassThrough();
      const [out, into] = await Promise.all([
        from.sessions.export(pipe, { kinds: KINDS }),
        to.sessions.import(pipe, { kinds: KINDS }),
      ]);
      expect([out.exported, into.restored], kind.name).toEqual([250, 250]);
      expect(await answersOf(to, users), kind.name).toEqual(before);
      from = to;
    }
    clock.advance(MINUTE + 100);
    const alive = before.records.filter(({ expiresAt }) => clock.now() < expiresAt);
    expect(alive.length).toBe(149);
    expect(await contents(from.store, KINDS)).toEqual(alive);
  });

  test("[A-19] the cookie that a browser got at the beginning works on every store on the way, to read and to write", async () => {
    let from = await opened(must(WAY[0]));
    const { clock } = from;
    const visitor = await from.visitor("ada");
    const { handle, ...facts } = await visitor.visit(({ handle: its, createdAt }) => ({
      handle: its,
      createdAt,
    }));
    const anonymous = await from.visitor();
    for (const [index, kind] of WAY.slice(1).entries()) {
      const to = await opened(kind, { clock });
      await restore(to, await snapshotOf(from));
      const here = visitor.at(to.pipeline);
      const seen = await here.visit(async (session) => {
        await session.update((data) => void (data["count"] = Number(data["count"] ?? 0) + 1));
        const { principal, count, cart, createdAt } = session;
        return { principal, handle: session.handle, count, cart, createdAt };
      });
      const expected = { principal: "ada", handle, count: index + 1, cart: ["milk"], ...facts };
      expect(seen, kind.name).toEqual(expected);
      expect(await anonymous.at(to.pipeline).visit((session) => session.cart)).toEqual(["milk"]);
      from = to;
    }
  });

  test.for([
    ["Fastify 5", "Express 5"],
    ["Express 5", "Fastify 5"],
    ["Express 4", "Fastify 5"],
  ])("[A-19] a browser of %s goes on at %s, on another store, over HTTP", async ([one, other]) => {
    const start = async (name: string | undefined, kind: StoreKind, clock?: Opened["clock"]) => {
      const made = await opened(kind, clock ? { clock } : {});
      const { store } = made;
      const framework = frameworks.find((each) => each.name === name);
      const app = await framework?.start({ secret: SECRET, logger: false, store }, shop);
      return { ...made, sessions: must(app).sessions, app: must(app) };
    };
    const [memory, file] = [...named("memory"), ...named("file")];
    const from = await start(one, must(memory));
    const client = new Client(from.app.url);
    await client.post("/login?user=ada");
    const before = (await client.get("/me")).body;
    const to = await start(other, must(file), from.clock);
    await restore(to, await snapshotOf(from));
    client.url = to.app.url;
    expect(before["principal"]).toBe("ada");
    expect((await client.get("/me")).body).toEqual(before);
    for (const { app } of [from, to]) await app.close();
  });
});

describe.for(stores)("[A-08] twice into the $name store", (kind) => {
  test("[A-08] the second import restores 0, and no byte of the store has changed", async () => {
    const from = await opened(must(named("memory")[0]));
    await fill(from.store, 120, (index) => fields(index, from.clock.now()));
    const snapshot = await snapshotOf(from, { kinds: KINDS });
    const to = await opened(kind, { clock: from.clock });
    const first = await restore(to, snapshot, { kinds: KINDS });
    await to.sessions.flush();
    const before = await to.bytes();
    const again = await restore(to, snapshot, { kinds: KINDS });
    await to.sessions.flush();
    expect([first.restored, again.restored, again.skipped.duplicate]).toEqual([120, 0, 120]);
    expect(sorted(await to.bytes())).toEqual(sorted(before));
    if (kind.survives) expect(before.length).toBeGreaterThan(10_000);
  });
});

/** Servers give what they hold in any order. */
const sorted = (text: string): string[] => text.split("\n").toSorted();
