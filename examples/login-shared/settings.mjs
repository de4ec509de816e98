/** Settings from the environment: all checked at once, and every bad variable told by its name. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULTS, memoryStore } from "@sojourn/core";
import { parseDuration } from "@sojourn/core/store";
import { fileStore } from "@sojourn/store-file";
import { postgresStore } from "@sojourn/store-postgres";
import { redisStore } from "@sojourn/store-redis";
import { z } from "zod";
import { createAtomically, readIfThere } from "./files.mjs";

/** NaN where it is none, which is neither longer nor shorter than anything. */
const ms = (duration) => Number(parseDuration(duration ?? ""));
const duration = z
  .string()
  .refine((text) => !Number.isNaN(ms(text)), "must be a duration such as 30m, 12h or 90s");
const lasting = duration.refine((text) => ms(text) !== 0, "must be longer than 0");
const whole = (words, most = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d+$/, words)
    .transform(Number)
    .refine((number) => number <= most, words);

/** One start tells all that there is to repair. */
const ALSO_WITH_OTHER_PROBLEMS = { when: () => true };

/** The variables. Messages say what one should be, never what it is: it may be a secret. */
const VARIABLES = z
  .object({
    SESSION_STORE: z
      .enum(["memory", "file", "redis", "postgres"], "must be memory, file, redis or postgres")
      .optional(),
    REDIS_URL: z
      .string()
      .regex(
        /^rediss?(\+sentinel|\+cluster)?:\/\/./,
        "must begin with redis://, redis+sentinel:// or redis+cluster://, or with rediss for TLS",
      )
      .optional(),
    DATABASE_URL: z
      .string()
      .regex(/^postgres(ql)?:\/\/./, "must begin with postgres:// or postgresql://")
      .optional(),
    SESSION_SECRET: z
      .string()
      .transform((ring) => ring.split(",").map((secret) => secret.trim()))
      .refine(
        (ring) => ring.every((secret) => secret.length >= 32),
        "must hold secrets of at least 32 characters each, separated by commas; make one with: openssl rand -base64 32",
      )
      .optional(),
    SESSION_IDLE: lasting.default(DEFAULTS.idle),
    SESSION_ABSOLUTE: lasting.default(DEFAULTS.absolute),
    SESSION_TOUCH_AFTER: duration.optional(),
    SESSION_MAX_CONCURRENT: whole("must be a whole number; 0 is unlimited").default(3),
    PORT: whole("must be a port, 0 to 65535", 65_535).optional(),
    HOST: z.string().default("127.0.0.1"),
    TRUST_PROXY: z.string().optional(),
    SOJOURN_DATA: z.string().optional(),
    NODE_ENV: z.string().optional(),
  })
  .superRefine((values, context) => {
    const bad = (name, message) => context.addIssue({ code: "custom", path: [name], message });
    const { SESSION_IDLE: idle, SESSION_ABSOLUTE: absolute, SESSION_TOUCH_AFTER: touch } = values;
    if (values.SESSION_STORE === "redis" && values.REDIS_URL === undefined)
      bad(
        "REDIS_URL",
        "is missing, and SESSION_STORE is redis; for example redis://localhost:6379",
      );
    if (values.SESSION_STORE === "postgres" && values.DATABASE_URL === undefined)
      bad(
        "DATABASE_URL",
        "is missing, and SESSION_STORE is postgres; for example postgres://localhost:5432/app",
      );
    if (values.NODE_ENV === "production" && values.SESSION_SECRET === undefined)
      bad("SESSION_SECRET", "is missing, and NODE_ENV is production");
    if (ms(idle) > ms(absolute)) bad("SESSION_IDLE", "must not be longer than SESSION_ABSOLUTE");
    if (ms(touch) >= ms(idle)) bad("SESSION_TOUCH_AFTER", "must be shorter than SESSION_IDLE");
  }, ALSO_WITH_OTHER_PROBLEMS);

/**
 * The settings that the variables say. `folder` is where data is kept unless one says otherwise.
 * @throws one Error that names every bad variable and says what it should be
 */
export function readSettings(environment, folder) {
  const given = Object.entries(environment).filter(([, value]) => value !== "");
  const { data, error } = VARIABLES.safeParse(Object.fromEntries(given));
  if (error) {
    const problems = error.issues.map(({ path, message }) => `\n  ${path.join(".")} ${message}`);
    throw new Error(`These settings cannot be used:${problems.join("")}`);
  }
  return {
    production: data.NODE_ENV === "production",
    host: data.HOST,
    port: data.PORT,
    trustProxy: data.TRUST_PROXY ?? false,
    dataDir: data.SOJOURN_DATA ?? folder,
    storeName: data.SESSION_STORE ?? "file",
    redisUrl: data.REDIS_URL,
    databaseUrl: data.DATABASE_URL,
    secret: data.SESSION_SECRET,
    idle: data.SESSION_IDLE,
    absolute: data.SESSION_ABSOLUTE,
    touchAfter: data.SESSION_TOUCH_AFTER,
    max: data.SESSION_MAX_CONCURRENT,
  };
}

/** The options of `sessionPlugin` and `sessionMiddleware`. `clock` is for tests. */
export async function sessionOptions(settings, { clock } = {}) {
  const { idle, absolute, touchAfter, max, dataDir } = settings;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const secret = settings.secret ?? (await keptSecret(dataDir));
  return { store: openStore(settings, clock), secret, idle, absolute, touchAfter, max };
}

function openStore({ storeName, dataDir, redisUrl, databaseUrl }, clock) {
  switch (storeName) {
    case "memory":
      return memoryStore({ clock });
    case "redis":
      return opened("REDIS_URL", () => redisStore({ url: redisUrl, clock }));
    case "postgres":
      return opened("DATABASE_URL", () => postgresStore({ url: databaseUrl, clock }));
    default:
      return fileStore({ path: join(dataDir, "sessions.sojourn"), clock });
  }
}

/** What is wrong with a URL that only begins well; the store's message does not hold it. */
function opened(variable, open) {
  try {
    return open();
  } catch (error) {
    throw new Error(`These settings cannot be used:\n  ${variable}: ${error.message}`, {
      cause: error,
    });
  }
}

/** For development: a secret made once and kept beside the data, so that a restart logs nobody out. */
async function keptSecret(dataDir) {
  const path = join(dataDir, "secret");
  await createAtomically(path, randomBytes(32).toString("base64url"));
  return readIfThere(path);
}
