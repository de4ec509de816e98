/** G4: lists and revocations by user are complete, whatever the timeouts were. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Client } from "./client.ts";
import { DAY, everywhere, HOUR, MINUTE, SECOND } from "./matrix.ts";
import type { World } from "./matrix.ts";

/** What the model knows of a session. */
interface Known {
  readonly user: string;
  readonly client: Client;
  readonly handle: string;
  readonly idle: number;
  readonly absoluteAt: number;
  seenAt: number;
}

type Step =
  | {
      readonly do: "login";
      readonly user: number;
      readonly idle: number;
      readonly absolute: number;
    }
  | { readonly do: "use"; readonly which: number }
  | { readonly do: "wait"; readonly ms: number };

const lengths = fc.constantFrom(10 * SECOND, MINUTE, 10 * MINUTE, HOUR, DAY, 30 * DAY);
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("login"), user: fc.nat(2), idle: lengths, absolute: lengths }),
    fc.record({ do: fc.constant("use"), which: fc.nat(20) }),
    fc.record({ do: fc.constant("wait"), ms: fc.integer({ min: 1, max: 20 * MINUTE }) }),
  ),
  { minLength: 5, maxLength: 25 },
) as fc.Arbitrary<Step[]>;

const users = ["ada", "bob", "eve"];

/** Plays the steps against the application and the model, with users of this run's own. */
async function play(world: World, run: number, history: readonly Step[]): Promise<Known[]> {
  const known: Known[] = [];
  for (const step of history) {
    if (step.do === "wait") world.clock.advance(step.ms);
    if (step.do === "login") known.push(await login(world, `${users[step.user]}${run}`, step));
    const used = step.do === "use" ? known[step.which % known.length] : undefined;
    if (used) await use(world, used);
  }
  return known;
}

async function login(
  world: World,
  user: string,
  { idle, absolute }: { idle: number; absolute: number },
): Promise<Known> {
  const client = await world.loggedIn(user, `idle=${idle}ms&absolute=${absolute}ms`);
  const now = world.clock.now();
  const { items } = await world.sessions.list(user);
  const handle = String((await client.get("/me")).body["handle"]);
  expect(items.map((item) => item.handle)).toContain(handle);
  return { user, client, handle, idle, absoluteAt: now + absolute, seenAt: now };
}

async function use(world: World, session: Known): Promise<void> {
  const wasAlive = isAlive(world, session);
  const { status } = await session.client.get("/private");
  expect(status).toBe(wasAlive ? 200 : 401);
  const now = world.clock.now();
  if (wasAlive && now - session.seenAt >= Math.min(session.idle / 10, MINUTE)) session.seenAt = now;
}

function isAlive(world: World, { seenAt, idle, absoluteAt }: Known): boolean {
  return world.clock.now() < Math.min(seenAt + idle, absoluteAt);
}

const handles = (sessions: readonly { readonly handle: string }[]): string[] =>
  sessions.map(({ handle }) => handle).toSorted();

everywhere(({ open }) => {
  test("[G4] [B-09] [B-12] [B-13] after random logins, uses and clock jumps every list is exact, revokeAll leaves 0 readable sessions and revokeOthers 1", async () => {
    const world = await open();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        run++;
        const known = await play(world, run, history);
        const alive = known.filter((session) => isAlive(world, session));
        const of = (user: string): Known[] =>
          alive.filter((session) => session.user === user + run);

        for (const user of users) {
          const { items } = await world.sessions.list(user + run);
          expect(handles(items)).toEqual(handles(of(user)));
        }
        expect(await world.sessions.revokeAll(`ada${run}`)).toBe(of("ada").length);
        const [spared] = of("bob");
        if (spared) {
          const ended = await world.sessions.revokeOthers(`bob${run}`, spared.handle);
          expect(ended).toBe(of("bob").length - 1);
        }
        const readable = await Promise.all(
          known.map(async ({ client }) => (await client.get("/private")).status === 200),
        );
        const left = known.filter((_, index) => readable[index]);
        expect(handles(left)).toEqual(handles([...(spared ? [spared] : []), ...of("eve")]));
        expect((await world.sessions.list(`ada${run}`)).items).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });

  test("[B-12] [B-02] 2 sessions of one user, one for 60 s, one for 30 d: each ends on its own", async () => {
    const world = await open();
    const short = await world.loggedIn("ada", "idle=none&absolute=60s");
    const long = await world.loggedIn("ada", "idle=none&absolute=30d");
    world.clock.advance(60 * SECOND);
    expect((await short.get("/private")).status).toBe(401);
    world.clock.advance(30 * DAY - 60 * SECOND - 1);
    expect((await long.get("/private")).status).toBe(200);
    expect((await world.sessions.list("ada")).items).toHaveLength(1);
    world.clock.advance(1);
    expect((await long.get("/private")).status).toBe(401);
    expect((await world.sessions.list("ada")).items).toEqual([]);
    expect(await world.sessions.count()).toMatchObject({ active: 0, principals: 0 });
  });

  test("[B-13] 25 sessions come newest first in 3 pages of 10, and no login in between shifts them", async () => {
    const world = await open();
    const expected: string[] = [];
    for (let index = 0; index < 25; index++) {
      const client = await world.loggedIn("ada");
      expected.unshift(String((await client.get("/me")).body["handle"]));
      world.clock.advance(SECOND);
    }
    const pages: string[][] = [];
    let cursor: string | null = null;
    do {
      const page = await world.sessions.list("ada", { limit: 10, cursor });
      pages.push(page.items.map(({ handle }) => handle));
      cursor = page.cursor;
      await world.loggedIn("ada");
    } while (cursor !== null);
    expect(pages.map(({ length }) => length)).toEqual([10, 10, 5]);
    expect(pages.flat()).toEqual(expected);
  });

  test("[B-15] listing, counting, explaining and statistics change no timestamp and write 0 times", async () => {
    const world = await open();
    const ada = await world.loggedIn("ada");
    const handle = String((await ada.get("/me")).body["handle"]);
    const before = await world.sessions.get(handle);
    world.clock.advance(10 * MINUTE);
    const calls = await world.probe.callsOf(async () => {
      const { sessions } = world;
      await Promise.all([
        sessions.list("ada"),
        sessions.count(),
        sessions.stats(),
        sessions.principals(),
      ]);
      await Promise.all([sessions.explain(handle), sessions.get(handle), sessions.health()]);
      for await (const found of sessions.find({})) expect(found.handle).toBe(handle);
    });
    const reads = new Set(["read", "listOwner", "count", "owners"]);
    expect(calls.filter((name) => !reads.has(name))).toEqual([]);
    expect(await world.sessions.get(handle)).toEqual(before);
  });
});
