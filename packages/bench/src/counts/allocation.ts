/** Bytes that a request puts on the heap. */
import type { Contender, Route } from "../contender.ts";
import { ROUTES } from "../contender.ts";
import { Load } from "../load/load.ts";
import { Child } from "../process/child.ts";
import type { HeapUse } from "../process/heap.ts";
import type { Servers } from "../servers.ts";

/** What a request puts on the heap, by route. */
export type Allocations = Partial<Record<Route, HeapUse>>;

/** How many requests are looked at. */
export interface AllocationSettings {
  readonly routes: readonly Route[];
  readonly requests: number;
  /** Before them, until the compiler has done its work. */
  readonly warmUp: number;
}

const SESSIONS = 1_000;
const CONNECTIONS = 50;

/** Measures one contender. A login leaves the session of a browser behind, so the last route is best `login`. */
export async function allocationsOf(
  contender: Contender,
  { routes, requests, warmUp }: AllocationSettings,
  servers: Servers,
): Promise<Allocations> {
  const child = await Child.start(contender, servers.places());
  const seeding = { ask: "seed", from: 0, count: SESSIONS, perUser: 1, forget: false } as const;
  const cookies = await child.ask(seeding);
  const measured: [Route, HeapUse][] = [];
  try {
    for (const route of routes.filter((each) => (contender.routes ?? ROUTES).includes(each))) {
      const load = new Load({ port: child.port, route, cookies, connections: CONNECTIONS });
      await load.run(warmUp);
      await child.ask({ ask: "count-allocation" });
      await load.run(requests);
      const { allocated, promoted } = await child.ask({ ask: "allocated" });
      measured.push([route, { allocated: allocated / requests, promoted: promoted / requests }]);
      load.stop();
    }
    return Object.fromEntries(measured);
  } finally {
    await child.stop();
  }
}
