/** The errors of the Postgres store: what Postgres or pg said, as a code and what to do. */
import { SojournError, isSojournError } from "@sojourn/core/store";
import { WRONG_ISOLATION } from "./sql/admitting.ts";

type ErrorCode = SojournError["code"];

/** SQLSTATEs (Postgres manual, appendix A) and Node's codes, the code for them, and what to do. */
const KNOWN: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [
    /^(?:57P0.|08...|ECONN.*|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENOENT)$/,
    "SOJOURN_STORE_UNAVAILABLE",
    "check that the server runs and can be reached; the store goes on by itself when it is back",
  ],
  [
    /^53300$/,
    "SOJOURN_STORE_UNAVAILABLE",
    "the server has no connection left: see max_connections, and the `max` of every pool that uses it",
  ],
  [
    /^25006$/,
    "SOJOURN_STORE_UNAVAILABLE",
    "this server is a replica or read-only, as after a failover: connect to the primary (target_session_attrs, or your pooler)",
  ],
  [
    /^(?:28...|3D000|42501)$/,
    "SOJOURN_STORE_UNAVAILABLE",
    "check user, password, database and rights: see the guide for the rights that are needed",
  ],
  [
    /^(?:3F000|42P01|42883|42704|42703|42P18)$/,
    "SOJOURN_STORE_UNAVAILABLE",
    "the store's tables or functions are not there, or not as they were: open the store again, or run the SQL of postgresSchema()",
  ],
  [
    /^(?:26000|42P05)$/,
    "SOJOURN_STORE_UNAVAILABLE",
    "a pooler mixes up prepared statements: let it track them (PgBouncer 1.21: max_prepared_statements), or pool sessions",
  ],
  [
    new RegExp(`^${WRONG_ISOLATION}$`),
    "SOJOURN_STORE_UNAVAILABLE",
    "limits need READ COMMITTED, the default: do not set default_transaction_isolation for this user",
  ],
  [
    /^(?:57014|55P03)$/,
    "SOJOURN_STORE_TIMEOUT",
    "statement_timeout or lock_timeout is over: see pg_stat_activity for who holds what",
  ],
  [/^53100$/, "SOJOURN_STORE_FULL", "the server's disk is full: make room"],
  [
    /^(?:40...|53200|58...)$/,
    "SOJOURN_STORE_WRITE_FAILED",
    "nothing was written; see the server's log",
  ],
  [/^54...$/, "SOJOURN_DATA_TOO_LARGE", "keep large data elsewhere and its key in the session"],
  [
    /^22.../,
    "SOJOURN_DATA_INVALID",
    "the database cannot keep this text: its encoding should be UTF8 (SHOW server_encoding)",
  ],
  [
    /^(?:23...|P0001)$/,
    "SOJOURN_STORE_WRITE_FAILED",
    "a constraint or a trigger that is not the store's refused this; nothing was written",
  ],
  [/^XX00[12]$/, "SOJOURN_STORE_CORRUPT", "its data is damaged, see its log; nothing was written"],
];

const TAKEN = "23505";
const UNREACHABLE = "check that the server runs and can be reached; the store goes on by itself";

/** The SQLSTATE of an error, or Node's code; an AggregateError (several addresses) has it inside. */
export function stateOf(thrown: unknown): string | null {
  if (typeof thrown !== "object" || thrown === null) return null;
  const code: unknown = Reflect.get(thrown, "code");
  if (typeof code === "string") return code;
  const inner: unknown = Reflect.get(thrown, "errors");
  return Array.isArray(inner) && inner.length > 0 ? stateOf(inner[0]) : null;
}

/** What was thrown, as a `SojournError`; `operation` is the store's. */
export function toSojournError(operation: string, thrown: unknown): SojournError {
  if (isSojournError(thrown)) return thrown;
  const state = stateOf(thrown);
  if (state === TAKEN) return exists();
  const [, code, advice] = KNOWN.find(([pattern]) => pattern.test(state ?? "")) ?? [
    null,
    "SOJOURN_STORE_UNAVAILABLE" as const,
    UNREACHABLE,
  ];
  const cause = withoutDetails(thrown);
  const what = state === null ? cause.message : `${state} ${cause.message}`;
  return new SojournError(code, `Postgres could not ${operation} (${what}): ${advice}`, {
    cause,
    details: { operation },
  });
}

/** No connection could be had in time; `because` in a few words. */
export function unavailable(operation: string, because: string): SojournError {
  return new SojournError(
    "SOJOURN_STORE_UNAVAILABLE",
    `Postgres could not ${operation}: ${because}`,
    { details: { operation } },
  );
}

/** The server owes an answer for too long. */
export function hung(operation: string, ms: number): SojournError {
  return new SojournError(
    "SOJOURN_STORE_TIMEOUT",
    `Postgres could not ${operation}: no answer within ${ms} ms, so that its connection was given up; ` +
      "see pg_stat_activity for what it waits for, and the network",
    { details: { operation } },
  );
}

/** The store was closed. */
export function closed(): SojournError {
  return new SojournError(
    "SOJOURN_STORE_CLOSED",
    "The Postgres store was closed: open another one, or close it after the last request",
  );
}

/** Something in the database is not what this store wrote. */
export function corrupt(problem: string): SojournError {
  return new SojournError(
    "SOJOURN_STORE_CORRUPT",
    `Postgres holds ${problem}: something else has written into the store's tables; it was left as it is`,
  );
}

/** A key or a handle is taken. */
function exists(): SojournError {
  return new SojournError(
    "SOJOURN_RECORD_EXISTS",
    "A record or a tombstone has this key or this handle already: create records with fresh random ones",
  );
}

/** pg hangs what Postgres said about rows and values on its errors; it must reach no log. */
function withoutDetails(thrown: unknown): Error {
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
  const state = stateOf(thrown);
  const text = message === "" ? (state ?? name) : message;
  return Object.assign(new Error(text.slice(0, 200)), { name, ...(state && { code: state }) });
}
