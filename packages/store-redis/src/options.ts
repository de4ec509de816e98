/** Options of the Redis store: their meaning, their defaults, and one error for all their problems. */
import { z } from "zod";
import { SojournError, parseDuration, systemClock } from "@sojourn/core/store";
import type { Clock, Duration } from "@sojourn/core/store";

/** What the store needs of an ioredis `Redis` or `Cluster`, of version 5 or 6. */
export interface RedisClient {
  readonly status: string;
  readonly isCluster?: boolean;
  connect(): Promise<void>;
  disconnect(): void;
  evalsha(sha: string, keys: number, ...args: string[]): Promise<unknown>;
  eval(source: string, keys: number, ...args: string[]): Promise<unknown>;
  set(key: string, value: string, unit: "PX", ms: number, when: "NX"): Promise<unknown>;
  del(key: string): Promise<unknown>;
  on(event: "ready" | "close" | "end", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  off(event: "ready" | "close" | "end", listener: () => void): unknown;
}

/** Options of {@link redisStore}. Give either `client` or `url`. */
export interface RedisStoreOptions {
  /** Your ioredis `Redis` or `Cluster`, with its TLS, Sentinel and retry settings. Never closed here. */
  readonly client?: RedisClient;
  /** `redis://` or `rediss://`: the store makes a standalone client and closes it. */
  readonly url?: string;
  /** What every key begins with, without braces. Default `sojourn`. */
  readonly prefix?: string;
  /** Time source. Default: the machine's clock. */
  readonly clock?: Clock;
  /** How long an expired record stays readable as a tombstone. Default `'1h'`. */
  readonly rememberExpired?: Duration;
}

/** Options with everything filled in. */
export interface ParsedOptions {
  readonly client: RedisClient | null;
  readonly url: string | null;
  readonly prefix: string;
  readonly clock: Clock;
  /** In ms. */
  readonly rememberExpired: number;
}

/** What an option is when it is not given. */
export const DEFAULTS: Omit<ParsedOptions, "client" | "url"> = {
  prefix: "sojourn",
  clock: systemClock,
  rememberExpired: 3_600_000,
};

const has = (value: unknown, methods: readonly string[]): boolean =>
  typeof value === "object" &&
  value !== null &&
  methods.every((name) => typeof Reflect.get(value, name) === "function");

const duration = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = parseDuration(value);
  if (typeof ms === "number") return ms;
  context.addIssue({ code: "custom", message: ms.problem });
  return z.NEVER;
});

const optionsSchema: z.ZodType<Partial<ParsedOptions>> = z
  .strictObject({
    client: z
      .custom<RedisClient>(
        (client) => has(client, ["evalsha", "eval", "connect", "disconnect", "on", "off"]),
        "must be a Redis or a Cluster of ioredis",
      )
      .exactOptional(),
    url: z
      .string()
      .regex(/^rediss?:\/\/./, "must begin with redis:// or rediss://")
      .exactOptional(),
    prefix: z
      .string()
      .min(1, "must not be empty")
      .regex(/^[^{}]*$/, "must not contain braces: they choose the slot of a cluster")
      .exactOptional(),
    clock: z
      .custom<Clock>((clock) => has(clock, ["now"]), "must have a now() function")
      .exactOptional(),
    rememberExpired: duration.exactOptional(),
  })
  .refine(({ client, url }) => (client === undefined) !== (url === undefined), {
    message: "give either client or url",
  });

/**
 * Checks the options and fills in the defaults.
 * @throws SOJOURN_OPTIONS_INVALID with every problem and the option it is at; never the url
 */
export function parseOptions(options: RedisStoreOptions): ParsedOptions {
  const parsed = optionsSchema.safeParse(withoutUndefined(options));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.length === 0 ? "options" : path.join(".")}: ${message}`,
    );
    throw new SojournError("SOJOURN_OPTIONS_INVALID", `redisStore(): ${problems.join("; ")}`, {
      details: { problems },
    });
  }
  return { client: null, url: null, ...DEFAULTS, ...parsed.data };
}

function withoutUndefined(options: unknown): unknown {
  if (typeof options !== "object" || options === null) return options;
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
