/** Brings the tables to the present format, once however many processes start at the same time. */
import { SojournError } from "@sojourn/core/store";
import { namesFor } from "./names.ts";
import type { Names } from "./names.ts";
import { parseSchemaOptions } from "./options.ts";
import type { PostgresClient, SchemaOptions } from "./options.ts";
import { MIGRATIONS } from "./sql/migrations.ts";
import type { Migration } from "./sql/migrations.ts";

/** What a migration is told. */
export interface MigrationSettings {
  readonly names: Names;
  /** False: look, and change nothing. */
  readonly migrate: boolean;
  /** The steps of this release. */
  readonly migrations?: readonly Migration[];
}

/**
 * Looks at the format of the tables, and migrates them where that is needed and allowed. All or
 * nothing: DDL is transactional in Postgres.
 * @throws SOJOURN_STORE_NEWER_FORMAT, and nothing was touched; SOJOURN_STORE_UNAVAILABLE where they are
 * absent or older and `migrate` is false
 */
export async function migrate(client: PostgresClient, settings: MigrationSettings): Promise<void> {
  const { names, migrations = MIGRATIONS } = settings;
  if (await isPresent(client, names, migrations)) return;
  if (!settings.migrate) throw outdated(names);
  await client.query({ text: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE" });
  try {
    await client.query({
      text: "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
      values: [`sojourn migration ${names.at("meta")}`],
    });
    if (!(await isPresent(client, names, migrations)))
      await bringForward(client, names, migrations);
    await client.query({ text: "COMMIT" });
  } catch (error) {
    await client.query({ text: "ROLLBACK" }).catch(() => {});
    throw error;
  }
}

/**
 * The SQL that makes the tables, for whoever runs it instead of the store; see the option `migrate`.
 * @throws SOJOURN_OPTIONS_INVALID
 */
export function postgresSchema(options: SchemaOptions = {}): string {
  const { schema, table } = parseSchemaOptions(options);
  const names = namesFor(schema, table);
  const head = schema === "public" ? "" : `CREATE SCHEMA IF NOT EXISTS "${schema}";\n`;
  return `BEGIN;\n${head}${stepsFrom(0, names, MIGRATIONS)}COMMIT;\n`;
}

async function isPresent(
  client: PostgresClient,
  names: Names,
  migrations: readonly Migration[],
): Promise<boolean> {
  const version = await versionOf(client, names);
  if (version > migrations.length) throw newer(names, version, migrations.length);
  return version === migrations.length;
}

/** 0: there are no tables. Not by `to_regclass`: within a transaction that may answer from a cache. */
async function versionOf(client: PostgresClient, { schema, table, at }: Names): Promise<number> {
  const there = await client.query({
    text: "SELECT count(*) AS n FROM pg_tables WHERE schemaname = $1 AND tablename = $2",
    values: [schema, `${table}_meta`],
  });
  if (Number(field(there, "n")) === 0) return 0;
  const latest = await client.query({ text: `SELECT max(version) AS n FROM ${at("meta")}` });
  return Number(field(latest, "n"));
}

async function bringForward(
  client: PostgresClient,
  names: Names,
  migrations: readonly Migration[],
): Promise<void> {
  const { schema } = names;
  const known = await client.query({
    text: "SELECT count(*) AS n FROM pg_namespace WHERE nspname = $1",
    values: [schema],
  });
  // even IF NOT EXISTS asks for a right on the database that is not needed otherwise
  if (Number(field(known, "n")) === 0) await client.query({ text: `CREATE SCHEMA "${schema}"` });
  const version = await versionOf(client, names);
  await client.query({ text: stepsFrom(version, names, migrations) });
}

function stepsFrom(version: number, names: Names, migrations: readonly Migration[]): string {
  const meta = names.at("meta");
  const columns = "version integer PRIMARY KEY, migrated_at timestamptz NOT NULL DEFAULT now()";
  const first = version === 0 ? `CREATE TABLE ${meta} (${columns});\n` : "";
  const steps = migrations.map(
    (step, index) => `${step(names)}INSERT INTO ${meta} (version) VALUES (${index + 1});\n`,
  );
  return first + steps.slice(version).join("");
}

function field({ rows }: { readonly rows: readonly unknown[] }, name: string): unknown {
  const [row] = rows;
  return typeof row === "object" && row !== null ? Reflect.get(row, name) : undefined;
}

function newer({ schema, table }: Names, version: number, known: number): SojournError {
  return new SojournError(
    "SOJOURN_STORE_NEWER_FORMAT",
    `The tables ${table}_… in the schema ${schema} are of format ${version}, and this release knows ${known}: ` +
      "run the release of @sojourn/store-postgres that made them; nothing was touched",
    { details: { version, known } },
  );
}

function outdated({ schema, table }: Names): SojournError {
  return new SojournError(
    "SOJOURN_STORE_UNAVAILABLE",
    `The tables ${table}_… in the schema ${schema} are absent or of an older format, and the option migrate is false: ` +
      "run the SQL of postgresSchema(), or let the store migrate",
  );
}
