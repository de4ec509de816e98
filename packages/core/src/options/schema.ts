/** Checks the options: every problem at once, each with its path. */
import { z } from "zod";
import { type CookieOptions, cookieProblems } from "../cookie/spec.ts";
import { SojournError } from "../errors.ts";
import { type MaxSessions, ON_LIMIT } from "../policy/admission.ts";
import { beyondPreset, withPreset } from "../policy/presets.ts";
import type { BreakerOptions } from "../store/breaker.ts";
import type { OnLimit } from "../store/contract.ts";
import { isExternalKey, KeyRing, type KeySource, MIN_SECRET_LENGTH } from "../keys/key-ring.ts";
import { BREAKER_DEFAULTS, DEFAULTS } from "./defaults.ts";
import { beyondCarrier } from "./carried.ts";
import { parseDuration } from "./duration.ts";
import type { Binding, ClearSiteData, OnStoreError, SessionOptions } from "./types.ts";

const duration = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = parseDuration(value);
  if (typeof ms === "number") return ms;
  context.addIssue({ code: "custom", message: ms.problem });
  return z.NEVER;
});
const positive = duration.refine((ms) => ms > 0, "must be longer than 0");

const KEY = `must be a text of at least ${MIN_SECRET_LENGTH} characters, as many bytes, or an object with id, sign() and verify(); make a secret with: openssl rand -base64 32`;

/** A key ring, as it is given or made from what is. */
const keyRing = z.unknown().transform((value, context): KeyRing => {
  if (value instanceof KeyRing) return value;
  const sources: readonly unknown[] = Array.isArray(value) ? value : [value];
  for (const [index, source] of sources.entries()) {
    if (!isKeySource(source)) context.addIssue({ code: "custom", path: [index], message: KEY });
  }
  const [newest, ...older] = sources.filter(isKeySource);
  if (newest === undefined || context.issues.length > 0) {
    if (sources.length === 0) context.addIssue({ code: "custom", message: "holds no key" });
    return z.NEVER;
  }
  if (new Set(sources.map(identityOf)).size === sources.length)
    return new KeyRing([newest, ...older]);
  context.addIssue({ code: "custom", message: "holds a key twice" });
  return z.NEVER;
});

function identityOf(source: unknown): unknown {
  return source instanceof Uint8Array ? Buffer.from(source).toString() : source;
}

function isKeySource(value: unknown): value is KeySource {
  if (typeof value === "string" || value instanceof Uint8Array)
    return value.length >= MIN_SECRET_LENGTH;
  return isExternalKey(value);
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === "function");
}

function fn<T>(what: string): z.ZodType<T> {
  return z.custom<T>((value) => typeof value === "function", `must be a function: ${what}`);
}

const STORE_METHODS = [
  "read",
  "create",
  "adopt",
  "update",
  "touch",
  "replace",
  "end",
  "endOwner",
  "close",
] as const;

const cookie = z
  .strictObject({
    name: z.string().optional(),
    path: z.string().optional(),
    domain: z.string().optional(),
    secure: z.union([z.boolean(), z.literal("auto")]).optional(),
    sameSite: z.enum(["lax", "strict", "none"]).optional(),
    httpOnly: z.boolean().optional(),
    persistent: z.boolean().optional(),
    partitioned: z.boolean().optional(),
    priority: z.enum(["low", "medium", "high"]).optional(),
  })
  .superRefine((options, context) => {
    for (const [path, message] of cookieProblems(options))
      context.addIssue({ code: "custom", path: [path], message });
  });

const breakerSettings = z
  .strictObject({
    failures: z.number().int().min(1).default(BREAKER_DEFAULTS.failures),
    pause: duration
      .refine((ms) => ms >= 100 && ms <= 60_000, "must be from '100ms' to '60s'")
      .prefault(BREAKER_DEFAULTS.pause),
  })
  .transform(({ failures, pause }) => ({ failures, pauseMs: pause }));

/** No union: that would not say what is wrong within the object. */
const breaker = z.unknown().transform((value, context): BreakerOptions | null => {
  if (value === false) return null;
  const { data, error } = breakerSettings.safeParse(value);
  for (const { path, message } of error?.issues ?? [])
    context.addIssue({ code: "custom", path, message });
  return data ?? z.NEVER;
});

