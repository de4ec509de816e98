/** Whose code the time of a request goes to. */
import type { Contender, Route } from "../contender.ts";
import { Load } from "../load/load.ts";
import { Child } from "../process/child.ts";
import type { TimeByOwner } from "../process/profile.ts";
import type { Servers } from "../servers.ts";

const SESSIONS = 1_000;
const CONNECTIONS = 50;
/** Until the compiler has done its work, which is not sampled. */
const WARM_UP = 30_000;
const REQUESTS = 40_000;

/** µs a request by whose code it was. */
export async function profileOf(
  contender: Contender,
  route: Route,
  servers: Servers,
): Promise<TimeByOwner> {
  const child = await Child.start(contender, servers.places());
  try {
    const seeding = { ask: "seed", from: 0, count: SESSIONS, perUser: 1, forget: false } as const;
    const cookies = await child.ask(seeding);
    const load = new Load({ port: child.port, route, cookies, connections: CONNECTIONS });
    await load.run(WARM_UP);
    await child.ask({ ask: "sample" });
    await load.run(REQUESTS);
    const times = await child.ask({ ask: "sampled" });
    return Object.fromEntries(Object.entries(times).map(([owner, us]) => [owner, us / REQUESTS]));
  } finally {
    await child.stop();
  }
}
