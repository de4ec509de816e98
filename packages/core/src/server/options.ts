/** Checks the options of this folder: every problem at once, each with its path. */
import { z } from "zod";
import { SojournError } from "../errors.ts";
import type { Logger } from "../events.ts";
import { parseDuration } from "../options/duration.ts";

/** A duration, in ms when it is parsed. */
export const duration: z.ZodType<number> = z
  .union([z.number(), z.string()])
  .transform((value, context) => {
    const ms = parseDuration(value);
    if (typeof ms === "number") return ms;
    context.addIssue({ code: "custom", message: ms.problem });
    return z.NEVER;
  });

/** A function, or an object with these methods. */
export function has<T>(what: string, methods: readonly string[] = []): z.ZodType<T> {
  return z.custom<T>(
    (value) =>
      typeof value === "function" ||
      (methods.length > 0 &&
        typeof value === "object" &&
        value !== null &&
        methods.every((name) => typeof Reflect.get(value, name) === "function")),
    `must be ${what}`,
  );
}

/** A pino-like logger, or false. */
export const loggerOption: z.ZodType<Logger | false> = z.union([
  z.literal(false),
  has<Logger>("a logger with info(), warn() and error(), or false", ["info", "warn", "error"]),
]);

/** @throws SOJOURN_OPTIONS_INVALID with every problem; never with a value */
export function checked<S extends z.ZodType>(
  name: string,
  schema: S,
  options: unknown,
): z.output<S> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join(".") || "options"}: ${message}`,
  );
  throw new SojournError("SOJOURN_OPTIONS_INVALID", `${name}: ${problems.join("; ")}`, {
    details: { problems },
  });
}
