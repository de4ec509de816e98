/** Names in the database: everything of a store is in one schema and begins with one prefix. */
import { createHash } from "node:crypto";

/** What a name of the user's may be: quoting is then never needed to be safe, and done nevertheless. */
export const IDENTIFIER: RegExp = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Longest schema: Postgres cuts off the rest. */
export const LONGEST_SCHEMA = 63;
/** Longest prefix: the longest of our own names comes behind it. */
export const LONGEST_TABLE = 40;

/** The names of one store. */
export interface Names {
  readonly schema: string;
  readonly table: string;
  /** `"schema"."table_what"`: a table, a type or a function. */
  readonly at: (what: string) => string;
  /** `"table_what"`: an index, which is in its table's schema by itself. */
  readonly bare: (what: string) => string;
}

/** The names for a schema and a prefix, both checked before. */
export function namesFor(schema: string, table: string): Names {
  const bare = (what: string): string => `"${table}_${what}"`;
  return { schema, table, bare, at: (what) => `"${schema}".${bare(what)}` };
}

/** The channel of a topic. NOTIFY knows databases but no schemas, and cuts off no name but refuses a long one. */
export function channelOf({ schema, table }: Names, topic: string): string {
  const hash = createHash("sha256").update(JSON.stringify([schema, table, topic]));
  return `sojourn_${hash.digest("hex").slice(0, 32)}`;
}
