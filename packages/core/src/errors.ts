/** Every error of Sojourn: one class, a closed list of codes, a message for the person at 3 a.m. */

/**
 * The closed list of error codes; each has a section in `docs/errors.md`.
 * Callers switch on `error.code`, never on the message.
 */
export const ERROR_CODES = [
  "SOJOURN_OPTIONS_INVALID",
  "SOJOURN_DATA_UNSERIALISABLE",
  "SOJOURN_DATA_INVALID",
  "SOJOURN_DATA_TOO_LARGE",
  "SOJOURN_NAME_RESERVED",
  "SOJOURN_PRINCIPAL_INVALID",
  "SOJOURN_NOT_LOGGED_IN",
  "SOJOURN_REAUTHENTICATION_REQUIRED",
  "SOJOURN_LEVEL_INVALID",
  "SOJOURN_LIMIT_REACHED",
  "SOJOURN_SESSION_ENDED",
  "SOJOURN_SESSION_LOCKED",
  "SOJOURN_UPDATE_CONFLICT",
  "SOJOURN_RECORD_EXISTS",
  "SOJOURN_STORE_UNAVAILABLE",
  "SOJOURN_STORE_TIMEOUT",
  "SOJOURN_STORE_CLOSED",
  "SOJOURN_STORE_FULL",
  "SOJOURN_STORE_LOCKED",
  "SOJOURN_STORE_CORRUPT",
  "SOJOURN_STORE_NEWER_FORMAT",
  "SOJOURN_STORE_WRITE_FAILED",
  "SOJOURN_STORE_UNSUPPORTED",
  "SOJOURN_KEY_UNKNOWN",
  "SOJOURN_SNAPSHOT_INVALID",
  "SOJOURN_CSRF_REJECTED",
  "SOJOURN_ADAPTER_MISUSE",
] as const;

/** One of the codes of {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** HTTP status of the codes that an HTTP answer makes sense for; every other code answers 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  SOJOURN_NOT_LOGGED_IN: 401,
  SOJOURN_REAUTHENTICATION_REQUIRED: 401,
  SOJOURN_SESSION_LOCKED: 401,
  SOJOURN_CSRF_REJECTED: 403,
  SOJOURN_LIMIT_REACHED: 409,
  SOJOURN_SESSION_ENDED: 409,
  SOJOURN_STORE_UNSUPPORTED: 501,
  SOJOURN_UPDATE_CONFLICT: 503,
  SOJOURN_STORE_UNAVAILABLE: 503,
  SOJOURN_STORE_TIMEOUT: 503,
  SOJOURN_STORE_CLOSED: 503,
  SOJOURN_STORE_FULL: 503,
  SOJOURN_STORE_WRITE_FAILED: 503,
  SOJOURN_KEY_UNKNOWN: 503,
};

/**
 * What was thrown, or an error in the place of nothing: a framework that is told of `undefined` goes on as if all were well.
 */
export function thrownError(thrown: unknown): unknown {
  return (
    thrown || new Error("something went wrong, and what was thrown is no error", { cause: thrown })
  );
}

const RETRY_AFTER_SECONDS = "2";

/** What a {@link SojournError} may carry beside its message. */
export interface ErrorDetails {
  /** The error that led here. */
  readonly cause?: unknown;
  /** Facts for the program that catches it: never a token, a key or session data. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The one error class. `statusCode` is what an HTTP answer should say (express, fastify and most
 * error handlers honour it); a 503 carries `headers: { 'Retry-After' }`.
 */
export class SojournError extends Error {
  override readonly name: string = "SojournError";
  /** Stable code, from {@link ERROR_CODES}. */
  readonly code: ErrorCode;
  /** HTTP status for this error. */
  readonly statusCode: number;
  /** Response headers that belong to the status, or undefined. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** Facts for programs; see {@link ErrorDetails}. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, { cause, details }: ErrorDetails = {}) {
    super(`${message} [${code}]`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.statusCode = STATUS[code] ?? 500;
    this.headers = this.statusCode === 503 ? { "Retry-After": RETRY_AFTER_SECONDS } : undefined;
    this.details = details ?? {};
  }
}

/** True for an error of Sojourn, also one from another copy of this module. */
export function isSojournError(error: unknown): error is SojournError {
  return error instanceof Error && "code" in error && ERROR_CODES.includes(error.code as ErrorCode);
}
