/** Options of the file store: their meaning, their defaults, and one error for all their problems. */
import { resolve } from "node:path";
import { z } from "zod";
import { SojournError, parseDuration, systemClock } from "@sojourn/core/store";
import type { Clock, Duration } from "@sojourn/core/store";
import type { Durability } from "./journal.ts";

/** What was found when the store opened. */
export interface OpenReport {
  /** Records alive, of all kinds. */
  readonly records: number;
  /** Records that had expired while the file was closed; they are no longer there. */
  readonly dropped: number;
  /** Bytes of an unfinished write at the end of the file, now in `<path>.torn-<time>`. */
  readonly tornBytes: number;
  /** The earlier format version that was migrated, its original in `<path>.v0.bak`; else null. */
  readonly migratedFrom: number | null;
}

/** Options of {@link fileStore}. Only `path` is required. */
export interface FileStoreOptions {
  /** The data file, for example `./data/sessions.sojourn`. Created with its directories. */
  readonly path: string;
  /**
   * When a change counts as done. `fsync` (default): when the disk has it, also after a power cut.
   * `write`: when the system has it; survives the end of the process, not of the machine.
   */
  readonly durability?: Durability;
  /** Size in bytes from which the file is compacted, once it has doubled. Default 4 MiB. */
  readonly compactAfter?: number;
  /** Most records, tombstones included; more reject with SOJOURN_STORE_FULL. Default 1,000,000. */
  readonly maxRecords?: number;
  /**
   * A corrupt file: `refuse` (default) to open, or `set-aside`: rename it to
   * `<path>.corrupt-<time>`, warn and begin empty.
   */
  readonly onCorrupt?: "refuse" | "set-aside";
  /** Time source. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Called once when the file has been read. */
  readonly onOpen?: (report: OpenReport) => void;
  /** Called with what an operator should know. Default: a process warning. */
  readonly onWarning?: (message: string) => void;
  /** How often expired records are cleaned up: ms or such as `'60s'`, at least 1 s. Default 60,000. */
  readonly sweepEvery?: Duration;
}

/** {@link FileStoreOptions} with every default filled in, durations in ms. */
export type ParsedOptions = Required<Omit<FileStoreOptions, "sweepEvery">> & {
  readonly sweepEvery: number;
};

/** What an option is when it is not given. */
export const DEFAULTS: Omit<ParsedOptions, "path"> = {
  durability: "fsync",
  compactAfter: 4 * 1024 * 1024,
  maxRecords: 1_000_000,
  onCorrupt: "refuse",
  clock: systemClock,
  onOpen: () => {},
  onWarning: (message) => process.emitWarning(message, { type: "SojournWarning" }),
  sweepEvery: 60_000,
};

const LONGEST_TIMER_MS = 2 ** 31 - 1;
const isFunction = (value: unknown): boolean => typeof value === "function";
const callback = <T>(): z.ZodType<T> => z.custom<T>(isFunction, "must be a function");

const duration = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = parseDuration(value);
  if (typeof ms === "number") return ms;
  context.addIssue({ code: "custom", message: ms.problem });
  return z.NEVER;
});

type Given = Pick<ParsedOptions, "path"> & Partial<ParsedOptions>;
const optionsSchema: z.ZodType<Given> = z.strictObject({
  path: z
    .string()
    .min(1, "must not be empty")
    .refine((path) => !path.includes("\0"), "must not contain a NUL byte"),
  durability: z.enum(["fsync", "write"]).exactOptional(),
  compactAfter: z.number().int().min(1024).exactOptional(),
  maxRecords: z.number().int().min(1).exactOptional(),
  onCorrupt: z.enum(["refuse", "set-aside"]).exactOptional(),
  clock: z
    .custom<Clock>(
      (clock) =>
        typeof clock === "object" && clock !== null && "now" in clock && isFunction(clock.now),
      "must have a now() function",
    )
    .exactOptional(),
  onOpen: callback<(report: OpenReport) => void>().exactOptional(),
  onWarning: callback<(message: string) => void>().exactOptional(),
  sweepEvery: duration
    .refine((ms) => ms >= 1_000, "must be at least '1s'")
    .refine((ms) => ms <= LONGEST_TIMER_MS, "must be at most '24d'")
    .exactOptional(),
});

/**
 * Checks the options and fills in the defaults; `path` becomes absolute.
 * @throws SOJOURN_OPTIONS_INVALID with every problem and the option it is at.
 */
export function parseOptions(options: FileStoreOptions): ParsedOptions {
  const parsed = optionsSchema.safeParse(withoutUndefined(options));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.length === 0 ? "options" : path.join(".")}: ${message}`,
    );
    throw new SojournError("SOJOURN_OPTIONS_INVALID", `fileStore(): ${problems.join("; ")}`, {
      details: { problems },
    });
  }
  return { ...DEFAULTS, ...parsed.data, path: resolve(parsed.data.path) };
}

function withoutUndefined(options: unknown): unknown {
  if (typeof options !== "object" || options === null) return options;
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
