/** A watched session: two managers on one store, with messages between them. Needs fake timers. */
import { expect, vi } from "vitest";
import type { Ending } from "../../src/store/contract.ts";
import { gated, type Gated } from "./gated.ts";
import { settled } from "./intercept.ts";
import { Bus, withSignals } from "./signals.ts";
import { must, world, type World } from "./world.ts";

/** The visitor is `ada`. */
export interface Watched extends Gated {
  readonly bus: Bus;
  /** Another manager on the same store. */
  readonly other: World;
  /** Moves clock and timers on. */
  pass(ms: number): Promise<void>;
}

/** Makes both managers, and the visitor's session. */
export async function watched(options: Parameters<typeof world>[0] = {}): Promise<Watched> {
  const bus = new Bus();
  const made = await gated(options, (store) => withSignals(store, bus));
  const other = world({ ...options, clock: made.clock, store: made.store });
  const pass = async (ms: number): Promise<void> => {
    made.clock.advance(ms);
    await vi.advanceTimersByTimeAsync(ms);
    await settled(3);
  };
  return { ...made, bus, other, pass };
}

/** Begins to watch the visitor's session. */
export async function watch(
  { visitor }: Gated,
  { sessions }: World,
  options?: { every?: string },
): Promise<{ endings: Ending[]; stop: () => void }> {
  const handle = must(await visitor.clone().visit((session) => session.handle));
  const endings: Ending[] = [];
  const stop = sessions.watch(handle, (ending) => endings.push(ending), options);
  await settled(3);
  expect(endings).toEqual([]);
  return { endings, stop };
}
