/** Options of the cookie store: their meaning, their defaults, and one error for all their problems. */
import { z } from "zod";
import { type Clock, type Duration, KeyRing, type KeySource } from "@sojourn/core/store";
import { parseDuration, SojournError, type Store } from "@sojourn/core/store";

/** Options of {@link cookieStore}. Only `epochs` is required. */
export interface CookieStoreOptions {
  /**
   * Where it is remembered that sessions ended: any store. Reading a session then costs two reads of it, at once. `'none'`:
   * nowhere; a session that was logged out or stolen is good until it expires, and nothing can be revoked.
   */
  readonly epochs: Store | "none";
  /** Keys that encrypt, newest first: texts of at least 32 characters, or a `KeyRing`. Default: the manager's option `secret`. */
  readonly secret?: KeySource | readonly KeySource[] | KeyRing;
  /**
   * Cookies that a session may take, of 4,096 bytes each with name and attributes; 1, the default, to 8. Node takes 16 KiB
   * of request headers and many proxies 8 KiB, unless told otherwise.
   */
  readonly chunks?: number;
  /**
   * Deflates data of 256 characters and more before it is encrypted. Default false: the length then tells of the content, also to
   * who can add to it (CRIME).
   */
  readonly compress?: boolean;
  /**
   * How old the answer may be to whether everyone's sessions ended: saves one of the two reads, and `revokeEveryone()` is noticed so
   * much later. Default 0: asked each time.
   */
  readonly everyoneEvery?: Duration;
  /** Time source. Default: that of `epochs`, else the machine's clock. */
  readonly clock?: Clock;
}

/** {@link CookieStoreOptions}, checked. */
export interface ParsedOptions {
  readonly epochs: Store | "none";
  /** Null: the manager's. */
  readonly ring: KeyRing | null;
  readonly chunks: number;
  readonly compress: boolean;
  readonly everyoneEveryMs: number;
  readonly clock: Clock | undefined;
}

const NEEDED =
  "is missing: give it a store (redisStore(), postgresStore(), fileStore() …) that remembers what was revoked; or 'none', if a session that was logged out or stolen may be good until it expires";

const METHODS = ["read", "create", "update", "flush", "close"];

const schema = z.strictObject({
  epochs: z.custom<Store | "none">((value) => value === "none" || keepsRecords(value), {
    error: ({ input }) =>
      input === undefined ? NEEDED : "must be a store that keeps records itself, or 'none'",
  }),
  secret: z
    .custom<NonNullable<CookieStoreOptions["secret"]>>((value) => value !== undefined)
    .optional(),
  chunks: z.number().int().min(1).max(8).default(1),
  compress: z.boolean().default(false),
  everyoneEvery: z
    .union([z.number(), z.string()])
    .default(0)
    .transform((value, context) => {
      const ms = parseDuration(value);
      if (typeof ms === "number") return ms;
      context.addIssue({ code: "custom", message: ms.problem });
      return z.NEVER;
    }),
  clock: z
    .custom<Clock>((value) => hasMethods(value, ["now"]), "must have a now() function")
    .optional(),
});

/** @throws SOJOURN_OPTIONS_INVALID with every problem and the option it is at */
export function parseOptions(options: CookieStoreOptions): ParsedOptions {
  const { data, error } = schema.safeParse(options ?? {});
  if (!data) {
    const problems = error.issues.map(
      ({ path, message }) => `${path.join(".") || "options"}: ${message}`,
    );
    throw new SojournError("SOJOURN_OPTIONS_INVALID", `cookieStore(): ${problems.join("; ")}`, {
      details: { problems },
    });
  }
  const { secret, everyoneEvery: everyoneEveryMs, clock, ...rest } = data;
  return { ...rest, everyoneEveryMs, clock, ring: secret === undefined ? null : ringOf(secret) };
}

/** @throws SOJOURN_OPTIONS_INVALID for a short secret, or one twice */
function ringOf(secret: NonNullable<CookieStoreOptions["secret"]>): KeyRing {
  if (secret instanceof KeyRing) return secret;
  const [newest, ...older] = isList(secret) ? secret : [secret];
  if (newest !== undefined) return new KeyRing([newest, ...older]);
  throw new SojournError("SOJOURN_OPTIONS_INVALID", "cookieStore(): secret: holds no key");
}

function isList(secret: KeySource | readonly KeySource[]): secret is readonly KeySource[] {
  return Array.isArray(secret);
}

/** A store, and not one whose records are in the browsers. */
function keepsRecords(value: unknown): boolean {
  return hasMethods(value, METHODS) && Reflect.get(Object(value), "carrier") === undefined;
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  return names.every((name) => typeof Reflect.get(value, name) === "function");
}
