/** Cleaning as it is done: each unit counted, no clock. */
import { vi } from "vitest";
import { KindTable } from "../../src/store/memory/kind.ts";

/** Looks on until mocks are restored: how many units of cleaning every kind of every table has done. */
export function watchUnits(): () => number {
  const cleanings = [
    vi.spyOn(KindTable.prototype, "expire"),
    vi.spyOn(KindTable.prototype, "forget"),
    vi.spyOn(KindTable.prototype, "convert"),
  ];
  return () => {
    const results = cleanings.flatMap(({ mock }) => mock.results);
    return results.reduce((sum, { value }) => sum + Number(value), 0);
  };
}

/** The most units between two turns of the event loop while something runs. */
export async function mostInOneTurn(work: () => Promise<unknown>): Promise<number> {
  const units = watchUnits();
  let most = 0;
  let before = 0;
  const look = (): void => {
    most = Math.max(most, units() - before);
    before = units();
  };
  let turn = setImmediate(function next() {
    look();
    turn = setImmediate(next);
  });
  await work();
  clearImmediate(turn);
  look();
  return most;
}
