/** Options of the Postgres store: their meaning, their defaults, and one error for all their problems. */
import { z } from "zod";
import { SojournError, parseDuration, systemClock } from "@sojourn/core/store";
import type { Clock, Duration } from "@sojourn/core/store";
import { IDENTIFIER, LONGEST_SCHEMA, LONGEST_TABLE } from "./names.ts";
import { isAddress } from "./pool.ts";

/** A query as the store asks it. */
export interface PostgresQuery {
  /** Of the prepared statement; a connection parses each name once. */
  readonly name?: string;
  readonly text: string;
  readonly values?: unknown[];
}

/** What the store needs of a client that a pool gives out. */
export interface PostgresClient {
  query(query: PostgresQuery): Promise<{ readonly rows: readonly unknown[] }>;
  /** Gives it back; with true its connection is closed. */
  release(destroy?: boolean): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  on(event: "notification", listener: (message: PostgresNotification) => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  removeListener(event: "end", listener: () => void): unknown;
  removeListener(event: "notification", listener: (message: PostgresNotification) => void): unknown;
}

/** What arrives on a channel. */
export interface PostgresNotification {
  readonly channel: string;
  readonly payload?: string | undefined;
}

/** What the store needs of a `Pool` of pg. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "connect", listener: (client: PostgresClient) => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  removeListener(event: "connect", listener: (client: PostgresClient) => void): unknown;
  end(): Promise<void>;
  /** These tell why there was no connection to be had. */
  readonly totalCount?: number;
  readonly options?: { readonly max?: number | undefined };
}

/** Options of {@link postgresStore}. Give either `pool` or `url`. */
export interface PostgresStoreOptions {
  /** Your `Pool` of pg, with its TLS and its size. Never closed here. */
  readonly pool?: PostgresPool;
  /** `postgres://user:password@host:port/database?sslmode=…`. The store makes a pool and closes it. */
  readonly url?: string;
  /** The schema of everything that the store makes. Default `public`. */
  readonly schema?: string;
  /** What the name of every table, index and function begins with. Default `sojourn`. */
  readonly table?: string;
  /**
   * Whether `open` makes or updates the tables. Default true; false where the store's user may not,
   * and somebody else runs {@link postgresSchema}.
   */
  readonly migrate?: boolean;
  /**
   * How long an operation waits for a connection; then it is refused, and not sent later. Default
   * `'1500ms'`: less than the manager's `storeDeadline`, so that nothing happens after it gave up.
   */
  readonly connectWithin?: Duration;
  /** Time source. Default: the machine's clock. */
  readonly clock?: Clock;
  /** How often expired records are cleared away, on the average. Default `'1m'`. */
  readonly reapEvery?: Duration;
  /**
   * Whether the processes tell each other of logins and endings by LISTEN and NOTIFY, on one
   * connection of the pool. Default true; false behind a pooler of transactions.
   */
  readonly events?: boolean;
}

/** Options with everything filled in. */
export interface ParsedOptions {
  readonly pool: PostgresPool | null;
  /** Where to connect to, without a pool. */
  readonly url: string | null;
  readonly schema: string;
  readonly table: string;
  readonly migrate: boolean;
  /** In ms. */
  readonly connectWithin: number;
  readonly clock: Clock;
  /** In ms. */
  readonly reapEvery: number;
  readonly events: boolean;
}

/** What an option is when it is not given. */
export const DEFAULTS: Omit<ParsedOptions, "pool" | "url"> = {
  schema: "public",
  table: "sojourn",
  migrate: true,
  connectWithin: 1_500,
  clock: systemClock,
  reapEvery: 60_000,
  events: true,
};

const duration = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = parseDuration(value);
  if (typeof ms === "number" && ms > 0) return ms;
  context.addIssue({ code: "custom", message: typeof ms === "number" ? "is zero" : ms.problem });
  return z.NEVER;
});

const identifier = (longest: number): z.ZodString =>
  z
    .string()
    .max(longest, `must not be longer than ${longest} characters`)
    .regex(IDENTIFIER, "must be letters, digits and _, and not begin with a digit");

const optionsSchema = z
  .strictObject({
    pool: z
      .custom<PostgresPool>(
        (pool) => has(pool, ["connect", "on", "removeListener", "end"]),
        "must be a Pool of pg",
      )
      .exactOptional(),
    url: z
      .string()
      .refine(isAddress, "must be postgres://user:password@host:port/database")
      .exactOptional(),
    schema: identifier(LONGEST_SCHEMA).exactOptional(),
    table: identifier(LONGEST_TABLE).exactOptional(),
    migrate: z.boolean().exactOptional(),
    connectWithin: duration.exactOptional(),
    clock: z
      .custom<Clock>((clock) => has(clock, ["now"]), "must have a now() function")
      .exactOptional(),
    reapEvery: duration.exactOptional(),
    events: z.boolean().exactOptional(),
  })
  .refine(({ pool, url }) => (pool === undefined) !== (url === undefined), {
    message: "give either pool or url",
  });

/**
 * Checks the options and fills in the defaults.
 * @throws SOJOURN_OPTIONS_INVALID with every problem and the option it is at; never the url
 */
export function parseOptions(options: PostgresStoreOptions): ParsedOptions {
  const { pool = null, url = null, ...rest } = checked("postgresStore", optionsSchema, options);
  return { ...DEFAULTS, ...rest, pool, url };
}

/** Which tables: what {@link postgresSchema} is asked for. */
export type SchemaOptions = Pick<PostgresStoreOptions, "schema" | "table">;

const schemaSchema = z.strictObject({
  schema: identifier(LONGEST_SCHEMA).exactOptional(),
  table: identifier(LONGEST_TABLE).exactOptional(),
});

/** As {@link parseOptions}, for the names alone. */
export function parseSchemaOptions(options: SchemaOptions): Required<SchemaOptions> {
  const { schema, table } = DEFAULTS;
  return { schema, table, ...checked("postgresSchema", schemaSchema, options) };
}

function checked<S extends z.ZodType>(name: string, schema: S, options: unknown): z.output<S> {
  const parsed = schema.safeParse(withoutUndefined(options));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.length === 0 ? "options" : path.join(".")}: ${message}`,
  );
  throw new SojournError("SOJOURN_OPTIONS_INVALID", `${name}(): ${problems.join("; ")}`, {
    details: { problems },
  });
}

function has(value: unknown, methods: readonly string[]): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    methods.every((name) => typeof Reflect.get(value, name) === "function")
  );
}

function withoutUndefined(options: unknown): unknown {
  if (typeof options !== "object" || options === null) return options;
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