const options = z
  .strictObject({
    secret: keyRing.optional(),
    encryption: z
      .union([
        z.boolean(),
        z.strictObject({
          keys: keyRing.optional(),
          compress: z.boolean().default(false),
          acceptPlain: z.boolean().default(false),
        }),
      ])
      .default(false),
    store: z
      .custom<NonNullable<SessionOptions["store"]>>(
        (value) => hasMethods(value, STORE_METHODS),
        "must be a store, for example memoryStore() or fileStore({ path })",
      )
      .optional(),
    cookie: cookie.prefault({}),
    preset: z.enum(["aal1", "aal2", "aal3"]).optional(),
    justification: z.string().min(10, "must be a sentence").optional(),
    idle: positive.nullable().prefault(DEFAULTS.idle),
    onIdle: z.enum(["end", "lock"]).default(DEFAULTS.onIdle),
    binding: z.enum(["ignore", "report", "step-up", "revoke"]).default(DEFAULTS.binding),
    deviceCookie: z.boolean().default(DEFAULTS.deviceCookie),
    clearSiteData: z
      .union([
        z.boolean(),
        z.array(z.enum(["cache", "cookies", "storage", "executionContexts", "*"])).min(1),
      ])
      .default(DEFAULTS.clearSiteData),
    absolute: positive.prefault(DEFAULTS.absolute),
    touchAfter: duration.optional(),
    grace: duration.refine((ms) => ms <= 60_000, "must be at most '60s'").prefault(DEFAULTS.grace),
    max: z
      .union([
        z.number().int().min(0),
        fn<Exclude<SessionOptions["max"], number | undefined>>("(principal) => number"),
      ])
      .default(DEFAULTS.max),
    onLimit: z.enum(ON_LIMIT).default(DEFAULTS.onLimit),
    principal: fn<NonNullable<SessionOptions["principal"]>>("(data) => user id or null").optional(),
    privileges: fn<NonNullable<SessionOptions["privileges"]>>(
      "(data) => list of privileges",
    ).optional(),
    schema: z
      .custom<NonNullable<SessionOptions["schema"]>>(
        (value) => typeof value === "object" && value !== null && "~standard" in value,
        "must be a Standard Schema, for example z.object({ … })",
      )
      .optional(),
    namespace: z.string().max(64).default(DEFAULTS.namespace),
    storeDeadline: positive
      .refine((ms) => ms <= 600_000, "must be at most '10m'")
      .prefault(DEFAULTS.storeDeadline),
    onStoreError: z.enum(["fail", "anonymous", "local"]).default(DEFAULTS.onStoreError),
    staleFor: positive
      .refine((ms) => ms <= 60_000, "must be at most '60s'")
      .prefault(DEFAULTS.staleFor),
    breaker: breaker.prefault({}),
    logger: z
      .custom<NonNullable<SessionOptions["logger"]>>(
        (value) => value === false || hasMethods(value, ["debug", "info", "warn", "error"]),
        "must be a pino-like logger with debug, info, warn and error, or false",
      )
      .optional(),
    audit: z
      .custom<NonNullable<SessionOptions["audit"]>>(
        (value) => typeof value === "function" || hasMethods(value, ["info", "warn"]),
        "must be a function (record) => void, or a pino-like logger",
      )
      .optional(),
    metrics: z
      .custom<NonNullable<SessionOptions["metrics"]>>(
        (value) => hasMethods(value, ["add", "observe"]),
        "must have functions add(name, value, labels) and observe(name, value, labels)",
      )
      .optional(),
    clock: z
      .custom<NonNullable<SessionOptions["clock"]>>(
        (value) => hasMethods(value, ["now"]),
        "must have a function now()",
      )
      .optional(),
    generateSecret:
      fn<NonNullable<SessionOptions["generateSecret"]>>("() => 32 random bytes").optional(),
  })
  .superRefine((checked, context) => {
    const { idle, absolute, touchAfter, preset, justification, store } = checked;
    if (store?.carrier) {
      for (const [path, message] of beyondCarrier(checked))
        context.addIssue({ code: "custom", path: [path], message });
    }
    if (preset !== undefined && justification === undefined) {
      for (const [path, message] of beyondPreset(preset, { idle, absolute }))
        context.addIssue({ code: "custom", path: [path], message });
    }
    if (idle !== null && idle > absolute) {
      context.addIssue({
        code: "custom",
        path: ["idle"],
        message: `is longer than absolute (${absolute} ms), which would always end the session first`,
      });
    }
    if (idle !== null && touchAfter !== undefined && touchAfter >= idle) {
      context.addIssue({
        code: "custom",
        path: ["touchAfter"],
        message: `must be shorter than idle (${idle} ms), or sessions in use would die`,
      });
    }
  });

type Plain =
  | "store"
  | "principal"
  | "privileges"
  | "schema"
  | "logger"
  | "metrics"
  | "audit"
  | "preset"
  | "justification"
  | "clock"
  | "generateSecret";

/** Options after the check: defaults filled in, durations in ms. */
export interface CheckedOptions extends Pick<SessionOptions, Plain> {
  readonly secret?: KeyRing | undefined;
  readonly encryption:
    | boolean
    | {
        readonly keys?: KeyRing | undefined;
        readonly compress: boolean;
        readonly acceptPlain: boolean;
      };
  readonly cookie: CookieOptions;
  readonly idle: number | null;
  readonly onIdle: "end" | "lock";
  readonly binding: Binding;
  readonly deviceCookie: boolean;
  readonly clearSiteData: boolean | readonly ClearSiteData[];
  readonly absolute: number;
  readonly touchAfter?: number | undefined;
  readonly grace: number;
  readonly max: MaxSessions;
  readonly onLimit: OnLimit;
  readonly namespace: string;
  readonly storeDeadline: number;
  readonly onStoreError: OnStoreError;
  readonly staleFor: number;
  readonly breaker: BreakerOptions | null;
}

/** @throws SOJOURN_OPTIONS_INVALID listing every problem with the option's path */
export function checkOptions(given: SessionOptions): CheckedOptions {
  const isObject = typeof given === "object" && given !== null;
  const result = options.safeParse(isObject ? withPreset(given) : given);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (issue) => `${issue.path.join(".") || "options"}: ${issue.message}`,
  );
  throw new SojournError(
    "SOJOURN_OPTIONS_INVALID",
    `the session options are wrong:\n  - ${problems.join("\n  - ")}\n`,
    {
      details: { problems },
    },
  );
}
