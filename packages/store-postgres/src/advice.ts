/** Start-up advice: what of the server's settings breaks a promise, what it costs, what to do. */
import { clockAdvice, systemClock } from "@sojourn/core/store";
import type { Advice, Clock } from "@sojourn/core/store";
import type { Connection } from "./connection.ts";
import type { Names } from "./names.ts";

const OLDEST_VERSION = 130_000;
/** Connections that a server must have left for others than this pool. */
const SPARE_CONNECTIONS = 5;
/** Of the table of records: primary key, handles, owners, due. */
const INDEXES = 4;

/** What the server says of itself. */
interface Facts {
  readonly version: string;
  readonly version_number: number;
  readonly encoding: string;
  readonly replica: boolean;
  readonly read_only: string;
  readonly isolation: string;
  readonly fsync: string;
  readonly synchronous_commit: string;
  readonly max_connections: number;
  readonly indexes: number;
  readonly now: number;
}

const question = (names: Names): string => `
SELECT current_setting('server_version') AS version,
  current_setting('server_version_num')::integer AS version_number,
  current_setting('server_encoding') AS encoding,
  pg_is_in_recovery() AS replica,
  current_setting('default_transaction_read_only') AS read_only,
  current_setting('default_transaction_isolation') AS isolation,
  current_setting('fsync') AS fsync,
  current_setting('synchronous_commit') AS synchronous_commit,
  current_setting('max_connections')::integer AS max_connections,
  (SELECT count(*)::integer FROM pg_index i WHERE i.indrelid = '${names.at("records")}'::regclass
    AND i.indisvalid AND i.indisready) AS indexes,
  extract(epoch FROM clock_timestamp())::double precision * 1000 AS now`;

/** Asks the server. Rejects only with what the connection says. */
export async function adviceFor(connection: Connection, clock: Clock): Promise<readonly Advice[]> {
  const { pool, names } = connection;
  await connection.open();
  const sent = systemClock.now();
  const [row] = await connection.ask("look at its settings", { text: question(names) }, []);
  const received = systemClock.now();
  const facts = row as Facts;
  const found = [
    versionAdvice(facts),
    replicaAdvice(facts),
    durabilityAdvice(facts),
    isolationAdvice(facts),
    encodingAdvice(facts),
    indexAdvice(facts, names),
    connectionsAdvice(facts, pool.options?.max),
    clock === systemClock ? clockAdvice({ there: facts.now, sent, received }) : null,
  ];
  return found.filter((advice) => advice !== null);
}

function versionAdvice({ version, version_number }: Facts): Advice | null {
  if (version_number >= OLDEST_VERSION) return null;
  return {
    topic: "version",
    message: `The server is of version ${version}, on which this store was never tried. Use Postgres 13 or later.`,
  };
}

function replicaAdvice({ replica, read_only }: Facts): Advice | null {
  if (!replica && read_only === "off") return null;
  const what = replica ? "a replica" : "read-only (default_transaction_read_only)";
  return {
    topic: "replica",
    message:
      `The server is ${what}: nothing can be written, and what a replica says may be old. ` +
      "Connect to the primary.",
  };
}

function durabilityAdvice({ fsync, synchronous_commit }: Facts): Advice | null {
  if (fsync === "off") {
    return {
      topic: "durability",
      message:
        "fsync is off: after a crash of the machine the database may be damaged. Set it to on in postgresql.conf.",
    };
  }
  if (synchronous_commit !== "off") return null;
  return {
    topic: "durability",
    message:
      "synchronous_commit is off: after a crash the last changes are gone, a logout among them. " +
      "ALTER ROLE … SET synchronous_commit = on, for the store's user at least.",
  };
}

function isolationAdvice({ isolation }: Facts): Advice | null {
  if (isolation === "read committed") return null;
  return {
    topic: "isolation",
    message:
      `default_transaction_isolation is "${isolation}": logging in and revoking will fail, for limits need to see what ` +
      "others have committed. ALTER ROLE … SET default_transaction_isolation = 'read committed'.",
  };
}

function encodingAdvice({ encoding }: Facts): Advice | null {
  if (encoding === "UTF8") return null;
  return {
    topic: "encoding",
    message:
      `The database is encoded in ${encoding}: names and data with characters that it lacks are refused, or kept wrongly. ` +
      "Use a database that was created with ENCODING 'UTF8'.",
  };
}

function indexAdvice({ indexes }: Facts, names: Names): Advice | null {
  if (indexes >= INDEXES) return null;
  return {
    topic: "index",
    message:
      `${INDEXES - indexes} of the ${INDEXES} indexes of ${names.at("records")} are missing or invalid: operations read the ` +
      "whole table, and handles may be given twice. Compare with postgresSchema(), and REINDEX or create them.",
  };
}

function connectionsAdvice({ max_connections }: Facts, max: number | undefined): Advice | null {
  if (max === 1) {
    return {
      topic: "connections",
      message:
        "The pool has one connection, and listening to other processes keeps one: nothing else would get through. " +
        "Give the pool a max of 2 at least, or the store `events: false`.",
    };
  }
  if (max === undefined || max + SPARE_CONNECTIONS <= max_connections) return null;
  return {
    topic: "connections",
    message:
      `The pool may open ${max} connections of the server's ${max_connections}, and every process has a pool: ` +
      "others will be refused (53300). Lower the pool's max, raise max_connections, or put a pooler in between.",
  };
}
