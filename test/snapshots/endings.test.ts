/** G1 across snapshots: what ended after the export stays ended, whatever is imported afterwards. */
import { describe, expect, test } from "vitest";
import { type Browser, principalOf } from "../../packages/core/test/support/browser.ts";
import { DAY, MINUTE, SECOND } from "../../packages/core/test/support/clock.ts";
import { stores } from "../scenarios/stores.ts";
import { opened, type Opened, restore, snapshotOf } from "./places.ts";

/** What ends ada's session between export and import; `lives`: browsers whose sessions go on. */
type Act = (world: Opened, ada: Browser) => Promise<{ lives: readonly Browser[] } | undefined>;

const handleOf = (visitor: Browser) => visitor.clone().visit((session) => String(session.handle));

const acts: Readonly<Record<string, Act>> = {
  async "revoked by its handle"({ sessions }, ada) {
    expect(await sessions.revoke(await handleOf(ada), "stolen")).toBe(true);
    return undefined;
  },
  async "revoked with all of its user"({ sessions }) {
    expect(await sessions.revokeAll("ada")).toBe(2);
    return undefined;
  },
  async "revoked with all others of its user, one of which is spared"({ sessions, visitor }) {
    const spared = await visitor("ada");
    expect(await sessions.revokeOthers("ada", await handleOf(spared))).toBe(2);
    return { lives: [spared] };
  },
  async "revoked with everyone's"({ sessions }) {
    await sessions.revokeEveryone();
    return undefined;
  },
  async "logged out"(_, ada) {
    await ada.clone().visit((session) => session.logout());
    return undefined;
  },
  async "replaced by a rotation, its grace time over"({ clock }, ada) {
    const rotated = ada.clone();
    await rotated.visit((session) => session.rotate());
    clock.advance(11 * SECOND);
    return { lives: [rotated] };
  },
  async "replaced by another login of the same browser"(_, ada) {
    const again = ada.clone();
    await again.visit((session) => session.login("ada"));
    return { lives: [again] };
  },
  async "evicted by the limit"({ clock, visitor }) {
    clock.advance(1);
    return { lives: [await visitor("ada", { max: 2 })] };
  },
  async "dead by its idle timeout"({ clock }) {
    clock.advance(30 * MINUTE);
    return undefined;
  },
  async "dead by its absolute timeout, though it was used"({ clock }, ada) {
    for (let elapsed = 0; elapsed < DAY; elapsed += 20 * MINUTE) {
      clock.advance(20 * MINUTE);
      await ada.visit(() => {});
    }
    return undefined;
  },
};

describe.for(stores)("G1 an import after the ending, on the $name store", (kind) => {
  test.for(Object.entries(acts))("[A-08] G1 a session that was %s stays so", async ([, act]) => {
    const world = await opened(kind);
    const ada = await world.visitor("ada");
    world.clock.advance(1);
    await world.visitor("ada");
    const snapshot = await snapshotOf(world);
    const stolen = ada.clone();
    const { lives } = (await act(world, ada)) ?? { lives: [] };
    const before = await world.sessions.count();
    const result = await restore(world, snapshot);
    expect(result.records).toBe(2);
    expect(result.restored).toBe(0);
    expect(await principalOf(stolen)).toBeNull();
    for (const visitor of lives) expect(await principalOf(visitor)).toBe("ada");
    expect(await world.sessions.count()).toMatchObject({
      active: before.active,
      principals: before.principals,
    });
  });
});

describe.for(stores)("G1 an import into another store, on the $name store", (kind) => {
  test("[A-08] G1 what was revoked there for all of a user, or for everyone, does not come, what began later does", async () => {
    const from = await opened(kind);
    for (const user of ["ada", "bob"]) await from.visitor(user);
    await from.visitor();
    const snapshot = await snapshotOf(from);
    const { clock } = from;
    const [one, everyone] = [await opened(kind, { clock }), await opened(kind, { clock })];
    await one.sessions.revokeAll("ada");
    await everyone.sessions.revokeEveryone();
    expect(await restore(one, snapshot)).toMatchObject({ restored: 2, skipped: { revoked: 1 } });
    expect(await restore(everyone, snapshot)).toMatchObject({
      restored: 0,
      skipped: { revoked: 3 },
    });
    clock.advance(MINUTE);
    const later = await from.visitor("ada");
    const next = await snapshotOf(from);
    for (const world of [one, everyone]) {
      expect(await restore(world, next)).toMatchObject({ restored: 1 });
      expect(await principalOf(later.at(world.pipeline))).toBe("ada");
    }
  });

  test("[A-08] [A-09] G3 nobody alive is ended for it, and the limit of a user holds", async () => {
    const from = await opened(kind);
    for (const user of ["ada", "ada", "ada", "bob"]) await from.visitor(user);
    const to = await opened(kind, { clock: from.clock, max: 2 });
    const alive = await to.visitor("ada");
    const result = await restore(to, await snapshotOf(from));
    expect(result).toMatchObject({ restored: 2, skipped: { limit: 2 } });
    expect(await principalOf(alive)).toBe("ada");
    expect((await to.sessions.list("ada")).items).toHaveLength(2);
  });

  test("[A-08] an approval that was used after the export does not come back: it is not in it", async () => {
    const world = await opened(kind);
    const ada = await world.visitor("ada");
    const payment = { to: "bob", amount: 100 };
    const use = () => ada.visit((session) => session.useApproval("pay", payment));
    await ada.visit((session) => session.approve("pay", payment));
    const snapshot = await snapshotOf(world);
    expect(await use()).toBe(true);
    await restore(world, snapshot);
    expect(await use()).toBe(false);
  });
});
