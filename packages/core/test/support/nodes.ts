/** Two processes on one store with `onStoreError: 'local'`, whose lines to it can be cut. Needs fake timers. */
import { vi } from "vitest";
import type { SessionOptions } from "../../src/options/types.ts";
import type { Store } from "../../src/store/contract.ts";
import { Line, sharedStore } from "./away.ts";
import type { Browser, TestSession } from "./browser.ts";
import { type FakeClock, fakeClock } from "./clock.ts";
import { Gate, settled } from "./intercept.ts";
import { Bus, withSignals } from "./signals.ts";
import { must, world, type World } from "./world.ts";

/** One process. */
export interface Node extends World {
  readonly line: Line;
}

/** See the top of the file. */
export interface Nodes {
  readonly clock: FakeClock;
  readonly bus: Bus;
  readonly shared: Store;
  readonly here: Node;
  readonly there: Node;
}

/** Fakes what time goes by; to be undone by `vi.useRealTimers()`. */
export function fakeTimers(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
}

/** Makes both. `around`: what else is to be put around the shared store, for `here` alone. */
export function nodes(
  options: SessionOptions = {},
  around: (store: Store) => Store = (store) => store,
): Nodes {
  const clock = fakeClock();
  const bus = new Bus();
  const shared = sharedStore(clock);
  const node = (store: Store): Node => {
    const line = new Line(store);
    const its = { storeDeadline: "20ms", breaker: false, onStoreError: "local" } as const;
    return { ...world({ ...its, ...options, clock, store: withSignals(line.store, bus) }), line };
  };
  return { clock, bus, shared, here: node(around(shared)), there: node(shared) };
}

/** As {@link nodes}; what `here` asks the shared store can be held back. */
export function gatedNodes(options: SessionOptions = {}): Nodes & { readonly gate: Gate } {
  const gates: Gate[] = [];
  const made = nodes(options, (store) => {
    const gate = new Gate(store);
    gates.push(gate);
    return gate.store;
  });
  return { ...made, gate: must(gates[0]) };
}

/** What {@link standing} says of a session that is not let in. */
export const REFUSED: RegExp = /^(SOJOURN_STORE_(UNAVAILABLE|TIMEOUT)|ended: \w+|nobody)$/;
/** The backlog of a process is cleared within this time, in ms. */
export const RETRY = 300;

/** Lets time go by until the work is done. */
export async function finish<T>(work: Promise<T>): Promise<T> {
  const state = { isDone: false };
  const done = (): void => void (state.isDone = true);
  work.then(done, done);
  while (!state.isDone) await vi.advanceTimersByTimeAsync(5);
  return work;
}

/** Clock and timers move on. */
export async function pass({ clock }: Pick<Nodes, "clock">, ms: number): Promise<void> {
  clock.advance(ms);
  await vi.advanceTimersByTimeAsync(ms);
  await settled(3);
}

/** A browser that is logged in at a process, and that the process has read since. */
export async function loggedIn(node: World, principal: string = "ada"): Promise<Browser> {
  const visitor = node.browser();
  await visitor.visit((session) => session.set("a", 1) && session.login(principal));
  await visitor.visit(() => {});
  return visitor;
}

/** A whole request, however long it takes. */
export function visit<T>(
  visitor: Browser,
  handler: (session: TestSession) => T | Promise<T>,
): Promise<T> {
  return finish(visitor.visit(handler));
}

/** What a browser is taken for: a principal, `ended`, `nobody`, or the code of the error. */
export async function standing(visitor: Browser): Promise<string> {
  try {
    const { session } = await finish(visitor.clone().open());
    return session.principal ?? (session.ending ? `ended: ${session.ending.why}` : "nobody");
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** The handle of a browser's session. */
export async function handleOf(visitor: Browser): Promise<string> {
  const { session } = await finish(visitor.clone().open());
  return must(session.handle);
}
