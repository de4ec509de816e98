/** A logged-in visitor on a store whose operations can be held, and every way for a session to end. */
import type { Store } from "../../src/store/contract.ts";
import { memoryStore } from "../../src/store/memory/store.ts";
import type { Browser } from "./browser.ts";
import { fakeClock, MINUTE } from "./clock.ts";
import { Gate } from "./intercept.ts";
import { must, world, type World } from "./world.ts";

export interface Gated extends World {
  readonly gate: Gate;
  readonly visitor: Browser;
}

/** The visitor is `ada`. `around`: what else is to be put around the store. */
export async function gated(
  options: Parameters<typeof world>[0] = {},
  around: (store: Store) => Store = (store) => store,
): Promise<Gated> {
  const clock = fakeClock();
  const gate = new Gate(memoryStore({ clock }));
  const made = world({ ...options, clock, store: around(gate.store) });
  const visitor = made.browser();
  await visitor.visit((session) => session.set("a", 1) && session.login("ada"));
  return { ...made, gate, visitor };
}

/** How a session ends, by another request or from outside. */
export const ENDINGS: [name: string, end: (made: Gated) => unknown][] = [
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
