/** The laws of the store contract as cases that any test runner can run. */
import type { Store } from "@sojourn/core/store";
import type { Bench, Check, ConformanceCase, ConformanceOptions, DurableCheck } from "./case.ts";
import { manualClock } from "./clock.ts";
import { adoption, durableAdoption, sparing } from "./laws/adopt.ts";
import { consume } from "./laws/consume.ts";
import { copies } from "./laws/copies.ts";
import { durable } from "./laws/durable.ts";
import { expiry, grace } from "./laws/expiry.ts";
import { failures } from "./laws/failures.ts";
import { indexTruth } from "./laws/index-truth.ts";
import { limits } from "./laws/limits.ts";
import { modelled } from "./laws/model.ts";
import { names } from "./laws/names.ts";
import { readOnly } from "./laws/read-only.ts";
import { resurrection } from "./laws/resurrection.ts";

export type { ConformanceCase, ConformanceOptions } from "./case.ts";
export { manualClock, type ManualClock } from "./clock.ts";

const CHECKS: readonly Check[] = [
  ...copies,
  ...resurrection,
  ...indexTruth,
  ...modelled,
  ...readOnly,
  ...limits,
  ...consume,
  ...failures,
  ...expiry,
  ...grace,
  ...names,
  ...adoption,
  ...sparing,
];

const DURABLE: readonly DurableCheck[] = [...durable, ...durableAdoption];

/**
 * The cases for one store. Each opens a store of its own and closes it, so they may run in any
 * order. They need no test runner: call `run()` in a test of any.
 */
export function conformance(options: ConformanceOptions): readonly ConformanceCase[] {
  const bind = (
    { law, name }: Check | DurableCheck,
    run: () => Promise<void>,
  ): ConformanceCase => ({
    law,
    name: `${options.name}: law ${law}: ${name}`,
    run,
  });
  const cases = CHECKS.map((check) => bind(check, async () => runCheck(options, check)));
  const { reopen } = options;
  if (reopen === undefined) return cases;
  return [
    ...cases,
    ...DURABLE.map((check) => bind(check, async () => runDurable({ ...options, reopen }, check))),
  ];
}

async function setUp({ open, maxRaces = 200 }: ConformanceOptions): Promise<Bench> {
  const clock = manualClock();
  const store = await opened(await open(clock));
  return {
    store,
    clock,
    async race(rounds, round) {
      for (let index = 0; index < Math.min(rounds, maxRaces); index += 1) await round(index);
    },
  };
}

async function opened(store: Store): Promise<Store> {
  await store.open?.();
  return store;
}

async function runCheck(options: ConformanceOptions, { check }: Check): Promise<void> {
  const bench = await setUp(options);
  try {
    await check(bench);
  } finally {
    await bench.store.close();
  }
}

async function runDurable(
  options: ConformanceOptions & { reopen: NonNullable<ConformanceOptions["reopen"]> },
  { fill }: DurableCheck,
): Promise<void> {
  const bench = await setUp(options);
  const verify = await filled(bench, fill);
  const store = await opened(await options.reopen(bench.store, bench.clock));
  try {
    await verify(store);
  } finally {
    await store.close();
  }
}

async function filled(
  bench: Bench,
  fill: DurableCheck["fill"],
): Promise<(reopened: Store) => Promise<void>> {
  try {
    return await fill(bench);
  } finally {
    await bench.store.close();
  }
}
