/** The errors of the Redis store: what Redis or ioredis said, as a code and what to do. */
import { SojournError, isSojournError } from "@sojourn/core/store";

type ErrorCode = SojournError["code"];

/** What an error's message begins with or contains, the code for it, and what to do. */
const KNOWN: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [
    /^OOM /,
    "SOJOURN_STORE_FULL",
    "Redis is at its maxmemory: give it more, or shorten the absolute timeout; its maxmemory-policy should be noeviction",
  ],
  [
    /^LOADING /,
    "SOJOURN_STORE_UNAVAILABLE",
    "Redis is loading its data after a start; it will answer when that is done",
  ],
  [
    /^(?:READONLY|MASTERDOWN|UNBLOCKED) /,
    "SOJOURN_STORE_UNAVAILABLE",
    "this server is a replica, as after a failover: connect through Sentinel or Cluster, and do not read from replicas",
  ],
  [
    /(?:^|: )CLUSTERDOWN /,
    "SOJOURN_STORE_UNAVAILABLE",
    "the cluster does not cover all slots: see CLUSTER INFO",
  ],
  [
    /(?:^|: )(?:TRYAGAIN|ASK) |: MOVED /,
    "SOJOURN_STORE_UNAVAILABLE",
    "a slot is being moved; trying again helps",
  ],
  [
    /^(?:MOVED |CROSSSLOT )|Script attempted to access (?:a non local key|keys that do not hash to)/,
    "SOJOURN_STORE_UNAVAILABLE",
    "the server is part of a cluster: pass a Cluster of ioredis, not a Redis",
  ],
  [
    /^(?:MISCONF|NOREPLICAS) /,
    "SOJOURN_STORE_WRITE_FAILED",
    "Redis refuses to write because it cannot save or replicate: see its log and INFO persistence",
  ],
  [
    /^(?:NOAUTH|WRONGPASS|NOPERM) |user executing the script can't/,
    "SOJOURN_STORE_UNAVAILABLE",
    "check user, password and ACL: the store runs scripts (EVALSHA, EVAL) on keys that begin with its prefix",
  ],
  [
    /^BUSY /,
    "SOJOURN_STORE_UNAVAILABLE",
    "a script of somebody blocks Redis: see SLOWLOG, SCRIPT KILL",
  ],
  [
    /^(?:WRONGTYPE |SOJOURNCORRUPT )/,
    "SOJOURN_STORE_CORRUPT",
    "something else has written under the store's prefix; the key was left as it is",
  ],
  [
    /^SOJOURNNEWER /,
    "SOJOURN_STORE_NEWER_FORMAT",
    "a later release of @sojourn/store-redis wrote this record; it was left as it is: use that release",
  ],
  [
    /unexpected symbol near '#'/,
    "SOJOURN_STORE_UNAVAILABLE",
    "this server is too old: Redis 7 or Valkey 7.2 at least",
  ],
  [
    /^Command timed out/,
    "SOJOURN_STORE_TIMEOUT",
    "the client's commandTimeout is over: see SLOWLOG and the network",
  ],
];

const UNREACHABLE =
  "check that the server runs and can be reached; the client reconnects by itself";

/** The code at the head of a scripts' own errors, for a key or a handle that is taken. */
const EXISTS = /^SOJOURNEXISTS/;

/** What was thrown, as a `SojournError`; `operation` is the store's. */
export function toSojournError(operation: string, thrown: unknown): SojournError {
  if (isSojournError(thrown)) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (EXISTS.test(message)) return exists();
  const [, code, advice] = KNOWN.find(([pattern]) => pattern.test(message)) ?? [
    null,
    "SOJOURN_STORE_UNAVAILABLE" as const,
    UNREACHABLE,
  ];
  return new SojournError(code, `Redis could not ${operation} (${brief(message)}): ${advice}`, {
    cause: withoutArguments(thrown),
    details: { operation },
  });
}

/** The connection is not there; `why` from the client. */
export function unavailable(operation: string, status: string, cause?: Error): SojournError {
  const because = cause === undefined ? "" : `, ${brief(cause.message)}`;
  return new SojournError(
    "SOJOURN_STORE_UNAVAILABLE",
    `Redis could not ${operation}: the connection is "${status}"${because}; ${UNREACHABLE}`,
    { cause: cause === undefined ? undefined : withoutArguments(cause), details: { operation } },
  );
}

/** The store was closed. */
export function closed(): SojournError {
  return new SojournError(
    "SOJOURN_STORE_CLOSED",
    "The Redis store was closed: open another one, or close it after the last request",
  );
}

/** Something in Redis is not what this store wrote. */
export function corrupt(problem: string, cause?: unknown): SojournError {
  return new SojournError(
    "SOJOURN_STORE_CORRUPT",
    `Redis holds ${problem}: something else has written under the store's prefix; it was left as it is`,
    { cause: cause === undefined ? undefined : withoutArguments(cause) },
  );
}

/** A key or a handle is taken. */
export function exists(): SojournError {
  return new SojournError(
    "SOJOURN_RECORD_EXISTS",
    "A record or a tombstone has this key or this handle already: create records with fresh random ones",
  );
}

/** ioredis hangs the command with all its arguments on its errors; they must reach no log. */
function withoutArguments(thrown: unknown): Error {
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
  return Object.assign(new Error(brief(message)), { name });
}

function brief(message: string): string {
  return message.replace(/ script: [0-9a-f]{40}.*$/s, "").slice(0, 200);
}
