/** Tables of where the time of a request goes. */
import type { Contender, Route } from "../contender.ts";
import { FRAMEWORKS } from "../contender.ts";
import type { Profiles } from "../counts/run.ts";
import type { TimeByOwner } from "../process/profile.ts";
import { figure, tableOf } from "./table.ts";
import { titleOf } from "./throughput.ts";

/** Owners with less than this of every contender's request, in µs, are told together. */
const LITTLE = 0.4;

/** A table for each framework and route: a column for each contender, a line for each owner. */
export function profileTables(profiles: Profiles, routes: readonly Route[]): string[] {
  return FRAMEWORKS.flatMap((framework) =>
    routes.flatMap((route) => {
      const columns = [...profiles]
        .filter(([contender]) => contender.framework === framework)
        .flatMap(([contender, of]) => (of[route] ? [{ contender, times: of[route] }] : []));
      return columns.length === 0
        ? []
        : [`### Where the time goes: ${titleOf(framework)}, \`/${route}\`\n\n${tableFor(columns)}`];
    }),
  );
}

interface Column {
  readonly contender: Contender;
  readonly times: TimeByOwner;
}

function tableFor(columns: readonly Column[]): string {
  const most = new Map<string, number>();
  for (const { times } of columns)
    for (const [owner, us] of Object.entries(times))
      most.set(owner, Math.max(us, most.get(owner) ?? 0));
  const owners = [...most].toSorted(([, a], [, b]) => b - a);
  const told = owners.filter(([, us]) => us >= LITTLE).map(([owner]) => owner);
  const rest = owners.filter(([, us]) => us < LITTLE).map(([owner]) => owner);
  const sums = (whose: readonly string[]): string[] =>
    columns.map(({ times }) =>
      figure(
        whose.reduce((sum, owner) => sum + (times[owner] ?? 0), 0),
        1,
      ),
    );
  return tableOf(
    ["µs a request", ...columns.map(({ contender }) => contender.title)],
    [
      ...told.map((owner) => [owner, ...sums([owner])]),
      ...(rest.length > 0 ? [["others", ...sums(rest)]] : []),
      ["all", ...sums([...told, ...rest])],
    ],
  );
}
