/** Tables of what was counted. */
import type { Contender, Route } from "../contender.ts";
import { ROUTES } from "../contender.ts";
import { bareOf } from "../contenders/index.ts";
import { CLOSE_ROUTES, ONE_USER, SIZES } from "../counts/run.ts";
import type { By, Counts } from "../counts/run.ts";
import type { HeapUse } from "../process/heap.ts";
import { profileTables } from "./profiles.ts";
import { figure, tableOf } from "./table.ts";
import { titleOf } from "./throughput.ts";

type ByRoute = By<Partial<Record<Route, number>>>;

/** All of them, each with its heading. */
export function countTables(counts: Counts): string[] {
  return [
    `### Commands / round trips to Redis a request\n\n${byRoute(
      counts.costs,
      (cost) => `${figure(cost.commands, 1)} / ${figure(cost.roundTrips, 1)}`,
      (name) => name.includes("redis") || name.endsWith("-cookie") || name.startsWith("floor"),
    )}`,
    `### Characters of Set-Cookie in an answer\n\n${byRoute(counts.costs, (cost) => figure(cost.setCookie))}`,
    `### KiB allocated a request, over the bare framework\n\n${overBare(heapUse(counts, "allocated"), 1_024, 1)}`,
    `### Bytes a request that come to the old space\n\n${byRoute(heapUse(counts, "promoted"), (bytes) => figure(bytes))}`,
    ...(counts.profiles ? profileTables(counts.profiles, CLOSE_ROUTES) : []),
    instructionTable(counts),
    `### Bytes a session of 500 bytes\n\n${memoryTable(counts)}`,
    `### Expiry\n\nWhile all sessions of a memory store expired at once, the longest turn of the event loop took ${figure(counts.expired.longestBlock, 1)} ms; the clean-up took ${figure(counts.expired.took)} ms.`,
    `### Growth\n\n${growthTables(counts)}`,
  ];
}

function heapUse({ allocations }: Counts, what: keyof HeapUse): ByRoute {
  return new Map(
    [...allocations].map(([contender, byRoutes]) => {
      const figures = Object.entries(byRoutes).map(([route, use]) => [route, use[what]]);
      return [contender, Object.fromEntries(figures)];
    }),
  );
}

function byRoute<Figure>(
  figures: By<Partial<Record<Route, Figure>>>,
  text: (of: Figure) => string,
  isWanted: (name: string) => boolean = () => true,
): string {
  const rows = [...figures]
    .filter(([{ name }]) => isWanted(name))
    .map(([contender, of]) => [
      nameOf(contender),
      ...ROUTES.map((route) => {
        const found = of[route];
        return found === undefined ? "–" : text(found);
      }),
    ]);
  return tableOf(["", ...ROUTES], rows);
}

function overBare(figures: ByRoute, unit: number, decimals: number): string {
  const over = new Map<Contender, Partial<Record<Route, string>>>();
  for (const [contender, of] of figures) {
    if (contender.name.startsWith("bare-")) continue;
    const bare = figures.get(bareOf(contender.framework)) ?? {};
    const texts = ROUTES.flatMap((route): [Route, string][] => {
      const [own, without] = [of[route], bare[route]];
      if (own === undefined || without === undefined) return [];
      return [[route, figure((own - without) / unit, decimals)]];
    });
    over.set(contender, Object.fromEntries(texts));
  }
  return byRoute(over, (text) => text);
}

function instructionTable({ instructions }: Counts): string {
  const heading = "### Thousands of instructions a request, over the bare framework";
  const absent = "Not counted: that needs valgrind, and more time than --quick has.";
  return `${heading}\n\n${instructions === null ? absent : overBare(instructions, 1_000, 0)}`;
}

function memoryTable({ memory }: Counts): string {
  const { sizes, bytes } = memory;
  const rows = [...bytes].map(([contender, each]) => [
    nameOf(contender),
    ...each.map((one) => figure(one)),
  ]);
  return tableOf(["sessions", ...sizes.map((size) => figure(size))], rows);
}

function growthTables({ growth, oneUser }: Counts): string {
  const reads = [...growth].map(([contender, cpu]) => [
    nameOf(contender),
    ...SIZES.map((_, index) => figure(cpu[index], 1)),
  ]);
  const logins = [
    ["memory store", ...oneUser.memory.map((each) => figure(each, 1))],
    ...(oneUser.redis ? [["Redis", ...oneUser.redis.map((each) => figure(each, 1))]] : []),
  ];
  return [
    "CPU µs of `/read`, by sessions in the store:",
    tableOf(["", ...SIZES.map((size) => figure(size))], reads),
    "µs of a login that ends its user's oldest session, by sessions of the user (of Redis: its script alone):",
    tableOf(["", ...ONE_USER.map((size) => figure(size))], logins),
  ].join("\n\n");
}

function nameOf({ title, framework }: Contender): string {
  return `${titleOf(framework)}: ${title}`;
}
