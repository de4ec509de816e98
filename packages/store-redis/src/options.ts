/** Options of the Redis store: their meaning, their defaults, and one error for all their problems. */
import { z } from "zod";
import { SojournError, parseDuration, systemClock } from "@sojourn/core/store";
import type { Clock, Duration } from "@sojourn/core/store";
import { parseUrl } from "./url.ts";
import type { Address } from "./url.ts";

/** What the store needs of an ioredis `Redis` or `Cluster`, of version 5 or 6. */
export interface RedisClient {
  readonly status: string;
  readonly isCluster?: boolean;
  connect(): Promise<void>;
  disconnect(): void;
  evalsha(sha: string, keys: number, ...args: (string | number)[]): Promise<unknown>;
  eval(source: string, keys: number, ...args: (string | number)[]): Promise<unknown>;
  set(key: string, value: string, unit: "PX", ms: number, when: "NX"): Promise<unknown>;
  del(key: string): Promise<unknown>;
  on(event: "ready" | "close" | "end", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  off(event: "ready" | "close" | "end", listener: () => void): unknown;
  readonly options?: {
    readonly keyPrefix?: string | undefined;
    readonly db?: number | undefined;
    readonly host?: string | undefined;
    readonly port?: number | undefined;
    readonly sentinels?: unknown;
    readonly failoverDetector?: boolean | undefined;
  };
  /** Of a `Redis`: its socket, where it has one. */
  readonly stream?: unknown;
  /** The next ones serve messages between processes and start-up advice, where they are there. */
  info?(): Promise<string>;
  time?(): Promise<readonly (number | string)[]>;
  publish?(channel: string, text: string): Promise<unknown>;
  spublish?(channel: string, text: string): Promise<unknown>;
  /** Of a `Redis`; of a `Cluster`, its `nodes` have it. */
  duplicate?(override?: object): unknown;
  nodes?(role?: "all" | "master" | "slave"): readonly unknown[];
  refreshSlotsCache?(): void;
  /** Of a `Cluster`: for each slot the addresses of its nodes, the master first. */
  readonly slots?: readonly (readonly string[] | undefined)[];
}

/** Options of the near cache. */
export interface NearOptions {
  /** The most records kept; default 10,000. */
  readonly entries?: number;
  /**
   * How old at most what is served can be when the servers' messages do not come any more; `'200ms'` to `'60s'`,
   * default `'2s'`. Where they come, a change is known within milliseconds.
   */
  readonly staleness?: Duration;
}

/** The same with everything filled in. */
export interface NearSettings {
  readonly entries: number;
  /** In ms. */
  readonly staleness: number;
}

/** Options of {@link redisStore}. Give either `client` or `url`. */
export interface RedisStoreOptions {
  /** Your ioredis `Redis` or `Cluster`, with its TLS, Sentinel and retry settings. Never closed here. */
  readonly client?: RedisClient;
  /**
   * `redis://user:password@host:port/db`, `redis+sentinel://host,host/master/db` or
   * `redis+cluster://host,host`; `rediss…` for TLS. The store makes the client and closes it.
   */
  readonly url?: string;
  /** What every key begins with, without braces. Default `sojourn`. */
  readonly prefix?: string;
  /** Time source. Default: the machine's clock. */
  readonly clock?: Clock;
  /** How long an expired record stays readable as a tombstone. Default `'1h'`. */
  readonly rememberExpired?: Duration;
  /**
   * Whether the processes tell each other of logins and endings by pub/sub, on one connection more.
   * Default true; false for an ACL without channels.
   */
  readonly events?: boolean;
  /**
   * Keeps sessions that were read in this process, and has the servers tell of every change (`CLIENT TRACKING`): reads
   * without a round trip. Default false. See docs/guides/redis.md for what may be late, and by how much.
   */
  readonly near?: boolean | NearOptions;
}

/** Options with everything filled in. */
export interface ParsedOptions {
  readonly client: RedisClient | null;
  /** Where to connect to, without a client. */
  readonly address: Address | null;
  readonly prefix: string;
  readonly clock: Clock;
  /** In ms. */
  readonly rememberExpired: number;
  readonly events: boolean;
  /** Null: none. */
  readonly near: NearSettings | null;
}

/** What an option is when it is not given. */
export const DEFAULTS: Omit<ParsedOptions, "client" | "address"> = {
  prefix: "sojourn",
  clock: systemClock,
  rememberExpired: 3_600_000,
  events: true,
  near: null,
};

const NEAR: NearSettings = { entries: 10_000, staleness: 2_000 };

/** True for an object with these methods. */
export function has(value: unknown, methods: readonly string[]): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    methods.every((name) => typeof Reflect.get(value, name) === "function")
  );
}

const duration = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = parseDuration(value);
  if (typeof ms === "number") return ms;
  context.addIssue({ code: "custom", message: ms.problem });
  return z.NEVER;
});

const address = z.string().transform((url, context) => {
  const found = parseUrl(url);
  if (!("problem" in found)) return found;
  context.addIssue({ code: "custom", message: found.problem });
  return z.NEVER;
});

const optionsSchema = z
  .strictObject({
    client: z
      .custom<RedisClient>(
        (client) => has(client, ["evalsha", "eval", "connect", "disconnect", "on", "off"]),
        "must be a Redis or a Cluster of ioredis",
      )
      .exactOptional(),
    url: address.exactOptional(),
    prefix: z
      .string()
      .min(1, "must not be empty")
      .regex(/^[^{}]*$/, "must not contain braces: they choose the slot of a cluster")
      .exactOptional(),
    clock: z
      .custom<Clock>((clock) => has(clock, ["now"]), "must have a now() function")
      .exactOptional(),
    rememberExpired: duration.exactOptional(),
    events: z.boolean().exactOptional(),
    near: z
      .union([
        z.boolean(),
        z.strictObject({
          entries: z.int().min(1).exactOptional(),
          staleness: duration
            .refine((ms) => ms >= 200 && ms <= 60_000, "must be '200ms' to '60s'")
            .exactOptional(),
        }),
      ])
      .exactOptional(),
  })
  .refine(({ client, url }) => (client === undefined) !== (url === undefined), {
    message: "give either client or url",
  })
  .refine(({ client, near = false }) => near === false || !client || canListen(client), {
    path: ["near"],
    message: "needs a client that has duplicate(), or is a Cluster of ioredis",
  });

/** Whether connections of its own can be made to where a client goes. */
function canListen(client: RedisClient): boolean {
  return has(client, client.isCluster ? ["nodes"] : ["duplicate"]);
}

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
  const { client = null, url = null, near: asked = false, ...rest } = parsed.data;
  const near = asked === false ? null : { ...NEAR, ...(asked === true ? {} : asked) };
  return { ...DEFAULTS, ...rest, client, address: url, near };
}

function withoutUndefined(options: unknown): unknown {
  if (typeof options !== "object" || options === null) return options;
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
