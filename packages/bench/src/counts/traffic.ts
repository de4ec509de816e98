/** What one request costs beside time: commands, round trips, and characters of Set-Cookie. */
import type { Contender, Route } from "../contender.ts";
import { ROUTES } from "../contender.ts";
import { requestFor } from "../load/request.ts";
import { Child } from "../process/child.ts";
import { userName } from "../session-data.ts";
import { openLink } from "./link.ts";
import type { Link, Traffic } from "./link.ts";
import type { Servers } from "../servers.ts";

/** What a request to a route costs. Fractions: not every request costs the same. */
interface RequestCost extends Traffic {
  /** Characters of the `Set-Cookie` values of an answer; 0: none is set. */
  readonly setCookie: number;
}

/** The cost of each route that the contender serves. */
export type Costs = Partial<Record<Route, RequestCost>>;

/** Requests that are looked at; those before them load scripts and statements. */
const REQUESTS = 10;
const FIRST = 3;

/** Asks one contender, request by request. */
export async function costsOf(contender: Contender, servers: Servers): Promise<Costs> {
  const places = servers.places();
  const link = await openLink(servers.portOf(contender.needs[0]));
  const child = await Child.start(contender, {
    redis: through(places.redis, contender.needs[0] === "redis" ? link : null),
    postgres: through(places.postgres, contender.needs[0] === "postgres" ? link : null),
  });
  try {
    const costs: [Route, RequestCost][] = [];
    for (const route of contender.routes ?? ROUTES)
      costs.push([route, await costOf(child, link, route)]);
    return Object.fromEntries(costs);
  } finally {
    await child.stop();
    link.close();
  }
}

/** Of sessions that were read before, as those of a visitor who goes on are. */
async function costOf(child: Child, link: Link, route: Route): Promise<RequestCost> {
  const total = FIRST + REQUESTS;
  const seeding = { ask: "seed", from: 0, count: total, perUser: 1, forget: false } as const;
  const cookies = await child.ask(seeding);
  for (const cookie of cookies) await ask(child, "read", cookie);
  let setCookie = 0;
  for (const [index, cookie] of cookies.entries()) {
    if (index === FIRST) {
      await link.restart();
      setCookie = 0;
    }
    const user = route === "login" ? userName(total + index) : undefined;
    for (const each of await ask(child, route, cookie, user)) setCookie += each.length;
  }
  const { commands, roundTrips } = await link.traffic();
  return {
    commands: commands / REQUESTS,
    roundTrips: roundTrips / REQUESTS,
    setCookie: setCookie / REQUESTS,
  };
}

/** Asks once. Resolves to the values of `Set-Cookie`. @throws Error for any answer but 200 */
async function ask(
  { port, contender }: Child,
  ...what: Parameters<typeof requestFor>
): Promise<string[]> {
  const { path, ...request } = requestFor(...what);
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, request);
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`${contender.name}, ${path}: ${answer.status}`);
  return answer.headers.getSetCookie();
}

/** The same address by way of the link. */
function through(url: string, link: Link | null): string {
  if (link === null || url === "") return url;
  const address = new URL(url);
  address.port = String(link.port);
  return address.href;
}
