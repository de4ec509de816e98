/** Throughput and CPU time over the bare framework. */
import type { Contender, Framework, Route } from "../contender.ts";
import { FRAMEWORKS, ROUTES } from "../contender.ts";
import { bareOf } from "../contenders/index.ts";
import type { Sample, Samples } from "../load/rounds.ts";
import { medianOf, spreadOf } from "../statistics.ts";
import type { Spread } from "../statistics.ts";
import { figure, tableOf } from "./table.ts";

/** What the rounds say of a contender on a route. */
export interface Standing {
  readonly contender: Contender;
  /** Its rate divided by that of the bare framework in the same round. */
  readonly ofBare: Spread;
  /** Median, in requests a second. */
  readonly rate: number;
  /** Median of the differences to the bare framework in the same round, in µs a request. */
  readonly cpuOverBare: number;
}

/** Who was measured beside the bare framework, in the order of the contenders. */
export function standingsOf(samples: Samples, framework: Framework, route: Route): Standing[] {
  const bare = samples.get(bareOf(framework))?.[route] ?? [];
  return [...samples].flatMap(([contender, of]) => {
    const own = of[route] ?? [];
    const pairs = own.flatMap((sample, round): [Sample, Sample][] => {
      const beside = bare[round];
      return beside ? [[sample, beside]] : [];
    });
    if (contender.framework !== framework || pairs.length === 0) return [];
    return {
      contender,
      ofBare: spreadOf(pairs.map(([sample, beside]) => sample.rate / beside.rate)),
      rate: medianOf(own.map(({ rate }) => rate)),
      cpuOverBare: medianOf(pairs.map(([sample, beside]) => sample.cpu - beside.cpu)),
    };
  });
}

const HEAD = ["", "of bare", "quartiles", "requests/s", "CPU µs over bare"];

/** A table for each framework and route. */
export function throughputTables(samples: Samples): string[] {
  return FRAMEWORKS.flatMap((framework) =>
    ROUTES.flatMap((route) => {
      const rows = standingsOf(samples, framework, route).map(
        ({ contender, ofBare: { median, lower, upper }, rate, cpuOverBare }) => [
          contender.title,
          figure(median, 2),
          `${figure(lower, 2)} to ${figure(upper, 2)}`,
          figure(rate),
          figure(cpuOverBare),
        ],
      );
      return rows.length === 0
        ? []
        : `### ${titleOf(framework)}, \`/${route}\`\n\n${tableOf(HEAD, rows)}`;
    }),
  );
}

/** The name that the framework gives itself. */
export function titleOf(framework: Framework): string {
  return framework === "fastify" ? "Fastify" : "Express";
}
