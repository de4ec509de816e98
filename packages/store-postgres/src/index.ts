/** A session store in PostgreSQL. */
export { postgresStore } from "./store.ts";
export { postgresSchema } from "./migrate.ts";
export { DEFAULTS } from "./options.ts";
export type {
  PostgresClient,
  PostgresNotification,
  PostgresPool,
  PostgresQuery,
  PostgresStoreOptions,
  SchemaOptions,
} from "./options.ts";
